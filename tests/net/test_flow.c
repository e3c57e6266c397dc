// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The flow that shows the promise in small, as the kernel's own check does: two hosts on one wire,
 * a program at the server's prerouting that drops every fragment and counts it, a raw socket of the
 * client that sends a datagram in three fragments, and an echo that has to come back with the same
 * bytes. Without reassembly the same program has to hit all three, or the test would prove nothing.
 */
#include <attached.h>
#include <errno.h>
#include <lab.h>
#include <records.h>
#include <shoot.h>
#include <string.h>
#include <test.h>

#define CLIENT_PORT 48878
#define SERVER_PORT 48879
#define DEADLINE_MS 5000
#define FRAGMENTS   3ul

struct fixture {
	struct lab_pair *pair;
	struct attached *program;
	int family;
	int client, server; /* unconnected UDP */
	struct lab_sender *raw;
	uint32_t id;
};

/* What is sent: bytes of data, and of payload in a fragment such that there are three. */
struct shape {
	size_t data;
	size_t fragment;
};

static const struct shape small = { 50, 24 };
static const struct shape large = { 4000, 1400 };

static void setup(void **state)
{
	struct fixture *f;

	test_require_root();
	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	*state = f;
	f->client = f->server = -1;
	test_ok(lab_pair_new(&f->pair));
}

static void teardown(void *state)
{
	struct fixture *f = state;

	if (!f)
		return;
	attached_free(f->program);
	lab_sender_free(f->raw);
	lab_closep(&f->client);
	lab_closep(&f->server);
	lab_pair_free(f->pair);
	free(f);
}

static void open_sockets(struct fixture *f, int family)
{
	f->family = family;
	f->client = test_ok(lab_udp_server(f->pair->client, family, NULL, CLIENT_PORT));
	f->server = test_ok(lab_udp_server(f->pair->server, family, NULL, SERVER_PORT));
	test_ok(lab_raw_sender(&f->raw, f->pair->client, family));
}

static void attach_plain_link(struct fixture *f, uint32_t flags)
{
	struct unfrag_netfilter_opts opts = {
		.sz = sizeof(opts),
		.pf = f->family == AF_INET6 ? 10 : 2,
		.hook = UNFRAG_HOOK_PREROUTING,
		.priority = 42,
		.flags = flags,
	};

	test_ok(attached_link(&f->program, f->pair->server, "shoot", &opts));
}

static uint64_t count(const struct fixture *f, enum shoot_count key, uint64_t want)
{
	return counter_wait(attached_map(f->program, "counts"), key, want, DEADLINE_MS);
}

/* Sends a datagram by the client's raw socket, in fragments or, with fragment 0, whole. */
static void send_datagram(struct fixture *f, const void *data, const struct shape *shape)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };

	test_ok(lab_datagram_init(&dg, f->family, lab_client_addr(f->family),
				  lab_server_addr(f->family)));
	dg.identification = 0xbeef + f->id++;
	test_ok(lab_datagram_set_udp(&dg, CLIENT_PORT, SERVER_PORT, data, shape->data));
	if (shape->fragment) {
		test_ok(lab_fragment(&dg, shape->fragment, &packets));
		assert_int_equal(packets.count, FRAGMENTS);
	} else {
		test_ok(lab_whole(&dg, &packets));
	}
	test_ok(lab_send_all(f->raw, &packets));
}

static void server_echoes(const struct fixture *f, size_t len)
{
	struct lab_addr from = { .len = sizeof(from.any) };
	char buf[8192];
	ssize_t n;

	test_ok(lab_wait_readable(f->server, DEADLINE_MS));
	n = recvfrom(f->server, buf, sizeof(buf), 0, &from.sa, &from.len);
	assert_int_equal(n, len);
	assert_int_equal(sendto(f->server, buf, len, 0, &from.sa, from.len), len);
}

