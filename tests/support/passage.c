// SPDX-License-Identifier: GPL-2.0-or-later
#include "passage.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "attached.h"
#include "records.h"
#include "test.h"

#define HOOKS       5
#define LINKS       (2 * (2 + HOOKS))
#define BATCH       256    /* packets at once; a device's queue holds 1,000 */
#define SIGNAL_TYPE 0x88b5 /* for local experiments (IEEE 802) */
#define DEADLINE_MS 5000
#define HOOK_IN     0
#define HOOK_OUT    3

#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif

enum end {
	END_CLIENT,
	END_LEFT,
	END_SERVER,
	END_RIGHT,
	END_MAX,
};

struct passage {
	struct lab_router *router;
	struct bpf_object *obj;
	struct bpf_link *links[LINKS];
	uint64_t *marks, *seen;
	struct lab_sender *client, *server;
	int signal[END_MAX]; /* packet sockets, to send and hear signals */
	int raw[2];          /* IPv4, IPv6 */
	uint32_t mark;       /* of the raw sockets */
};

void shots_release(struct shots *shots)
{
	lab_packets_release(&shots->packets);
	free(shots->shot);
	shots->shot = NULL;
	shots->n = 0;
}

static void configure(const struct lab_router *router)
{
	const char *const hosts = "link set " LAB_CLIENT_IF " mtu 9000\n";

	assert_int_equal(lab_ns_run(router->client, "ip -batch - <<'END'\n%sEND\n", hosts), 0);
	assert_int_equal(lab_ns_run(router->server, "ip -batch - <<'END'\n%sEND\n", hosts), 0);
	assert_int_equal(lab_ns_run(router->middle,
				    "ip -batch - <<'END'\n"
				    "link set " LAB_LEFT_IF " mtu 9000\n"
				    "link set " LAB_RIGHT_IF " mtu 9000\n"
				    "route add 10.1.0.0/16 via " LAB_CLIENT_V4 "\n"
				    "route add 10.2.0.0/16 via " LAB_SERVER_V4 "\n"
				    "route add local 10.3.0.0/16 dev lo\n"
				    "route add fd00:1::/32 via " LAB_CLIENT_V6 "\n"
				    "route add fd00:2::/32 via " LAB_SERVER_V6 "\n"
				    "route add local fd00:3::/32 dev lo\n"
				    "END\n"),
			 0);
}

static struct bpf_program *program(const struct passage *p, const char *name)
{
	return bpf_object__find_program_by_name(p->obj, name);
}

static struct bpf_link *link_at(const struct passage *p, const char *name, uint32_t pf,
				uint32_t hook, int32_t priority)
{
	const struct unfrag_netfilter_opts opts = {
		.sz = sizeof(opts),
		.pf = pf,
		.hook = hook,
		.priority = priority,
	};
	struct bpf_link *link = attached_link_in(p->router->middle, program(p, name), &opts);

	assert_non_null(link);
	return link;
}

static void watch_hooks(struct passage *p)
{
	static const uint32_t pfs[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	size_t n = 0;

	for (size_t i = 0; i < 2; i++) {
		p->links[n++] = link_at(p, "first", pfs[i], HOOK_IN, INT32_MIN + 1);
		p->links[n++] = link_at(p, "first", pfs[i], HOOK_OUT, INT32_MIN + 1);
		for (uint32_t hook = 0; hook < HOOKS; hook++)
			p->links[n++] = link_at(p, "last", pfs[i], hook, INT32_MAX - 1);
	}
}

struct tc_request {
	const char *ifname;
	int prog_fd;
};

static int attach_tc(void *arg)
{
	const struct tc_request *req = arg;
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(req->ifname),
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1, .prog_fd = req->prog_fd);
	int r = bpf_tc_hook_create(&hook);

	return r ? r : bpf_tc_attach(&hook, &opts);
}

static void watch_device(const struct passage *p, const struct lab_ns *ns, const char *ifname,
			 const char *name)
{
	struct tc_request req = { ifname, bpf_program__fd(program(p, name)) };

	test_ok(lab_ns_call(ns, attach_tc, &req));
}

