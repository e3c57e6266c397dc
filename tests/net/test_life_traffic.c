// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attachments and real traffic: a thousand replaces while packets pass, and the three examples,
 * each at what it says that it does, with whole datagrams and with datagrams in fragments.
 */
#include <bpf/bpf.h>
#include <child.h>
#include <errno.h>
#include <frag.h>
#include <life.h>
#include <net.h>
#include <pthread.h>
#include <sched.h>
#include <send.h>
#include <sock.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define NAME     "traffic"
#define REPLACES 1000
#define TINY     48 /* bytes of a fragment */

static const int families[2] = { AF_INET, AF_INET6 };

struct wire {
	struct lab_router *router;
	struct lab_sender *sender;
	struct unfrag_attachment *att;
	pid_t keeper;
	int rx[2]; /* of the server, by family; bound to LIFE_PORT */
};

static void wire_up(void **state)
{
	struct wire *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->rx[0] = w->rx[1] = -1;
	*state = w;
	life_begin();
	test_ok(lab_router_new(&w->router));
	w->keeper = life_keeper(w->router->middle);
	test_ok(lab_link_sender(&w->sender, w->router->client, LAB_CLIENT_IF));
	for (int f = 0; f < 2; f++)
		w->rx[f] = test_ok(lab_udp_server(w->router->server, families[f], NULL, LIFE_PORT));
}

static void wire_down(void *state)
{
	struct wire *w = state;

	if (!w)
		return;
	if (w->att)
		unfrag_attachment_detach(w->att);
	unfrag_attachment_free(w->att);
	lab_closep(&w->rx[0]);
	lab_closep(&w->rx[1]);
	lab_child_kill(w->keeper);
	lab_sender_free(w->sender);
	lab_router_free(w->router);
	free(w);
	life_clean();
}

static void attach(struct wire *w, const char *path, uint32_t hooks)
{
	struct unfrag_attach_opts opts = {
		.sz = sizeof(opts),
		.netns = lab_ns_path(w->router->middle),
		.hooks = hooks,
		.priority = life_priority(0),
		.flags = UNFRAG_ATTACH_PRIORITY,
	};

	test_ok(life_attach(&w->att, NAME, path, &opts));
}

static void make(struct lab_datagram *dg, int family, uint16_t port, const void *data, size_t len)
{
	static uint32_t id;

	test_ok(lab_datagram_init(dg, family, lab_client_addr(family), lab_server_addr(family)));
	dg->identification = ++id;
	test_ok(lab_datagram_set_udp(dg, 1000, port, data, len));
}

/* Sends a datagram of a pattern in pieces of that size. */
static void send_pieces(const struct wire *w, int family, uint16_t port, size_t len, size_t piece)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	lab_auto_packets struct lab_packets packets = { 0 };
	static unsigned char data[LAB_PAYLOAD_MAX];

	lab_pattern(data, len, len);
	make(&dg, family, port, data, len);
	test_ok(lab_fragment(&dg, piece, &packets));
	test_ok(lab_send_all(w->sender, &packets));
}

/* The next datagram that comes is that one: what was sent before it was dropped. */
static void expect_next(int fd, size_t len)
{
	static unsigned char want[LAB_PAYLOAD_MAX], got[LAB_PAYLOAD_MAX];

	lab_pattern(want, len, len);
	assert_int_equal(lab_recv_deadline(fd, got, sizeof(got), LIFE_DEADLINE_MS), len);
	assert_memory_equal(got, want, len);
}

static void only_dns_lets_dns_through_and_nothing_else(void *state)
{
	struct wire *w = state;

	attach(w, LIFE_EXAMPLE("only_dns"), 1u << UNFRAG_HOOK_FORWARD);
	for (int f = 0; f < 2; f++) {
		lab_autoclose int dns = -1;

		dns = test_ok(lab_udp_server(w->router->server, families[f], NULL, 53));
		/* Forbidden: whole, in pieces, and in pieces that alone look like DNS. */
		send_pieces(w, families[f], LIFE_PORT, 100, 1400);
		send_pieces(w, families[f], LIFE_PORT, 5000, 1400);
		send_pieces(w, families[f], LIFE_PORT, 5000, TINY);
		/* Allowed. */
		send_pieces(w, families[f], 53, 101, 1400);
		send_pieces(w, families[f], 53, 5001, 1400);
		send_pieces(w, families[f], 53, 8001, TINY);
		expect_next(dns, 101);
		expect_next(dns, 5001);
		expect_next(dns, 8001);
		assert_int_equal(lab_wait_readable(w->rx[f], 0), -ETIMEDOUT);
	}
	assert_true(life_count(NAME, UNFRAG_OUTCOME_REASSEMBLED) == 8);
	assert_true(life_count(NAME, UNFRAG_OUTCOME_FRAGMENT_FIRST) == 0);
	assert_true(life_count(NAME, UNFRAG_OUTCOME_FRAGMENT_LATER) == 0);
}