static void client_receives(const struct fixture *f, const void *data, size_t len)
{
	char buf[8192];

	assert_int_equal(lab_recv_deadline(f->client, buf, sizeof(buf), DEADLINE_MS), len);
	assert_memory_equal(buf, data, len);
}

static void goes_there_and_back(struct fixture *f, const struct shape *shape)
{
	char data[8192];

	lab_pattern(data, shape->data, 1 + f->id);
	send_datagram(f, data, shape);
	server_echoes(f, shape->data);
	client_receives(f, data, shape->data);
}

static void flows(struct fixture *f)
{
	goes_there_and_back(f, &small);
	goes_there_and_back(f, &large);
	assert_int_equal(count(f, SHOOT_WHOLE, 2), 2);
	assert_int_equal(count(f, SHOOT_DOWN, 0), 0);
}

static void link_with_defrag(struct fixture *f, int family)
{
	open_sockets(f, family);
	attach_plain_link(f, UNFRAG_NETFILTER_IP_DEFRAG);
	flows(f);
}

static void link_with_defrag_meets_no_fragment_ipv4(void *state)
{
	link_with_defrag(state, AF_INET);
}

static void link_with_defrag_meets_no_fragment_ipv6(void *state)
{
	link_with_defrag(state, AF_INET6);
}

static void attachment_meets_no_fragment(struct fixture *f, int family)
{
	struct unfrag_attach_opts opts = { .sz = sizeof(opts) };
	struct unfrag_counters counters = { .sz = sizeof(counters) };

	open_sockets(f, family);
	test_ok(attached_named(&f->program, f->pair->server, "shoot", &opts));
	flows(f);
	test_ok(unfrag_attachment_counters(f->program->att,
					   family == AF_INET6 ? UNFRAG_FAMILIES_IPV6 :
								UNFRAG_FAMILIES_IPV4,
					   UNFRAG_HOOK_PREROUTING, &counters));
	assert_int_equal(counters.outcomes[UNFRAG_OUTCOME_REASSEMBLED], 2);
}

static void attachment_meets_no_fragment_ipv4(void *state)
{
	attachment_meets_no_fragment(state, AF_INET);
}

static void attachment_meets_no_fragment_ipv6(void *state)
{
	attachment_meets_no_fragment(state, AF_INET6);
}

/* A whole datagram behind the fragments is all that the server gets, and comes back. */
static void link_without_defrag(struct fixture *f, int family)
{
	const struct shape whole = { 50, 0 };
	char data[8192];

	open_sockets(f, family);
	attach_plain_link(f, 0);
	lab_pattern(data, sizeof(data), 7);
	send_datagram(f, data, &small);
	send_datagram(f, data, &large);
	goes_there_and_back(f, &whole);
	assert_int_equal(count(f, SHOOT_DOWN, 2 * FRAGMENTS), 2 * FRAGMENTS);
	assert_int_equal(count(f, SHOOT_WHOLE, 1), 1);
	assert_int_equal(lab_wait_readable(f->server, 0), -ETIMEDOUT);
}

static void link_without_defrag_shoots_every_fragment_down_ipv4(void *state)
{
	link_without_defrag(state, AF_INET);
}

static void link_without_defrag_shoots_every_fragment_down_ipv6(void *state)
{
	link_without_defrag(state, AF_INET6);
}

#define FLOW_TEST(fn) TEST_WITH(fn, setup, teardown)

static const struct test tests[] = {
	FLOW_TEST(link_with_defrag_meets_no_fragment_ipv4),
	FLOW_TEST(link_with_defrag_meets_no_fragment_ipv6),
	FLOW_TEST(attachment_meets_no_fragment_ipv4),
	FLOW_TEST(attachment_meets_no_fragment_ipv6),
	FLOW_TEST(link_without_defrag_shoots_every_fragment_down_ipv4),
	FLOW_TEST(link_without_defrag_shoots_every_fragment_down_ipv6),
};

TEST_MAIN(tests);
