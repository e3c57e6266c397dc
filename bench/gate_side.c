// SPDX-License-Identifier: GPL-2.0-or-later
#include "gate_side.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unfrag/unfrag.h>

#include "bench.h"
#include "child.h"
#include "enforced.h"
#include "gate_pass.skel.h"

/* Switches tracking on, as early as it can be: its state is there from -200 on. */
#define TRACK \
	"table inet track { chain track { type filter hook prerouting priority -199; " \
	"ct state invalid drop; }; }\n"

static const char *const names[] = {
	[GATE_SIDE_NONE] = "nothing",
	[GATE_SIDE_NFTABLES] = "nftables",
	[GATE_SIDE_CONNTRACK] = "nftables with conntrack",
	[GATE_SIDE_GATE] = "gate",
	[GATE_SIDE_LINK] = "a link that accepts",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == GATE_SIDE_MAX, "a name each");

struct gate_sides {
	struct lab_router *router[GATE_SIDE_MAX];
	struct wire *wire[GATE_SIDE_MAX];
	struct enforced *gate;
	struct gate_pass_bpf *pass;
	struct bpf_link *link;
};

const char *gate_side_name(enum gate_side side)
{
	return names[side];
}

static void sides_freep(struct gate_sides **sides)
{
	gate_sides_free(*sides);
}

/* Inside its router. */
static int attach_link(void *arg)
{
	const struct unfrag_netfilter_opts opts = {
		.sz = sizeof(opts),
		.pf = NFPROTO_IPV4,
		.hook = UNFRAG_HOOK_PREROUTING,
		.priority = UNFRAG_PRIORITY_DEFAULT,
		.flags = UNFRAG_NETFILTER_IP_DEFRAG,
	};
	struct gate_sides *sides = arg;

	sides->pass = gate_pass_bpf__open_and_load();
	if (sides->pass)
		sides->link = unfrag_attach_netfilter(sides->pass->progs.pass, &opts);
	return sides->link ? 0 : -errno;
}

int gate_sides_new(struct gate_sides **out)
{
	lab_cleanup(sides_freep) struct gate_sides *sides = calloc(1, sizeof(*sides));
	int err;

	if (!sides)
		return -ENOMEM;
	for (int i = 0; i < GATE_SIDE_MAX; i++) {
		err = lab_router_new(&sides->router[i]);
		if (err)
			return bench_error(err, "can't make the namespaces: %s", strerror(-err));
		err = wire_new(&sides->wire[i], sides->router[i]);
		if (err)
			return err;
	}
	err = lab_ns_call(sides->router[GATE_SIDE_LINK]->middle, attach_link, sides);
	if (err)
		return bench_error(err, "can't attach a link: %s", strerror(-err));
	*out = LAB_TAKE_PTR(sides);
	return 0;
}

void gate_sides_free(struct gate_sides *sides)
{
	if (!sides)
		return;
	enforced_free(sides->gate);
	bpf_link__destroy(sides->link);
	gate_pass_bpf__destroy(sides->pass);
	for (int i = 0; i < GATE_SIDE_MAX; i++) {
		wire_free(sides->wire[i]);
		lab_router_free(sides->router[i]);
	}
	free(sides);
}

static int load_nftables(const struct lab_ns *ns, const char *path, bool track, double *ms)
{
	double started = bench_now_ns();
	int err = lab_ns_run(ns, "{ echo flush ruleset; %s cat '%s'; } | nft -f -",
			     track ? "echo '" TRACK "';" : "", path);

	*ms = (bench_now_ns() - started) / 1e6;
	return err ? bench_error(err < 0 ? err : -EIO, "nft can't load '%s'", path) : 0;
}

/* The first time it is attached, then replaced. */
static int load_gate(struct gate_sides *sides, const char *path, double *ms)
{
	const struct lab_ns *ns = sides->router[GATE_SIDE_GATE]->middle;
	char why[2048];
	double started = bench_now_ns();
	int err;

	if (sides->gate)
		err = enforced_replace(sides->gate, path, why, sizeof(why));
	else
		err = enforced_new(&sides->gate, ns, path, why, sizeof(why));
	*ms = (bench_now_ns() - started) / 1e6;
	return err ? bench_error(err, "the gate can't load '%s': %s: %s", path, strerror(-err),
				 why) :
		     0;
}

int gate_sides_load(struct gate_sides *sides, const char *path, double load_ms[GATE_SIDE_MAX])
{
	double none[GATE_SIDE_MAX], *ms = load_ms ? load_ms : none;
	struct lab_router **r = sides->router;
	int err = load_nftables(r[GATE_SIDE_NFTABLES]->middle, path, false,
				&ms[GATE_SIDE_NFTABLES]);

	ms[GATE_SIDE_NONE] = 0;
	ms[GATE_SIDE_LINK] = 0;
	if (!err)
		err = load_nftables(r[GATE_SIDE_CONNTRACK]->middle, path, true,
				    &ms[GATE_SIDE_CONNTRACK]);
	return err ? err : load_gate(sides, path, &ms[GATE_SIDE_GATE]);
}

int gate_sides_reload(struct gate_sides *sides, const char *path, double *ms)
{
	double started = bench_now_ns();
	int err = lab_ns_run(sides->router[GATE_SIDE_GATE]->middle,
			     "'%s' policy reload '%s' '%s' >/dev/null", BENCH_UNFRAG,
			     enforced_name(sides->gate), path);

	*ms = (bench_now_ns() - started) / 1e6;
	return err ? bench_error(err < 0 ? err : -EIO, "the command can't reload '%s'", path) : 0;
}

int gate_sides_send(struct gate_sides *sides, enum gate_side side, enum wire_traffic traffic,
		    unsigned int datagrams, double *ns)
{
	return wire_send(sides->wire[side], traffic, datagrams, ns);
}

int gate_sides_run(struct gate_sides *sides, enum wire_traffic traffic, unsigned int repeat,
		   double *ns)
{
	bool ipv6 = traffic == WIRE_SMALL_IPV6 || traffic == WIRE_LARGE_IPV6;
	/* The start of struct nf_hook_state: hook and family. */
	uint8_t state[8] = { NF_INET_PRE_ROUTING, ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4 };
	size_t size;
	const void *frame = wire_frame(sides->wire[GATE_SIDE_GATE], traffic, &size);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)size,
		    .ctx_in = state, .ctx_size_in = sizeof(state), .repeat = (int)repeat);
	double started = bench_now_ns();
	int fd = enforced_program(sides->gate);
	int err = bpf_prog_test_run_opts(fd, &opts);

	*ns = (bench_now_ns() - started) / repeat;
	if (err)
		return bench_error(err, "can't run the gate: %s", strerror(-err));
	if (opts.retval != NF_ACCEPT)
		return bench_error(-EBADMSG, "the gate did not accept the packet");
	return 0;
}