static void tiny_fragments_drops_what_came_in_pieces_smaller_than_512(void *state)
{
	struct wire *w = state;

	attach(w, LIFE_EXAMPLE("tiny_fragments"), 0);
	for (int f = 0; f < 2; f++) {
		/* Headers count: 20 bytes, in IPv6 40 and 8 of the Fragment header. */
		send_pieces(w, families[f], LIFE_PORT, 3000, f ? 456 : 488);
		send_pieces(w, families[f], LIFE_PORT, 3001, 400);
		send_pieces(w, families[f], LIFE_PORT, 3002, 8);
		send_pieces(w, families[f], LIFE_PORT, 10, 1400);
		send_pieces(w, families[f], LIFE_PORT, 3003, f ? 464 : 496);
		send_pieces(w, families[f], LIFE_PORT, 3004, 1400);
		send_pieces(w, families[f], LIFE_PORT, 20, 1400);
		expect_next(w->rx[f], 10);
		expect_next(w->rx[f], 3003);
		expect_next(w->rx[f], 3004);
		expect_next(w->rx[f], 20);
	}
}

static void port_bytes_counts_payload_by_port(void *state)
{
	struct wire *w = state;
	lab_autoclose int fd = -1;
	uint64_t sum;
	uint16_t port = LIFE_PORT;

	attach(w, LIFE_EXAMPLE("port_bytes"), 0);
	for (int f = 0; f < 2; f++) {
		send_pieces(w, families[f], LIFE_PORT, 100, 1400);
		send_pieces(w, families[f], LIFE_PORT, 5000, 1400);
		send_pieces(w, families[f], LIFE_PORT, 60000, 1400);
		expect_next(w->rx[f], 100);
		expect_next(w->rx[f], 5000);
		expect_next(w->rx[f], 60000);
	}
	fd = test_ok(bpf_obj_get(LIFE_ROOT "/" NAME "/maps/bytes"));
	test_ok(bpf_map_lookup_elem(fd, &port, &sum));
	assert_true(sum == 2ull * (100 + 5000 + 60000));
	port++;
	test_err(bpf_map_lookup_elem(fd, &port, &sum), -ENOENT);
}

/* What is sent meanwhile, by one thread. */
struct stream {
	const struct wire *wire;
	struct lab_packets packets[4]; /* to be forwarded: each family, whole and in three pieces */
	int local[2];                  /* sockets of the middle */
	atomic_bool stop;
	uint64_t sent;   /* datagrams */
	uint64_t pieces; /* of them in pieces */
	int err;
};

#define IN_FLIGHT 64

static void stream_init(struct stream *s, const struct wire *w)
{
	static unsigned char data[3000];

	memset(s, 0, sizeof(*s));
	s->wire = w;
	for (int i = 0; i < 4; i++) {
		lab_auto_datagram struct lab_datagram dg = { 0 };

		make(&dg, families[i & 1], LIFE_PORT, data, i & 2 ? sizeof(data) : 50);
		test_ok(lab_fragment(&dg, 1400, &s->packets[i]));
		assert_int_equal(s->packets[i].count, i & 2 ? 3 : 1);
	}
	for (int f = 0; f < 2; f++)
		s->local[f] = test_ok(lab_connect(w->router->middle, SOCK_DGRAM, families[f],
						  lab_server_addr(families[f]), LIFE_PORT,
						  LIFE_DEADLINE_MS));
}

static void stream_release(struct stream *s)
{
	for (int i = 0; i < 4; i++)
		lab_packets_release(&s->packets[i]);
	lab_closep(&s->local[0]);
	lab_closep(&s->local[1]);
}

