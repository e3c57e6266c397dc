// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules of reassembly one by one: sizes, keys, time, what is refused and for how long. Cases 3
 * to 5; headers are in test_reasm_headers.c, limits in test_reasm_limits.c.
 */
#include <errno.h>
#include <string.h>

#include <engine.h>

#include <unfrag/packet.h>

/* Pushes one fragment of a datagram. */
static int push_at(struct engine *e, const struct lab_datagram *dg, size_t off, size_t len,
		   bool more)
{
	lab_auto_packets struct lab_packets packets = { 0 };

	test_ok(lab_fragment_at(dg, off, len, more, &packets));
	return engine_push_packet(e, &packets, 0);
}

static void options_out_of_range_are_refused(void)
{
	struct {
		struct unfrag_reasm_opts opts;
		char more;
	} larger = { .opts = { .sz = sizeof(larger) } };
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts) };
	struct unfrag_reasm *r = NULL;

	opts.memory = UNFRAG_REASM_MEMORY_MIN - 1;
	test_err(unfrag_reasm_new(&r, &opts), -EINVAL);
	opts.memory = UNFRAG_REASM_MEMORY_MIN;
	opts.datagrams = 1000000;
	test_err(unfrag_reasm_new(&r, &opts), -EINVAL);
	opts.datagrams = 1;
	test_err(unfrag_reasm_new(&r, &opts), -EINVAL);
	opts.datagrams = 0;
	opts.source_share = 101;
	test_err(unfrag_reasm_new(&r, &opts), -EINVAL);
	opts.source_share = 0;
	opts.policy = UNFRAG_REASM_POLICY_MAX;
	test_err(unfrag_reasm_new(&r, &opts), -EINVAL);
	opts.policy = 0;
	opts.sz = 1;
	test_err(unfrag_reasm_new(&r, &opts), -EINVAL);
	larger.more = 1;
	test_err(unfrag_reasm_new(&r, &larger.opts), -EINVAL);
	assert_null(r);
	larger.more = 0;
	test_ok(unfrag_reasm_new(&r, &larger.opts));
	unfrag_reasm_free(r);
	unfrag_reasm_free(NULL);
}

static void everything_has_a_name(void)
{
	uint32_t i;

	for (i = 0; i < UNFRAG_REASM_OUTCOME_MAX; i++)
		assert_non_null(unfrag_reasm_outcome_name(i));
	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		assert_true(unfrag_reason_name(i) && unfrag_reason_text(i));
	for (i = 0; i < UNFRAG_REASM_POLICY_MAX; i++)
		assert_int_equal(unfrag_reasm_policy_by_name(unfrag_reasm_policy_name(i)), i);
	assert_null(unfrag_reasm_outcome_name(i));
	assert_null(unfrag_reason_name(UNFRAG_REASON_MAX));
	assert_null(unfrag_reasm_policy_name(UNFRAG_REASM_POLICY_MAX));
	test_err(unfrag_reasm_policy_by_name("none"), -EINVAL);
}

static void a_whole_packet_passes(void)
{
	static const int families[] = { AF_INET, AF_INET6 };
	lab_auto_packets struct lab_packets packets = { 0 };
	unsigned char buf[100];
	struct lab_datagram dg;
	struct engine e;
	size_t i;

	engine_open(&e, NULL);
	for (i = 0; i < 2; i++) {
		make_datagram(&dg, families[i], 500, 1);
		test_ok(lab_whole(&dg, &packets));
		assert_int_equal(engine_push_packet(&e, &packets, i), UNFRAG_REASM_NOT_FRAGMENT);
		test_err((int)unfrag_reasm_copy(e.r, &e.res, buf, sizeof(buf)), -EINVAL);
		test_err(unfrag_reasm_pieces(e.r, &e.res, NULL, 0), -EINVAL);
	}
	engine_close(&e);
}

static void a_whole_datagram_can_be_read_until_the_next_call(void)
{
	struct lab_datagram dg;
	unsigned char buf[2000];
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 1);
	push_at(&e, &dg, 0, 800, true);
	push_at(&e, &dg, 800, 200, false);
	engine_assert_whole(&e, &dg);
	engine_assert_whole(&e, &dg);
	unfrag_reasm_expire(e.r, e.now, 1);
	test_err((int)unfrag_reasm_copy(e.r, &e.res, buf, sizeof(buf)), -EINVAL);
	engine_close(&e);
}