static uint64_t *map_memory(const struct passage *p, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(p->obj, name);
	void *memory = mmap(NULL, PASSAGE_NUMBERS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

static void load(struct passage *p)
{
	test_ok(attached_load(&p->obj, "passage"));
	p->marks = map_memory(p, "marks");
	p->seen = map_memory(p, "seen");
	watch_hooks(p);
	watch_device(p, p->router->middle, LAB_LEFT_IF, "mark");
	watch_device(p, p->router->middle, LAB_RIGHT_IF, "mark");
	watch_device(p, p->router->client, LAB_CLIENT_IF, "sink");
	watch_device(p, p->router->server, LAB_SERVER_IF, "sink");
}

static int raw_socket(const struct lab_ns *ns, int family, int level, int name)
{
	int fd = test_ok(lab_socket(ns, family, SOCK_RAW, IPPROTO_RAW)), on = 1;

	assert_int_equal(setsockopt(fd, level, name, &on, sizeof(on)), 0);
	return fd;
}

static void open_sockets(struct passage *p)
{
	const struct lab_router *r = p->router;
	const struct lab_ns *ns[END_MAX] = { r->client, r->middle, r->server, r->middle };
	static const char *const names[END_MAX] = { LAB_CLIENT_IF, LAB_LEFT_IF, LAB_SERVER_IF,
						    LAB_RIGHT_IF };

	test_ok(lab_link_sender(&p->client, r->client, LAB_CLIENT_IF));
	test_ok(lab_link_sender(&p->server, r->server, LAB_SERVER_IF));
	for (int i = 0; i < END_MAX; i++)
		p->signal[i] = test_ok(lab_packet_socket(ns[i], SOCK_DGRAM, names[i], SIGNAL_TYPE));
	p->raw[0] = raw_socket(r->middle, AF_INET, IPPROTO_IP, IP_HDRINCL);
	p->raw[1] = raw_socket(r->middle, AF_INET6, IPPROTO_IPV6, IPV6_HDRINCL);
}

void passage_new(struct passage **out)
{
	struct passage *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	*out = p;
	for (int i = 0; i < END_MAX; i++)
		p->signal[i] = -1;
	p->raw[0] = p->raw[1] = -1;
	test_ok(records_in_order());
	test_ok(lab_router_new(&p->router));
	configure(p->router);
	load(p);
	open_sockets(p);
}

void passage_free(struct passage *p)
{
	if (!p)
		return;
	for (int i = 0; i < END_MAX; i++)
		lab_closep(&p->signal[i]);
	lab_closep(&p->raw[0]);
	lab_closep(&p->raw[1]);
	lab_sender_free(p->client);
	lab_sender_free(p->server);
	for (int i = 0; i < LINKS; i++)
		bpf_link__destroy(p->links[i]);
	if (p->marks)
		munmap(p->marks, PASSAGE_NUMBERS * sizeof(uint64_t));
	if (p->seen)
		munmap(p->seen, PASSAGE_NUMBERS * sizeof(uint64_t));
	bpf_object__close(p->obj);
	lab_router_free(p->router);
	free(p);
}

const struct lab_ns *passage_ns(const struct passage *p)
{
	return p->router->middle;
}

/* A frame from one end of a wire to the other, and all before it has come. */
static void signal_between(const struct passage *p, enum end from, enum end to)
{
	struct sockaddr_ll addr;
	socklen_t len = sizeof(addr);
	char byte = 's';

	assert_int_equal(getsockname(p->signal[from], (struct sockaddr *)&addr, &len), 0);
	addr.sll_halen = 6;
	memset(addr.sll_addr, 0xff, 6);
	len = sizeof(addr);
	assert_int_equal(sendto(p->signal[from], &byte, 1, 0, (struct sockaddr *)&addr, len), 1);
	test_ok((int)lab_recv_deadline(p->signal[to], &byte, 1, DEADLINE_MS));
}

/* All that was sent has been judged, and what came through has left. */
static void settle(const struct passage *p)
{
	signal_between(p, END_CLIENT, END_LEFT);
	signal_between(p, END_SERVER, END_RIGHT);
	signal_between(p, END_LEFT, END_CLIENT);
	signal_between(p, END_RIGHT, END_SERVER);
}

static void set_mark(struct passage *p, uint32_t mark)
{
	if (mark == p->mark)
		return;
	for (int i = 0; i < 2; i++)
		assert_int_equal(setsockopt(p->raw[i], SOL_SOCKET, SO_MARK, &mark, sizeof(mark)),
				 0);
	p->mark = mark;
}

/* A packet that is dropped at output is refused to its sender: EPERM. */
static void send_output(struct passage *p, uint32_t mark, const unsigned char *packet, size_t len)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	ssize_t n;

	set_mark(p, mark);
	memcpy(&to4.sin_addr, packet + 16, 4);
	if (packet[0] >> 4 == 6) {
		memcpy(&to6.sin6_addr, packet + 24, 16);
		n = sendto(p->raw[1], packet, len, 0, (struct sockaddr *)&to6, sizeof(to6));
	} else {
		n = sendto(p->raw[0], packet, len, 0, (struct sockaddr *)&to4, sizeof(to4));
	}
	if (n < 0 && errno != EPERM)
		printf("# output: %s\n", strerror(errno));
	assert_true(n >= 0 || errno == EPERM);
}

static void send_shot(struct passage *p, const struct shots *shots, const struct shot *shot)
{
	for (size_t i = shot->first; i < shot->first + shot->n; i++) {
		size_t len;
		const unsigned char *packet = lab_packet_at(&shots->packets, i, &len);

		if (shot->way == SHOT_OUTPUT)
			send_output(p, shot->mark, packet, len);
		else
			test_ok(lab_send(shot->way == SHOT_CLIENT ? p->client : p->server, packet,
					 len));
	}
}

void passage_shoot(struct passage *p, const struct shots *shots, size_t only, uint32_t *seen)
{
	size_t since = 0;

	for (size_t i = 0; i < shots->n; i++) {
		p->seen[i + 1] = 0;
		p->marks[i + 1] = shots->shot[i].mark;
	}
	for (size_t i = 0; i < shots->n; i++) {
		if (only != shots->n && only != i)
			continue;
		since += shots->shot[i].n;
		if (since > BATCH) {
			settle(p);
			since = shots->shot[i].n;
		}
		send_shot(p, shots, &shots->shot[i]);
	}
	settle(p);
	for (size_t i = 0; i < shots->n; i++)
		seen[i] = (uint32_t)p->seen[i + 1];
}