/* Datagrams that the front has seen, and perhaps a few more that others sent. */
static uint64_t seen(const struct wire *w)
{
	struct unfrag_counters c = { .sz = sizeof(c) };
	uint64_t sum = 0;

	for (uint32_t f = 0; f < 2; f++) {
		if (unfrag_attachment_counters(w->att, 1u << f, UNFRAG_HOOK_PREROUTING, &c))
			return 0;
		sum += c.packets;
		if (unfrag_attachment_counters(w->att, 1u << f, UNFRAG_HOOK_OUTPUT, &c))
			return 0;
		sum += c.packets;
	}
	return sum;
}

/* No queue on the way may grow until it drops. */
static int wait_for_all_but(const struct stream *s, uint64_t in_flight)
{
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;

	while (seen(s->wire) + in_flight < s->sent) {
		if (!lab_ms_left(deadline))
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

static void *stream_run(void *arg)
{
	struct stream *s = arg;
	char byte = 'l';

	for (unsigned int i = 0; !s->err && !atomic_load(&s->stop); i++) {
		s->err = lab_send_all(s->wire->sender, &s->packets[i % 4]);
		if (!s->err && send(s->local[i & 1], &byte, 1, 0) != 1)
			s->err = -errno;
		s->sent += 2;
		s->pieces += s->packets[i % 4].count > 1;
		if (!s->err && i % (IN_FLIGHT / 2) == 0)
			s->err = wait_for_all_but(s, IN_FLIGHT);
	}
	if (!s->err)
		s->err = wait_for_all_but(s, 0);
	return NULL;
}

static struct life_judged judged_by(struct bpf_object *obj, enum life_judge who)
{
	struct life_judged j;
	uint32_t key = who;

	test_ok(bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(obj, "judged"), &key, &j));
	return j;
}

static void replace_often(const struct wire *w, struct bpf_object *const *objects)
{
	struct unfrag_replace_opts opts = { .sz = sizeof(opts) };

	for (int i = 1; i <= REPLACES; i++)
		test_ok(unfrag_attachment_replace(w->att, objects[i % 2], NULL, &opts));
}

static void every_packet_is_judged_through_a_thousand_replaces(void *state)
{
	struct bpf_object *objects[] = { life_load(LIFE_OBJECT("a")), life_load(LIFE_OBJECT("b")) };
	struct wire *w = state;
	struct life_judged a, b;
	struct stream s;
	pthread_t thread;

	/* From the start one of the two that are counted: what A judged here stays in its map. */
	attach(w, LIFE_OBJECT("a"), 1u << UNFRAG_HOOK_PREROUTING | 1u << UNFRAG_HOOK_OUTPUT);
	test_ok(unfrag_attachment_replace(w->att, objects[0], NULL, NULL));
	stream_init(&s, w);
	assert_int_equal(pthread_create(&thread, NULL, stream_run, &s), 0);
	replace_often(w, objects);
	atomic_store(&s.stop, true);
	pthread_join(thread, NULL);
	test_ok(s.err);
	a = judged_by(objects[0], LIFE_A);
	b = judged_by(objects[1], LIFE_B);
	printf("# %d replaces, %llu datagrams, %llu judged by A, %llu by B\n", REPLACES,
	       (unsigned long long)s.sent, (unsigned long long)a.mine, (unsigned long long)b.mine);
	assert_true(a.mine && b.mine);
	assert_true(a.mine + b.mine == s.sent);
	assert_true(a.fragments + b.fragments == 0);
	assert_true(life_count(NAME, UNFRAG_OUTCOME_SLOT_EMPTY) == 0);
	assert_true(life_count(NAME, UNFRAG_OUTCOME_REASSEMBLED) == s.pieces);
	assert_true(life_count(NAME, UNFRAG_OUTCOME_REASSEMBLED) +
			    life_count(NAME, UNFRAG_OUTCOME_WHOLE) ==
		    life_count(NAME, -1));
	stream_release(&s);
	bpf_object__close(objects[0]);
	bpf_object__close(objects[1]);
}

static const struct test tests[] = {
	TEST_WITH(every_packet_is_judged_through_a_thousand_replaces, wire_up, wire_down),
	TEST_WITH(only_dns_lets_dns_through_and_nothing_else, wire_up, wire_down),
	TEST_WITH(tiny_fragments_drops_what_came_in_pieces_smaller_than_512, wire_up, wire_down),
	TEST_WITH(port_bytes_counts_payload_by_port, wire_up, wire_down),
};

TEST_MAIN(tests);
