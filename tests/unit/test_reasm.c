// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules of reassembly one by one: sizes (case 3), duplicates, overlaps, and how long a datagram
 * that was given up stays so.
 */
#include <errno.h>
#include <string.h>

#include <engine.h>

#include <unfrag/packet.h>

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
	engine_push_at(&e, &dg, 0, 800, true);
	engine_push_at(&e, &dg, 800, 200, false);
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
	engine_push_at(&e, &dg, 0, 32000, true);
	engine_push_at(&e, &dg, 32000, most - 32000, false);
	engine_assert_whole(&e, &dg);
	engine_push_at(&e, &dg, 0, 32000, true);
	dg.payload_len++;
	engine_push_at(&e, &dg, 32000, most + 1 - 32000, false);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERSIZE);
	engine_push_at(&e, &dg, 65528, 8, false);
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
	engine_push_at(&e, &dg, 32000, 65515 - 32000, false);
	assert_int_equal(e.res.outcome, UNFRAG_REASM_HELD);
	dg.headers = router_alert; /* no copied bit: only the first fragment has it */
	dg.headers_len = sizeof(router_alert);
	engine_push_at(&e, &dg, 0, 32000, true);
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
	engine_push_at(&e, &dg, 1024, 1, false);
	engine_push_at(&e, &dg, 0, 1024, true);
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
	engine_push_at(&e, &dg, 0, 1000, true);
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
		engine_push_at(&e, &dg, 0, 800, true);
		engine_push_at(&e, &dg, 800, 0, true);
		engine_assert_dropped(&e, UNFRAG_REASON_EMPTY);
		engine_push_at(&e, &dg, 800, 0, false);
		engine_assert_dropped(&e, UNFRAG_REASON_EMPTY);
		engine_push_at(&e, &dg, 800, 100, true);
		engine_assert_dropped(&e, UNFRAG_REASON_LENGTH);
		engine_push_at(&e, &dg, 65528, 16, true);
		engine_assert_dropped(&e, UNFRAG_REASON_OVERSIZE);
		engine_push_at(&e, &dg, 0, 4, true);
		engine_assert_dropped(&e, UNFRAG_REASON_LENGTH);
		engine_push(&e, "\x45", 1);
		engine_assert_dropped(&e, UNFRAG_REASON_UNREADABLE);
		engine_push_at(&e, &dg, 800, 200, false);
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

static void a_duplicate_is_ignored_and_counted_once(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, 1003, 1);
	engine_push_at(&e, &dg, 800, 203, false);
	assert_int_equal(engine_push_at(&e, &dg, 800, 203, false), UNFRAG_REASM_DUPLICATE);
	assert_int_equal(e.res.fragments, 1);
	engine_push_at(&e, &dg, 400, 400, true);
	assert_int_equal(engine_push_at(&e, &dg, 400, 400, true), UNFRAG_REASM_DUPLICATE);
	engine_push_at(&e, &dg, 0, 400, true);
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
	engine_push_at(&e, &a, 800, 203, false);
	engine_push_at(&e, &b, 800, 203, false);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	engine_close(&e);
}

static void data_within_what_is_held_is_an_overlap(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 1);
	engine_push_at(&e, &dg, 0, 800, true);
	engine_push_at(&e, &dg, 80, 80, true);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	make_datagram(&dg, AF_INET, 1000, 2);
	engine_push_at(&e, &dg, 0, 400, true);
	engine_push_at(&e, &dg, 400, 400, true);
	engine_push_at(&e, &dg, 0, 800, true); /* two held ones again, as one */
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	engine_close(&e);
}

static void a_drop_lasts_until_the_timer_ends(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, 1000, 1);
	engine_push_at(&e, &dg, 0, 800, true);
	engine_push_at(&e, &dg, 792, 208, false);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	assert_int_equal(e.fates, 1);
	assert_int_equal(e.fate.reason, UNFRAG_REASON_OVERLAP);
	assert_true(e.fate.first);
	e.now += UNFRAG_REASM_IPV6_TIMEOUT - 1;
	engine_push_at(&e, &dg, 0, 800, true);
	engine_assert_dropped(&e, UNFRAG_REASON_REFUSED);
	e.now += 1;
	assert_int_equal(engine_push_at(&e, &dg, 0, 800, true), UNFRAG_REASM_HELD);
	engine_push_at(&e, &dg, 800, 200, false);
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
		engine_push_at(&e, &dg, 800, 200, false);
		if (id == 0)
			engine_push_at(&e, &dg, 1000, 100, false); /* a later end */
		else if (id == 1)
			engine_push_at(&e, &dg, 400, 100, false); /* an earlier one */
		else if (id == 2)
			engine_push_at(&e, &dg, 1000, 80, true); /* beyond it, with more to come */
		else
			engine_push_at(&e, &dg, 800, 208, true); /* across it */
		engine_assert_dropped(&e, UNFRAG_REASON_END);
		engine_push_at(&e, &dg, 0, 800, true);
		engine_assert_dropped(&e, UNFRAG_REASON_REFUSED);
	}
	make_datagram(&dg, AF_INET, 1000, id);
	engine_push_at(&e, &dg, 800, 200 - 200 % 8, true);
	engine_push_at(&e, &dg, 400, 400, false); /* an end before what is held */
	engine_assert_dropped(&e, UNFRAG_REASON_END);
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
	TEST(a_duplicate_is_ignored_and_counted_once),
	TEST(the_same_range_with_other_bytes_is_an_overlap),
	TEST(data_within_what_is_held_is_an_overlap),
	TEST(a_drop_lasts_until_the_timer_ends),
	TEST(two_ends_that_differ_kill_the_datagram),
};

TEST_MAIN(tests);