static void check_sizes_at_the_edge(int family, size_t most)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, family, most, 1);
	push_at(&e, &dg, 0, 32000, true);
	push_at(&e, &dg, 32000, most - 32000, false);
	engine_assert_whole(&e, &dg);
	push_at(&e, &dg, 0, 32000, true);
	dg.payload_len++;
	push_at(&e, &dg, 32000, most + 1 - 32000, false);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERSIZE);
	push_at(&e, &dg, 65528, 8, false);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERSIZE);
	engine_close(&e);
}

static void the_longest_datagram_is_whole_and_one_byte_more_is_dropped(void)
{
	check_sizes_at_the_edge(AF_INET, 65515);
	check_sizes_at_the_edge(AF_INET6, 65535);
}

static void options_of_the_first_fragment_count_to_the_length(void)
{
	static const unsigned char router_alert[] = { 0x14, 4, 0, 0 };
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 65515, 1);
	push_at(&e, &dg, 32000, 65515 - 32000, false);
	assert_int_equal(e.res.outcome, UNFRAG_REASM_HELD);
	dg.headers = router_alert; /* no copied bit: only the first fragment has it */
	dg.headers_len = sizeof(router_alert);
	push_at(&e, &dg, 0, 32000, true);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERSIZE);
	engine_take_fates(&e);
	assert_int_equal(e.fate.reason, UNFRAG_REASON_OVERSIZE);
	assert_int_equal(e.fate.fragments, 1);
	engine_close(&e);
}

static void a_last_fragment_of_one_byte(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, 1025, 1);
	push_at(&e, &dg, 1024, 1, false);
	push_at(&e, &dg, 0, 1024, true);
	engine_assert_whole(&e, &dg);
	assert_int_equal(e.res.smallest, 40 + 8 + 1);
	assert_int_equal(e.res.largest, 40 + 8 + 1024);
	engine_close(&e);
}

static void padding_is_no_data(void)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	unsigned char padded[46] = { 0 };
	struct lab_datagram dg;
	struct engine e;
	size_t len;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1003, 1);
	push_at(&e, &dg, 0, 1000, true);
	test_ok(lab_fragment_at(&dg, 1000, 3, false, &packets));
	memcpy(padded, lab_packet_at(&packets, 0, &len), 23);
	memset(padded + 23, 0xff, sizeof(padded) - 23);
	assert_int_equal(len, 23);
	engine_push(&e, padded, sizeof(padded));
	engine_assert_whole(&e, &dg);
	engine_close(&e);
}

static void what_is_wrong_by_itself_leaves_no_trace(void)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct lab_datagram dg;
	struct engine e;
	size_t i;

	engine_open(&e, NULL);
	for (i = 0; i < 2; i++) {
		make_datagram(&dg, families[i], 1000, 1);
		push_at(&e, &dg, 0, 800, true);
		push_at(&e, &dg, 800, 0, true);
		engine_assert_dropped(&e, UNFRAG_REASON_EMPTY);
		push_at(&e, &dg, 800, 0, false);
		engine_assert_dropped(&e, UNFRAG_REASON_EMPTY);
		push_at(&e, &dg, 800, 100, true);
		engine_assert_dropped(&e, UNFRAG_REASON_LENGTH);
		push_at(&e, &dg, 65528, 16, true);
		engine_assert_dropped(&e, UNFRAG_REASON_OVERSIZE);
		push_at(&e, &dg, 0, 4, true);
		engine_assert_dropped(&e, UNFRAG_REASON_LENGTH);
		engine_push(&e, "\x45", 1);
		engine_assert_dropped(&e, UNFRAG_REASON_UNREADABLE);
		push_at(&e, &dg, 800, 200, false);
		engine_assert_whole(&e, &dg);
	}
	engine_close(&e);
}

static void a_total_length_below_the_header_is_unreadable(void)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	unsigned char *data;
	struct engine e;
	size_t len;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 1);
	test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
	data = lab_packet_at(&packets, 0, &len);
	data[2] = 0;
	data[3] = 19;
	engine_push(&e, data, len);
	engine_assert_dropped(&e, UNFRAG_REASON_UNREADABLE);
	data[3] = 20;
	data[0] = 0x46;
	engine_push(&e, data, len);
	engine_assert_dropped(&e, UNFRAG_REASON_UNREADABLE);
	engine_close(&e);
}

