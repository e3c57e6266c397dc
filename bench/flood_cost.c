// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Costs a packet. Of whole packets by BPF_PROG_TEST_RUN, against a program that lets everything by.
 * Of a flood by live frames in a namespace with a defragmenter that is full, as the flood leaves
 * it: refused by the kernel, or dropped by a guard that has no memory left for strangers. That is
 * CPU time, as other processes have theirs meanwhile.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <lab.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>
#include <unfrag/unfrag.h>

#include "../src/guard/layout.h"
#include "flood.h"
#include "flood_wire.skel.h"
#include "guard_netfilter.skel.h"
#include "guard_tc.skel.h"
#include "guard_xdp.skel.h"
#include "link.h"
#include "usual.h"

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

#define REPEAT    200000
#define FLOOD     50000 /* frames that are timed, after WARM_UP others */
#define WARM_UP   10000 /* fills what a defragmenter holds */
#define BATCH     64
#define FRAME_LEN 1000
#define TC_PASS   (-1)

static const char *const names[COST_MAX] = {
	[COST_PASS_NETFILTER] = "netfilter, accepts everything",
	[COST_GUARD_NETFILTER] = "netfilter, guard",
	[COST_PASS_TC] = "tc, accepts everything",
	[COST_GUARD_TC] = "tc, guard",
	[COST_PASS_XDP] = "XDP, accepts everything",
	[COST_GUARD_XDP] = "XDP, guard",
	[COST_SENT] = "a flood's fragment, thrown away",
	[COST_KERNEL] = "refused by the kernel",
	[COST_DROP] = "dropped by the guard at XDP",
	[COST_WIRE_SENT] = "over veth, thrown away at XDP",
	[COST_WIRE_KERNEL] = "over veth, refused by the kernel",
	[COST_WIRE_DROP] = "over veth, dropped by the guard at XDP",
};

enum { FAMILY_IPV4, FAMILY_IPV6, FAMILIES };

struct costs {
	struct guard_netfilter_bpf *netfilter;
	struct guard_tc_bpf *tc;
	struct guard_xdp_bpf *xdp;
	int pass_netfilter, pass_tc, pass_xdp;
	struct flood_wire_bpf *wire[FAMILIES];
	struct lab_router *router;
	struct unfrag_hold *hold;
	struct bpf_link *door;
	struct veth *veth;
	int door_ifindex;
	unsigned char frame[FAMILIES][FRAME_LEN + 64]; /* of a whole packet */
	size_t size[FAMILIES];
	unsigned char fragment[FAMILIES][FRAME_LEN + 64];
	size_t fragment_size[FAMILIES];
};

const char *cost_name(enum cost_kind kind)
{
	return names[kind];
}

/* All used by strangers already: a newcomer's fragment is refused after all is looked up. */
static void put_limits(int config_fd, int state_fd)
{
	struct guard_config c;
	struct guard_state s = { .used = { 8 << 20, 8 << 20 } };
	const uint32_t key = 0;

	usual_limits(&c, 256);
	bpf_map_update_elem(config_fd, &key, &c, BPF_ANY);
	bpf_map_update_elem(state_fd, &key, &s, BPF_ANY);
}

#define LOAD_GUARD(skel, kind) \
	__extension__({ \
		int err_ = -ENOMEM; \
\
		(skel) = guard_##kind##_bpf__open(); \
		if (skel) { \
			bpf_map__set_max_entries((skel)->maps.sets, 512); \
			bpf_map__set_max_entries((skel)->maps.datagrams, 512 * GUARD_WAYS); \
			bpf_map__set_max_entries((skel)->maps.sources, 512); \
			set_type((skel)->progs.guard, #kind); \
			err_ = guard_##kind##_bpf__load(skel); \
		} \
		if (!err_) \
			put_limits(bpf_map__fd((skel)->maps.config), \
				   bpf_map__fd((skel)->maps.state)); \
		err_; \
	})

/* libbpf 1.1 does not know the section. */
static void set_type(struct bpf_program *prog, const char *kind)
{
	if (strcmp(kind, "netfilter") != 0)
		return;
	bpf_program__set_type(prog, (enum bpf_prog_type)LINK_PROG_TYPE_NETFILTER);
	bpf_program__set_expected_attach_type(prog,
					      (enum bpf_attach_type)LINK_ATTACH_TYPE_NETFILTER);
}

static int load_pass(enum bpf_prog_type type, int verdict)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(type, "pass", "GPL", insns, 2, NULL);
}

