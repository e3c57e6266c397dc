// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IPv6 reassembly as somebody else sees it, who stands in the kernel's own function
 * (witness.bpf.c). The kernel counts none of it, so without a witness the front's counters would
 * be their own proof.
 */
#include <bpf/bpf.h>
#include <bypass.h>
#include <errno.h>
#include <life.h>
#include <net.h>
#include <records.h>
#include <send.h>
#include <sock.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#include "witness.h"

#define DATAGRAMS 20
#define FRAGMENTS ((uint64_t)BYPASS_FRAGMENTS)

struct witness_obj {
	struct bpf_object *obj;
	struct bpf_link *links[2];
	int seen;
};

/* The module must be there by now: its function is what it looks at. */
static struct witness_obj call_witness(void)
{
	struct witness_obj w = { .obj = bpf_object__open(GUEST_OBJECTS "/witness.bpf.o") };
	struct bpf_program *prog;
	int i = 0;

	assert_non_null(w.obj);
	test_ok(bpf_object__load(w.obj));
	bpf_object__for_each_program(prog, w.obj) {
		w.links[i] = bpf_program__attach(prog);
		assert_non_null(w.links[i++]);
	}
	w.seen = bpf_object__find_map_fd_by_name(w.obj, "seen");
	return w;
}

static void dismiss(struct witness_obj *w)
{
	bpf_link__destroy(w->links[0]);
	bpf_link__destroy(w->links[1]);
	bpf_object__close(w->obj);
}

struct testimony {
	uint64_t n[WITNESS_MAX];
};

/* Exactly these, but for packets that were none: hosts talk of themselves. */
static void expect_seen(const struct witness_obj *w, struct testimony want)
{
	static const char *const names[] = { "whole", "queued", "passed", "refused" };
	uint32_t i;

	for (i = 0; i < WITNESS_NO_FRAGMENT; i++) {
		printf("# %s: %ju\n", names[i], (uintmax_t)counter_read(w->seen, i));
		assert_int_equal(counter_read(w->seen, i), want.n[i]);
	}
}

#define SEEN(w, ...) expect_seen((w), (struct testimony){ .n = { __VA_ARGS__ } })

static void send_datagrams(struct bypass *b)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	int i;

	for (i = 0; i < DATAGRAMS; i++)
		bypass_add_fragments(b, i & 1, &packets);
	test_ok(lab_send_all(b->sender, &packets));
}

static void what_is_counted_as_reassembled_was(void *state)
{
	struct bypass *b = state;
	struct witness_obj w;

	bypass_attach(b, "shoot", AF_INET6, UNFRAG_HOOK_FORWARD, 0);
	w = call_witness();
	send_datagrams(b);
	bypass_mark(b);
	SEEN(&w, [WITNESS_WHOLE] = DATAGRAMS, [WITNESS_QUEUED] = DATAGRAMS * (FRAGMENTS - 1));
	COUNTED(b, REASSEMBLED = DATAGRAMS);
	bypass_program_saw(b, DATAGRAMS);
	dismiss(&w);
}

static void what_is_counted_as_malformed_was_passed_on(void *state)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct bypass *b = state;
	struct witness_obj w;

	bypass_attach(b, "shoot", AF_INET6, UNFRAG_HOOK_PREROUTING, 0);
	w = call_witness();
	bypass_make(b, &dg, b->data, sizeof(b->data));
	test_ok(lab_fragment_at(&dg, 0, 403, true, &packets));
	bypass_make(b, &dg, b->data, sizeof(b->data));
	test_ok(lab_fragment_at(&dg, 800, 801, true, &packets));
	bypass_make(b, &dg, b->data, 100);
	test_ok(lab_fragment_at(&dg, 0, dg.payload_len, false, &packets)); /* atomic */
	test_ok(lab_send_all(b->sender, &packets));
	bypass_mark(b);
	SEEN(&w, [WITNESS_PASSED] = 2, [WITNESS_WHOLE] = 1);
	COUNTED(b, MALFORMED = 2, REASSEMBLED = 1);
	dismiss(&w);
}

static void what_never_became_whole_is_counted_nowhere(void *state)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct bypass *b = state;
	struct witness_obj w;

	bypass_attach(b, "shoot", AF_INET6, UNFRAG_HOOK_PREROUTING, 0);
	w = call_witness();
	bypass_make(b, &dg, b->data, sizeof(b->data));
	test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
	test_ok(lab_fragment_at(&dg, 1600, 800, true, &packets));
	test_ok(lab_send_all(b->sender, &packets));
	bypass_mark(b);
	SEEN(&w, [WITNESS_QUEUED] = 2);
	COUNTED(b, REASSEMBLED = 0);
	bypass_program_saw(b, 0);
	dismiss(&w);
}

struct wire {
	struct lab_pair *pair;
	struct unfrag_hold *hold;
};

static void wire_up(void **state)
{
	struct wire *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	*state = w;
	life_begin();
	test_ok(lab_pair_new(&w->pair));
}

static void wire_down(void *state)
{
	struct wire *w = state;

	if (!w)
		return;
	if (w->hold)
		unfrag_defrag_release(w->hold);
	lab_pair_free(w->pair);
	free(w);
	life_clean();
}

/* By links or by a rule, as the kernel at hand has it. */
static void a_hold_reassembles_while_it_lasts(void *state)
{
	struct wire *wire = state;
	struct unfrag_hold_opts opts = {
		.sz = sizeof(opts),
		.netns = lab_ns_path(wire->pair->server),
		.holder = "witnessed",
	};
	lab_auto_datagram struct lab_datagram dg = { 0 };
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_sender struct lab_sender *sender = NULL;
	static unsigned char data[3000], got[3001];
	lab_autoclose int server = -1;
	struct witness_obj w;

	server = test_ok(lab_udp_server(wire->pair->server, AF_INET6, NULL, LIFE_PORT));
	test_ok(lab_datagram_init(&dg, AF_INET6, LAB_CLIENT_V6, LAB_SERVER_V6));
	test_ok(lab_datagram_set_udp(&dg, 1000, LIFE_PORT, data, sizeof(data)));
	test_ok(lab_fragment(&dg, 1200, &packets));
	test_ok(lab_link_sender(&sender, wire->pair->client, LAB_CLIENT_IF));
	test_ok(unfrag_defrag_hold(&wire->hold, &opts));
	w = call_witness();
	test_ok(lab_send_all(sender, &packets));
	assert_int_equal(lab_recv_deadline(server, got, sizeof(got), LIFE_DEADLINE_MS),
			 sizeof(data));
	SEEN(&w, [WITNESS_WHOLE] = 1, [WITNESS_QUEUED] = 2);
	test_ok(unfrag_defrag_release(wire->hold));
	wire->hold = NULL;
	test_ok(lab_send_all(sender, &packets));
	assert_int_equal(lab_recv_deadline(server, got, sizeof(got), LIFE_DEADLINE_MS),
			 sizeof(data));
	SEEN(&w, [WITNESS_WHOLE] = 1, [WITNESS_QUEUED] = 2);
	dismiss(&w);
}

static const struct test tests[] = {
	BYPASS_TEST(what_is_counted_as_reassembled_was),
	BYPASS_TEST(what_is_counted_as_malformed_was_passed_on),
	BYPASS_TEST(what_never_became_whole_is_counted_nowhere),
	TEST_WITH(a_hold_reassembles_while_it_lasts, wire_up, wire_down),
};

TEST_MAIN(tests);