/* ---- keys */

/* Whether a second half that differs in something is of another datagram than the first. */
static bool apart(struct engine *e, const struct lab_datagram *a, const struct lab_datagram *b)
{
	int outcome;

	push_at(e, a, 0, 800, true);
	outcome = push_at(e, b, 800, 200, false);
	while (unfrag_reasm_flush(e->r, 1))
		engine_take_fates(e);
	return outcome == UNFRAG_REASM_HELD;
}

static void the_key_is_addresses_identification_and_scope(void)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct lab_datagram a, b;
	struct engine e;
	size_t i;

	engine_open(&e, NULL);
	for (i = 0; i < 2; i++) {
		make_datagram(&a, families[i], 1000, 1);
		b = a;
		assert_false(apart(&e, &a, &b));
		b.identification = 2;
		assert_true(apart(&e, &a, &b));
		b = a;
		b.src.s6_addr[2] ^= 1;
		assert_true(apart(&e, &a, &b));
		b = a;
		b.dst.s6_addr[3] ^= 1;
		assert_true(apart(&e, &a, &b));
		push_at(&e, &a, 0, 800, true);
		e.scope = 100;
		assert_int_equal(push_at(&e, &a, 800, 200, false), UNFRAG_REASM_HELD);
		e.scope = 0;
		assert_int_equal(push_at(&e, &a, 800, 200, false), UNFRAG_REASM_COMPLETE);
	}
	engine_close(&e);
}

static void the_protocol_is_of_the_key_in_ipv4_only(void)
{
	struct lab_datagram a, b;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&a, AF_INET, 1000, 1);
	b = a;
	b.protocol = 89;
	assert_true(apart(&e, &a, &b));
	make_datagram(&a, AF_INET6, 1000, 1);
	b = a;
	b.protocol = 89;
	assert_false(apart(&e, &a, &b));
	push_at(&e, &b, 800, 200, false);
	push_at(&e, &a, 0, 800, true);
	engine_assert_whole(&e, &a); /* the first fragment says what it is */
	engine_close(&e);
}

static void the_families_never_meet(void)
{
	struct lab_datagram a, b;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&a, AF_INET, 1000, 0);
	make_datagram(&b, AF_INET6, 1000, 0);
	memset(&a.src, 0, sizeof(a.src));
	memset(&a.dst, 0, sizeof(a.dst));
	memset(&b.src, 0, sizeof(b.src));
	memset(&b.dst, 0, sizeof(b.dst));
	assert_true(apart(&e, &a, &b));
	assert_true(apart(&e, &b, &a));
	engine_close(&e);
}

static void a_key_is_free_again_once_its_datagram_is_whole(void)
{
	struct lab_datagram dg;
	struct engine e;
	int i;

	engine_open(&e, NULL);
	for (i = 0; i < 5; i++) {
		make_datagram(&dg, AF_INET, 1000 + (size_t)i, 1);
		push_at(&e, &dg, 0, 800, true);
		push_at(&e, &dg, 800, 200 + (size_t)i, false);
		engine_assert_whole(&e, &dg);
	}
	engine_close(&e);
}

static void a_key_used_again_too_early_gives_nothing(void)
{
	static unsigned char other[1000];
	struct lab_datagram a, b;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&a, AF_INET, 1000, 1);
	b = a;
	b.payload = other;
	push_at(&e, &a, 0, 800, true);
	push_at(&e, &b, 0, 800, true);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	push_at(&e, &a, 800, 200, false);
	engine_assert_dropped(&e, UNFRAG_REASON_REFUSED);
	push_at(&e, &b, 800, 200, false);
	engine_assert_dropped(&e, UNFRAG_REASON_REFUSED);
	engine_close(&e);
}