static int load_programs(struct costs *c)
{
	int err = LOAD_GUARD(c->netfilter, netfilter);

	if (!err)
		err = LOAD_GUARD(c->tc, tc);
	if (!err)
		err = LOAD_GUARD(c->xdp, xdp);
	c->pass_netfilter = link_load_pass();
	c->pass_tc = load_pass(BPF_PROG_TYPE_SCHED_CLS, TC_PASS);
	c->pass_xdp = load_pass(BPF_PROG_TYPE_XDP, XDP_PASS);
	if (err || c->pass_netfilter < 0 || c->pass_tc < 0 || c->pass_xdp < 0)
		return bench_error(err ? err : -EIO, "can't load the programs");
	return 0;
}

static size_t make_frame(unsigned char *frame, const struct lab_packets *packets, size_t i)
{
	size_t len;
	const unsigned char *packet = lab_packet_at(packets, i, &len);
	struct ether_header eth = { .ether_type = htons(packet[0] >> 4 == 6 ? ETH_P_IPV6 :
									      ETH_P_IP) };

	ether_aton_r(LAB_LEFT_MAC, (struct ether_addr *)eth.ether_dhost);
	ether_aton_r(LAB_CLIENT_MAC, (struct ether_addr *)eth.ether_shost);
	memcpy(frame, &eth, sizeof(eth));
	memcpy(frame + sizeof(eth), packet, len);
	return sizeof(eth) + len;
}

static int make_frames(struct costs *c, int at)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	int family = at ? AF_INET6 : AF_INET, err;
	unsigned char data[FRAME_LEN - 100] = { 0 };

	err = lab_datagram_init(&dg, family, at ? "2001:db8::1" : "16.0.0.1",
				lab_server_addr(family));
	if (!err)
		err = lab_datagram_set_udp(&dg, 1024, 53, data, sizeof(data));
	if (!err)
		err = lab_whole(&dg, &packets);
	if (!err)
		err = lab_fragment_at(&dg, 0, 800, true, &packets);
	if (err)
		return err;
	c->size[at] = make_frame(c->frame[at], &packets, 0);
	c->fragment_size[at] = make_frame(c->fragment[at], &packets, 1);
	return 0;
}

/* Of an IPv4 header without source, identification and checksum. */
static uint32_t header_sum(const unsigned char *ip)
{
	uint32_t sum = 0, i;

	for (i = 0; i < sizeof(struct ip); i += 2)
		if (i != 4 && i != 10 && i != 12 && i != 14)
			sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	return sum;
}

static int load_wire(struct costs *c, int at)
{
	int fd = bpf_program__fd(c->xdp->progs.guard), err;
	struct flood_wire_bpf *w = flood_wire_bpf__open();
	const uint32_t key = 0;

	c->wire[at] = w;
	if (!w)
		return -errno;
	memcpy((void *)w->rodata->head, c->fragment[at], sizeof(w->rodata->head));
	w->rodata->ipv6 = at;
	w->rodata->sum = header_sum(c->fragment[at] + ETH_HLEN);
	/* A program that takes frames in several buffers only calls its like. */
	bpf_program__set_flags(w->progs.flood, BPF_F_XDP_HAS_FRAGS);
	err = flood_wire_bpf__load(w);
	return err ? err : bpf_map_update_elem(bpf_map__fd(w->maps.guard_slot), &key, &fd, BPF_ANY);
}

static int attach_door(void *arg)
{
	struct costs *c = arg;

	c->door_ifindex = (int)if_nametoindex(LAB_LEFT_IF);
	c->door = bpf_program__attach_xdp(c->wire[0]->progs.door, c->door_ifindex);
	return c->door ? 0 : -errno;
}

static int build(struct costs *c)
{
	struct unfrag_hold_opts hold = { .sz = sizeof(hold) };
	int err = load_programs(c), at;

	for (at = 0; at < FAMILIES && !err; at++) {
		err = make_frames(c, at);
		if (!err)
			err = load_wire(c, at);
	}
	if (!err)
		err = lab_router_new(&c->router);
	if (err)
		return bench_error(err, "can't set the costs up: %s", strerror(-err));
	hold.netns = lab_ns_path(c->router->middle);
	err = unfrag_defrag_hold(&c->hold, &hold);
	if (!err)
		err = lab_ns_call(c->router->middle, attach_door, c);
	return err ? err : veth_new(&c->veth, c->router);
}

