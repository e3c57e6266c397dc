// SPDX-License-Identifier: GPL-2.0-or-later
#include "ward.h"

#include <background.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <child.h>
#include <errno.h>
#include <frag.h>
#include <net/if.h>
#include <poll.h>
#include <send.h>
#include <sock.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#include "clsact.h"
#include "link.h"

#define PAYLOAD 3000
#define PIECE   1200

static const char *const sysctls[WARD_SYSCTLS] = {
	"net/ipv4/ipfrag_low_thresh",
	"net/ipv4/ipfrag_high_thresh",
	"net/ipv4/ipfrag_time",
	"net/ipv4/ipfrag_max_dist",
	"net/netfilter/nf_conntrack_frag6_low_thresh",
	"net/netfilter/nf_conntrack_frag6_high_thresh",
	"net/netfilter/nf_conntrack_frag6_timeout",
};

static int read_sysctls(void *arg)
{
	int64_t *values = arg;
	char path[128];
	long long n;
	FILE *f;

	for (int i = 0; i < WARD_SYSCTLS; i++) {
		values[i] = -1;
		snprintf(path, sizeof(path), "/proc/sys/%s", sysctls[i]);
		f = fopen(path, "re");
		if (f && fscanf(f, "%lld", &n) == 1)
			values[i] = n;
		if (f)
			fclose(f);
	}
	return 0;
}

void ward_read_sysctls(const struct ward *g, int64_t values[WARD_SYSCTLS])
{
	test_ok(lab_ns_call(g->ns, read_sysctls, values));
}

int64_t ward_sysctl(const struct ward *g, const char *name)
{
	int64_t values[WARD_SYSCTLS];

	ward_read_sysctls(g, values);
	for (int i = 0; i < WARD_SYSCTLS; i++)
		if (!strcmp(strrchr(sysctls[i], '/') + 1, name))
			return values[i];
	test_fail_(__FILE__, __LINE__, "no such sysctl");
}

void ward_up(void **state)
{
	struct ward *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	*state = g;
	life_begin();
	/* Each change of a sysctl is told, many times over. */
	unfrag_set_log(NULL, NULL);
	test_ok(lab_pair_new(&g->pair));
	g->ns = g->pair->server;
	g->path = lab_ns_path(g->ns);
	snprintf(g->priority, sizeof(g->priority), "%d", -life_priority(0));
	ward_read_sysctls(g, g->sysctls);
	if (g->sysctls[5] < 0)
		test_skip("this kernel has no IPv6 defragmenter in netfilter");
}

void ward_down(void *state)
{
	struct unfrag_guard *guard;
	struct ward *g = state;

	if (!g)
		return;
	/* What a failed test left. */
	background_clear();
	if (g->path && !unfrag_guard_open(&guard, g->path)) {
		unfrag_guard_off(guard);
		unfrag_guard_free(guard);
	}
	lab_pair_free(g->pair);
	free(g);
	life_clean();
}

int ward_state(const struct ward *g, struct unfrag_guard_info *info)
{
	struct unfrag_guard_info own = { 0 };
	struct unfrag_guard *guard;
	int r = unfrag_guard_open(&guard, g->path);

	if (r)
		return r;
	info = info ? info : &own;
	memset(info, 0, sizeof(*info));
	info->sz = sizeof(*info);
	r = unfrag_guard_info(guard, info);
	unfrag_guard_free(guard);
	return r ? r : (int)info->state;
}

static bool is_mine(const struct ward *g, uint32_t id)
{
	lab_autoclose int fd = bpf_link_get_fd_by_id(id);
	struct link_info info;

	return fd >= 0 && !link_get_info(fd, &info) && info.type == LINK_TYPE_NETFILTER &&
	       info.priority == atoi(g->priority);
}

static int count_links(const struct ward *g)
{
	uint32_t id = 0;
	int n = 0;

	while (!bpf_link_get_next_id(id, &id))
		n += is_mine(g, id);
	return n;
}