/* RFC 4963: the first half of one datagram waits while its source goes once around. */
static void a_stale_first_fragment_gets_no_mate(void)
{
	struct lab_datagram dg;
	struct engine e;
	uint32_t i;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 0);
	push_at(&e, &dg, 0, 800, true);
	for (i = 1; i < 65536; i++) {
		dg.identification = i;
		e.now += 10000;
		push_at(&e, &dg, 0, 800, true);
		push_at(&e, &dg, 800, 200, false);
	}
	dg.identification = 0;
	assert_int_equal(push_at(&e, &dg, 800, 200, false), UNFRAG_REASM_HELD);
	assert_int_equal(e.fate.reason, UNFRAG_REASON_STALE);
	push_at(&e, &dg, 0, 800, true);
	engine_assert_whole(&e, &dg);
	engine_close(&e);
}

/* ---- what is refused */

static void a_duplicate_is_ignored_and_counted_once(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, 1003, 1);
	push_at(&e, &dg, 800, 203, false);
	assert_int_equal(push_at(&e, &dg, 800, 203, false), UNFRAG_REASM_DUPLICATE);
	assert_int_equal(e.res.fragments, 1);
	push_at(&e, &dg, 400, 400, true);
	assert_int_equal(push_at(&e, &dg, 400, 400, true), UNFRAG_REASM_DUPLICATE);
	push_at(&e, &dg, 0, 400, true);
	engine_assert_whole(&e, &dg);
	assert_int_equal(e.res.fragments, 3);
	engine_close(&e);
}

static void the_same_range_with_other_bytes_is_an_overlap(void)
{
	static unsigned char other[1003];
	struct lab_datagram a, b;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&a, AF_INET, 1003, 1);
	memcpy(other, a.payload, sizeof(other));
	other[1002] ^= 1;
	b = a;
	b.payload = other;
	push_at(&e, &a, 800, 203, false);
	push_at(&e, &b, 800, 203, false);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	engine_close(&e);
}

static void data_within_what_is_held_is_an_overlap(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 1);
	push_at(&e, &dg, 0, 800, true);
	push_at(&e, &dg, 80, 80, true);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	make_datagram(&dg, AF_INET, 1000, 2);
	push_at(&e, &dg, 0, 400, true);
	push_at(&e, &dg, 400, 400, true);
	push_at(&e, &dg, 0, 800, true); /* two held ones again, as one */
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	engine_close(&e);
}

static void a_drop_lasts_until_the_timer_ends(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, 1000, 1);
	push_at(&e, &dg, 0, 800, true);
	push_at(&e, &dg, 792, 208, false);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	assert_int_equal(e.fates, 1);
	assert_int_equal(e.fate.reason, UNFRAG_REASON_OVERLAP);
	assert_true(e.fate.first);
	e.now += UNFRAG_REASM_IPV6_TIMEOUT - 1;
	push_at(&e, &dg, 0, 800, true);
	engine_assert_dropped(&e, UNFRAG_REASON_REFUSED);
	e.now += 1;
	assert_int_equal(push_at(&e, &dg, 0, 800, true), UNFRAG_REASM_HELD);
	push_at(&e, &dg, 800, 200, false);
	engine_assert_whole(&e, &dg);
	engine_close(&e);
}

static void two_ends_that_differ_kill_the_datagram(void)
{
	struct lab_datagram dg;
	struct engine e;
	uint32_t id;

	engine_open(&e, NULL);
	for (id = 0; id < 4; id++) {
		make_datagram(&dg, AF_INET, 1000, id);
		push_at(&e, &dg, 800, 200, false);
		if (id == 0)
			push_at(&e, &dg, 1000, 100, false); /* a later end */
		else if (id == 1)
			push_at(&e, &dg, 400, 100, false); /* an earlier one */
		else if (id == 2)
			push_at(&e, &dg, 1000, 80, true); /* beyond it, with more to come */
		else
			push_at(&e, &dg, 800, 208, true); /* across it */
		engine_assert_dropped(&e, UNFRAG_REASON_END);
		push_at(&e, &dg, 0, 800, true);
		engine_assert_dropped(&e, UNFRAG_REASON_REFUSED);
	}
	make_datagram(&dg, AF_INET, 1000, id);
	push_at(&e, &dg, 800, 200 - 200 % 8, true);
	push_at(&e, &dg, 400, 400, false); /* an end before what is held */
	engine_assert_dropped(&e, UNFRAG_REASON_END);
	engine_close(&e);
}

/* ---- time */