int costs_new(struct costs **out)
{
	struct costs *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->pass_netfilter = c->pass_tc = c->pass_xdp = -1;
	err = build(c);
	if (err) {
		costs_free(c);
		return err;
	}
	*out = c;
	return 0;
}

void costs_free(struct costs *c)
{
	int at;

	if (!c)
		return;
	veth_free(c->veth);
	bpf_link__destroy(c->door);
	unfrag_defrag_release(c->hold);
	lab_router_free(c->router);
	for (at = 0; at < FAMILIES; at++)
		flood_wire_bpf__destroy(c->wire[at]);
	guard_netfilter_bpf__destroy(c->netfilter);
	guard_tc_bpf__destroy(c->tc);
	guard_xdp_bpf__destroy(c->xdp);
	lab_closep(&c->pass_netfilter);
	lab_closep(&c->pass_tc);
	lab_closep(&c->pass_xdp);
	free(c);
}

static int run_whole(struct costs *c, enum cost_kind kind, int fd, int at, double *ns)
{
	/* The start of struct nf_hook_state: hook and family. */
	uint8_t state[8] = { UNFRAG_HOOK_PREROUTING, (uint8_t)(at ? AF_INET6 : AF_INET) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = c->frame[at],
		    .data_size_in = (uint32_t)c->size[at], .repeat = REPEAT);
	int err;

	if (kind <= COST_GUARD_NETFILTER) {
		opts.ctx_in = state;
		opts.ctx_size_in = sizeof(state);
	}
	err = bpf_prog_test_run_opts(fd, &opts);
	if (err)
		return bench_error(err, "can't run '%s': %s", cost_name(kind), strerror(-err));
	*ns = opts.duration;
	return 0;
}

struct burst {
	struct costs *costs;
	int at;
	double ns; /* CPU time that all of it took */
};

static int run_flood(void *arg)
{
	struct burst *b = arg;
	struct costs *c = b->costs;
	struct xdp_md ctx = { .data_end = (uint32_t)c->fragment_size[b->at],
			      .ingress_ifindex = (uint32_t)c->door_ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = c->fragment[b->at],
		    .data_size_in = (uint32_t)c->fragment_size[b->at], .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = WARM_UP,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	int fd = bpf_program__fd(c->wire[b->at]->progs.flood), err;
	double began;

	err = bpf_prog_test_run_opts(fd, &opts);
	if (err)
		return err;
	opts.repeat = FLOOD;
	began = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	err = bpf_prog_test_run_opts(fd, &opts);
	b->ns = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
	return err;
}

static int flood(struct costs *c, enum cost_kind kind, int at, double *ns)
{
	struct flood_wire_bpf__bss *bss = c->wire[at]->bss;
	struct burst b = { .costs = c, .at = at };
	int err;

	bss->sent.next = kind - COST_SENT;
	err = lab_ns_call(c->router->middle, run_flood, &b);
	if (err)
		return bench_error(err, "can't send live XDP frames (needs Linux 5.18): %s",
				   strerror(-err));
	*ns = b.ns / FLOOD;
	return 0;
}

int costs_measure(struct costs *c, enum cost_kind kind, int family, double *ns)
{
	int at = family == AF_INET6;
	const int fds[] = {
		[COST_PASS_NETFILTER] = c->pass_netfilter,
		[COST_GUARD_NETFILTER] = bpf_program__fd(c->netfilter->progs.guard),
		[COST_PASS_TC] = c->pass_tc,
		[COST_GUARD_TC] = bpf_program__fd(c->tc->progs.guard),
		[COST_PASS_XDP] = c->pass_xdp,
		[COST_GUARD_XDP] = bpf_program__fd(c->xdp->progs.guard),
		[COST_WIRE_SENT] = bpf_program__fd(c->wire[at]->progs.nowhere),
		[COST_WIRE_KERNEL] = -1,
		[COST_WIRE_DROP] = bpf_program__fd(c->xdp->progs.guard),
	};

	if (kind >= COST_WIRE_SENT)
		return veth_measure(c->veth, fds[kind], family, ns);
	if (kind >= COST_SENT)
		return flood(c, kind, at, ns);
	return run_whole(c, kind, fds[kind], at, ns);
}