/* Programs at the ingress of devices, by XDP and tcx, and places for filters of tc. */
static int count_at_devices(void *arg)
{
	static const char *const devices[] = { LAB_SERVER_IF, "lo" };
	uint32_t id, n;
	int *count = arg;

	for (int i = 0; i < 2; i++) {
		int ifindex = (int)if_nametoindex(devices[i]);

		id = n = 0;
		*count += !bpf_xdp_query_id(ifindex, 0, &id) && id;
		if (!bpf_prog_query(ifindex, (enum bpf_attach_type)LINK_ATTACH_TYPE_TCX_INGRESS, 0,
				    NULL, NULL, &n))
			*count += (int)n;
		*count += clsact_is_there((uint32_t)ifindex);
	}
	return 0;
}

void ward_expect_nothing(const struct ward *g)
{
	int64_t now[WARD_SYSCTLS], deadline = lab_now_ms() + LIFE_DEADLINE_MS;
	int programs = 0;

	/* What ends with a process ends a moment after it. */
	while (count_links(g) && lab_ms_left(deadline))
		poll(NULL, 0, 2);
	assert_int_equal(count_links(g), 0);
	life_expect_nothing();
	test_ok(lab_ns_call(g->ns, count_at_devices, &programs));
	assert_int_equal(programs, 0);
	ward_read_sysctls(g, now);
	for (int i = 0; i < WARD_SYSCTLS; i++) {
		if (now[i] != g->sysctls[i])
			printf("# %s\n", sysctls[i]);
		assert_int_equal(now[i], g->sysctls[i]);
	}
}

void ward_off(struct ward *g)
{
	struct command c;

	assert_int_equal(ward_state(g, NULL), UNFRAG_STATE_READY);
	assert_int_equal(ward_run(g, &c, "off"), 0);
	ward_expect_nothing(g);
}

json_t *ward_status(const struct ward *g)
{
	struct command c;
	json_t *root;

	assert_int_equal(ward_run(g, &c, "status", "--json"), 0);
	root = json_loads(c.out, 0, NULL);
	assert_non_null(root);
	return root;
}

struct unfrag_guard_stats ward_stats(const struct ward *g, int family)
{
	struct unfrag_guard_stats s = { .sz = sizeof(s) };
	struct unfrag_guard *guard;

	test_ok(unfrag_guard_open(&guard, g->path));
	test_ok(unfrag_guard_stats(guard,
				   family == AF_INET ? UNFRAG_FAMILIES_IPV4 : UNFRAG_FAMILIES_IPV6,
				   &s));
	unfrag_guard_free(guard);
	return s;
}

static void begin(const struct ward *g, struct lab_datagram *dg, int family, uint32_t id,
		  struct lab_sender **sender)
{
	static unsigned char data[PAYLOAD];

	test_ok(lab_datagram_init(dg, family, lab_client_addr(family), lab_server_addr(family)));
	lab_pattern(data, sizeof(data), id);
	dg->identification = id;
	test_ok(lab_datagram_set_udp(dg, 1000, LIFE_PORT, data, sizeof(data)));
	test_ok(lab_link_sender(sender, g->pair->client, LAB_CLIENT_IF));
}

void ward_send(const struct ward *g, int family, uint32_t id, unsigned int mask)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_sender struct lab_sender *sender = NULL;
	const unsigned char *packet;
	size_t len;

	begin(g, &dg, family, id, &sender);
	test_ok(lab_fragment(&dg, PIECE, &packets));
	assert_int_equal(packets.count, 3);
	for (size_t i = 0; i < packets.count; i++) {
		packet = lab_packet_at(&packets, i, &len);
		if (mask >> i & 1)
			test_ok(lab_send(sender, packet, len));
	}
}

void ward_send_at(const struct ward *g, int family, uint32_t id, size_t offset, size_t len,
		  bool more)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_sender struct lab_sender *sender = NULL;

	begin(g, &dg, family, id, &sender);
	test_ok(lab_fragment_at(&dg, offset, len, more, &packets));
	test_ok(lab_send_all(sender, &packets));
}

void ward_exchange(const struct ward *g, int family, uint32_t id)
{
	lab_autoclose int server = test_ok(lab_udp_server(g->ns, family, NULL, LIFE_PORT));
	static unsigned char got[PAYLOAD + 1];

	ward_send(g, family, id, WARD_ALL);
	assert_int_equal(lab_recv_deadline(server, got, sizeof(got), LIFE_DEADLINE_MS), PAYLOAD);
}