static void check_deadline(int family, uint64_t timeout)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, family, 1000, 1);
	push_at(&e, &dg, 0, 400, true);
	assert_true(unfrag_reasm_deadline(e.r) == e.now + timeout);
	e.now += timeout / 2;
	push_at(&e, &dg, 400, 400, true); /* does not renew it */
	e.now += timeout - timeout / 2 - 1;
	assert_int_equal(unfrag_reasm_expire(e.r, e.now, 9), 0);
	push_at(&e, &dg, 800, 200, false); /* one tick before */
	engine_assert_whole(&e, &dg);
	assert_int_equal(e.res.age, timeout - 1);
	push_at(&e, &dg, 0, 400, true);
	push_at(&e, &dg, 400, 400, true);
	e.now += timeout;
	assert_int_equal(push_at(&e, &dg, 800, 200, false), UNFRAG_REASM_HELD); /* too late */
	assert_int_equal(e.fate.reason, UNFRAG_REASON_TIMEOUT);
	assert_int_equal(e.fate.fragments, 2);
	assert_int_equal(e.fate.age, timeout);
	e.now += timeout;
	assert_int_equal(unfrag_reasm_expire(e.r, e.now, 9), 1);
	engine_take_fates(&e);
	assert_int_equal(e.fates, 2);
	engine_close(&e);
}

static void the_timer_runs_from_the_first_fragment(void)
{
	check_deadline(AF_INET, UNFRAG_REASM_IPV4_TIMEOUT);
	check_deadline(AF_INET6, UNFRAG_REASM_IPV6_TIMEOUT);
}

static void a_clock_that_steps_back_a_little_stands_still(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 1);
	push_at(&e, &dg, 0, 400, true);
	e.now -= 20 * SECOND;
	push_at(&e, &dg, 400, 400, true);
	e.now += 20 * SECOND + UNFRAG_REASM_IPV4_TIMEOUT - 1;
	push_at(&e, &dg, 800, 200, false);
	engine_assert_whole(&e, &dg);
	engine_close(&e);
}

static void a_clock_that_steps_back_far_goes_on_from_there(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 1);
	push_at(&e, &dg, 0, 400, true);
	e.now -= 900 * SECOND;
	push_at(&e, &dg, 400, 400, true);
	assert_true(unfrag_reasm_deadline(e.r) == e.now + UNFRAG_REASM_IPV4_TIMEOUT);
	e.now += UNFRAG_REASM_IPV4_TIMEOUT;
	assert_int_equal(unfrag_reasm_expire(e.r, e.now, 9), 1);
	engine_take_fates(&e);
	assert_int_equal(e.fate.reason, UNFRAG_REASON_TIMEOUT);
	engine_close(&e);
}

static const struct test tests[] = {
	TEST(options_out_of_range_are_refused),
	TEST(everything_has_a_name),
	TEST(a_whole_packet_passes),
	TEST(a_whole_datagram_can_be_read_until_the_next_call),
	TEST(the_longest_datagram_is_whole_and_one_byte_more_is_dropped),
	TEST(options_of_the_first_fragment_count_to_the_length),
	TEST(a_last_fragment_of_one_byte),
	TEST(padding_is_no_data),
	TEST(what_is_wrong_by_itself_leaves_no_trace),
	TEST(a_total_length_below_the_header_is_unreadable),
	TEST(the_key_is_addresses_identification_and_scope),
	TEST(the_protocol_is_of_the_key_in_ipv4_only),
	TEST(the_families_never_meet),
	TEST(a_key_is_free_again_once_its_datagram_is_whole),
	TEST(a_key_used_again_too_early_gives_nothing),
	TEST(a_stale_first_fragment_gets_no_mate),
	TEST(a_duplicate_is_ignored_and_counted_once),
	TEST(the_same_range_with_other_bytes_is_an_overlap),
	TEST(data_within_what_is_held_is_an_overlap),
	TEST(a_drop_lasts_until_the_timer_ends),
	TEST(two_ends_that_differ_kill_the_datagram),
	TEST(the_timer_runs_from_the_first_fragment),
	TEST(a_clock_that_steps_back_a_little_stands_still),
	TEST(a_clock_that_steps_back_far_goes_on_from_there),
};

TEST_MAIN(tests);
