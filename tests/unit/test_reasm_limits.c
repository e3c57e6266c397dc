// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Case 6: each limit reached, passed and left again; and honest datagrams among lone fragments.
 */
#include <stdlib.h>

#include <engine.h>

static struct unfrag_reasm_opts small(void)
{
	return (struct unfrag_reasm_opts){ .sz = sizeof(struct unfrag_reasm_opts),
					   .memory = UNFRAG_REASM_MEMORY_MIN,
					   .source_share = 100 };
}

static struct unfrag_reasm_stats stats_of(const struct engine *e)
{
	struct unfrag_reasm_stats stats;

	unfrag_reasm_stats(e->r, &stats);
	return stats;
}

/* Sources 1 to 2^24; 0 is what make_datagram() says. */
static void set_source(struct lab_datagram *dg, uint32_t source)
{
	if (!source)
		return;
	dg->src.s6_addr[0] = 10;
	dg->src.s6_addr[1] = (uint8_t)(source >> 16);
	dg->src.s6_addr[2] = (uint8_t)(source >> 8);
	dg->src.s6_addr[3] = (uint8_t)source;
}

static int orphan(struct engine *e, uint32_t source, uint32_t id, size_t len)
{
	struct lab_datagram dg;

	make_datagram(&dg, AF_INET, 65000, id);
	set_source(&dg, source);
	return engine_push_at(e, &dg, 0, len, true);
}

/* Whole datagrams of two fragments. */
static int honest(struct engine *e, uint32_t source, uint32_t id)
{
	struct lab_datagram dg;

	make_datagram(&dg, AF_INET, 1900, id);
	set_source(&dg, source);
	engine_push_at(e, &dg, 0, 1480, true);
	return engine_push_at(e, &dg, 1480, 420, false) == UNFRAG_REASM_COMPLETE;
}

static void datagrams_are_limited_and_the_oldest_makes_room(void)
{
	struct unfrag_reasm_opts opts = small();
	struct engine e;
	uint32_t i;

	opts.datagrams = 64;
	opts.memory *= 2;
	engine_open(&e, &opts);
	for (i = 1; i <= 500; i++) {
		assert_int_equal(orphan(&e, i, i, 80), UNFRAG_REASM_HELD);
		assert_true(stats_of(&e).open <= 64);
	}
	assert_int_equal(stats_of(&e).reasons[UNFRAG_REASON_EVICTED], e.fates);
	assert_true(e.fates >= 500 - 64 && e.fates <= 500 - 32);
	e.now += UNFRAG_REASM_IPV4_TIMEOUT;
	engine_expire(&e);
	assert_int_equal(e.fates, 500);
	assert_int_equal(stats_of(&e).open, 0);
	assert_int_equal(stats_of(&e).used, 0);
	engine_close(&e);
}

/* The whole of the least memory, again and again. */
static void the_longest_datagram_finds_room_in_the_least_memory(void)
{
	struct unfrag_reasm_opts opts = small();
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	struct engine e;
	uint32_t i;

	engine_open(&e, &opts);
	for (i = 1; i <= 20; i++) {
		orphan(&e, i, i, 30000);
		make_datagram(&dg, AF_INET6, 65535, i);
		packets.count = 0;
		packets.len = 0;
		test_ok(lab_fragment(&dg, 1232, &packets));
		assert_int_equal(engine_push_all(&e, &packets), 1);
		engine_assert_whole(&e, &dg);
	}
	engine_close(&e);
}

static void a_source_has_its_share_and_makes_room_for_itself(void)
{
	struct unfrag_reasm_opts opts = small();
	struct unfrag_reasm_stats stats;
	struct engine e;
	uint32_t i;

	opts.source_share = 20;
	opts.memory *= 8;
	engine_open(&e, &opts);
	orphan(&e, 1, 1, 800); /* the oldest of all, by another source */
	for (i = 0; i < 5000; i++)
		assert_int_equal(orphan(&e, 7, i, 800), UNFRAG_REASM_HELD);
	stats = stats_of(&e);
	assert_int_equal(stats.reasons[UNFRAG_REASON_EVICTED], 0);
	assert_int_equal(stats.reasons[UNFRAG_REASON_SHARE], 5001 - stats.open);
	assert_true(stats.open <= stats.datagrams / 5 + 1);
	for (i = 0; i < 300; i++)
		assert_int_equal(orphan(&e, 8, i, 20000), UNFRAG_REASM_HELD);
	stats = stats_of(&e);
	assert_int_equal(stats.reasons[UNFRAG_REASON_EVICTED], 0);
	assert_true(honest(&e, 9, 1));
	engine_close(&e);
}

/* An IPv6 source is a /64: to take other addresses in it gives no other share. */
static void an_ipv6_source_is_its_prefix(void)
{
	struct unfrag_reasm_opts opts = small();
	struct lab_datagram dg;
	struct engine e;
	uint32_t i;

	opts.source_share = 20;
	opts.datagrams = 100;
	engine_open(&e, &opts);
	for (i = 0; i < 100; i++) {
		make_datagram(&dg, AF_INET6, 1000, i);
		dg.src.s6_addr[9] = (uint8_t)i;
		engine_push_at(&e, &dg, 0, 800, true);
	}
	assert_int_equal(stats_of(&e).open, 20);
	assert_int_equal(stats_of(&e).sources, 1);
	engine_close(&e);
}

static void good_standing_is_shelter_from_fragments_of_others(void)
{
	struct unfrag_reasm_opts opts = small();
	struct lab_datagram dg;
	struct engine e;
	uint32_t i;

	engine_open(&e, &opts);
	assert_true(honest(&e, 0, 1)); /* earns a place */
	make_datagram(&dg, AF_INET, 1000, 2);
	engine_push_at(&e, &dg, 0, 800, true);
	for (i = 1; i <= 20000; i++)
		orphan(&e, i, i, i % 100 ? 80 : 9000);
	engine_push_at(&e, &dg, 800, 200, false);
	engine_assert_whole(&e, &dg);
	engine_close(&e);
}

/* Datagrams of one source that are still held after 500 lone fragments of others. */
static uint32_t outlast_a_flood(struct engine *e, uint32_t from, uint32_t to)
{
	uint64_t first = stats_of(e).opened;
	uint32_t i, held = 0;

	for (i = from; i < to; i++)
		orphan(e, 0, i, 80);
	for (i = 1; i <= 500; i++)
		orphan(e, i, i, 80);
	for (i = 0; i < e->slots; i++)
		held += e->held[i] && e->number[i] <= first + to - from;
	return held;
}

/*
 * Each place costs a whole datagram, again each time. One in 32 stays by luck, which must not
 * decide this: so there are many engines, with secrets of their own, the same in each run.
 */
static void shelter_is_lost_by_datagrams_that_stay_in_pieces(void)
{
	struct unfrag_reasm_opts opts = small();
	uint32_t secret[4] = { 0 }, i, with = 0, without = 0;
	struct engine e;

	opts.datagrams = 64;
	opts.hash_secret = secret;
	for (secret[0] = 1; secret[0] <= 32; secret[0]++) {
		engine_open(&e, &opts);
		for (i = 0; i < 10; i++)
			honest(&e, 0, i);
		with += outlast_a_flood(&e, 100, 110);
		e.now += UNFRAG_REASM_IPV4_TIMEOUT;
		engine_expire(&e);
		without += outlast_a_flood(&e, 200, 210);
		engine_close(&e);
	}
	assert_int_equal(with, 320);
	assert_true(without <= 320 / 8);
}

/* Ten sources in turn; the second half comes after so many lone fragments of others. */
static int share_of_honest(struct engine *e, uint32_t orphans_between, bool spoofed)
{
	struct lab_datagram dg;
	uint32_t i, k, next = 0;
	int whole = 0;

	for (i = 0; i < 1000; i++) {
		make_datagram(&dg, AF_INET, 1900, i);
		set_source(&dg, 1 + i % 10);
		engine_push_at(e, &dg, 0, 1480, true);
		for (k = 0; k < orphans_between; k++, next++)
			orphan(e, spoofed ? 1000 + next : 999, next, 80);
		whole += engine_push_at(e, &dg, 1480, 420, false) == UNFRAG_REASM_COMPLETE;
		e->now += 100000;
	}
	return whole;
}

/* 10,000 datagrams a second among up to 200,000 orphans a second. */
static void honest_datagrams_come_through_at_every_rate(void)
{
	static const uint32_t between[] = { 0, 1, 4, 16, 20 };
	struct unfrag_reasm_opts opts = small();
	struct engine e;
	size_t i;
	int spoofed;

	opts.source_share = 0;
	for (spoofed = 0; spoofed < 2; spoofed++)
		for (i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
			engine_open(&e, &opts);
			assert_int_equal(share_of_honest(&e, between[i], spoofed), 1000);
			engine_close(&e);
		}
}

/*
 * Both fragments of datagrams of one source with so many lone fragments of others in between that
 * nothing waits so long. Returns how many became whole.
 */
static int too_slow(struct engine *e, uint32_t from, uint32_t n, bool rest)
{
	struct lab_datagram dg;
	uint32_t i, k, whole = 0;

	for (i = from; i < from + n; i++) {
		make_datagram(&dg, AF_INET, 1900, i);
		engine_push_at(e, &dg, 0, 1480, true);
		for (k = 1; k <= 300; k++)
			orphan(e, i * 1000 + k, k, 80);
		if (rest)
			whole += engine_push_at(e, &dg, 1480, 420, false) == UNFRAG_REASM_COMPLETE;
	}
	return (int)whole;
}

/* Pieces that come too late for one another show an honest source; halves do not. */
static void datagrams_that_made_room_earn_shelter_when_the_rest_comes(void)
{
	struct unfrag_reasm_opts opts = small();
	uint32_t secret[4] = { 0 };
	int with = 0, without = 0;
	struct engine e;

	opts.datagrams = 64;
	opts.hash_secret = secret;
	for (secret[0] = 1; secret[0] <= 16; secret[0]++) {
		engine_open(&e, &opts);
		too_slow(&e, 0, 4, true);
		with += too_slow(&e, 10, 10, true);
		engine_close(&e);
		engine_open(&e, &opts);
		too_slow(&e, 0, 4, false);
		without += too_slow(&e, 10, 1, true);
		engine_close(&e);
	}
	assert_int_equal(with, 160);
	assert_true(without <= 2);
}

/* One call handles a few timers; the rest are due in the next, and found late by their keys. */
static void timers_of_one_call_are_bounded(void)
{
	struct engine e;
	uint32_t i;

	engine_open(&e, NULL);
	for (i = 1; i <= 200; i++)
		orphan(&e, i, i, 80);
	e.now += UNFRAG_REASM_IPV4_TIMEOUT;
	orphan(&e, 200, 200, 80);
	assert_true(e.fates > 1 && e.fates < 20);
	assert_int_equal(e.res.fragments, 1);
	engine_close(&e);
}

#if !ENGINE_LENDS /* of lent packets: test_reasm_borrow.c */
static void memory_is_limited_and_the_oldest_makes_room(void)
{
	struct unfrag_reasm_opts opts = small();
	struct engine e;
	uint32_t i;

	engine_open(&e, &opts);
	for (i = 1; i <= 100; i++)
		assert_int_equal(orphan(&e, i, i, 60000), UNFRAG_REASM_HELD);
	assert_true(stats_of(&e).open < 10);
	assert_true(honest(&e, 0, 1));
	engine_close(&e);
}

/* Without room for another datagram a fragment is dropped, until fates are taken. */
static void fates_that_are_not_taken_stop_new_datagrams_only(void)
{
	struct unfrag_reasm_opts opts = small();
	struct unfrag_reasm_packet packet;
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	struct engine e;
	uint32_t i, dropped = 0;
	size_t len;

	opts.datagrams = 16;
	engine_open(&e, &opts);
	for (i = 0; i < 40; i++) {
		make_datagram(&dg, AF_INET, 1000, i);
		test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
		packet.data = lab_packet_at(&packets, i, &len);
		packet.size = (uint32_t)len;
		packet.scope = 0;
		unfrag_reasm_push(e.r, &packet, e.now, &e.res);
		dropped += e.res.outcome == UNFRAG_REASM_DROPPED;
		if (e.res.outcome == UNFRAG_REASM_DROPPED)
			engine_assert_dropped(&e, UNFRAG_REASON_MEMORY);
	}
	assert_true(dropped >= 40 - 2 * 16);
	while (unfrag_reasm_next_fate(e.r, &e.fate))
		;
	while (unfrag_reasm_flush(e.r, 1))
		;
	while (unfrag_reasm_next_fate(e.r, &e.fate))
		;
	assert_true(honest(&e, 0, 1));
	unfrag_reasm_free(e.r);
	free(e.held);
	free(e.number);
}

static void a_batch_ends_early_when_whole_datagrams_fill_memory(void)
{
	struct unfrag_reasm_opts opts = small();
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_reasm_packet in[64];
	struct unfrag_reasm_result res[64];
	struct lab_datagram dg;
	size_t i, len, done, calls = 0, whole = 0;
	struct engine e;

	engine_open(&e, &opts);
	for (i = 0; i < 32; i++) {
		make_datagram(&dg, AF_INET6, 60000, (uint32_t)i);
		test_ok(lab_fragment_at(&dg, 0, 32000, true, &packets));
		test_ok(lab_fragment_at(&dg, 32000, 28000, false, &packets));
	}
	for (i = 0; i < 64; i++) {
		in[i].data = lab_packet_at(&packets, i, &len);
		in[i].size = (uint32_t)len;
		in[i].scope = 0;
	}
	for (done = 0; done < 64; calls++)
		done += unfrag_reasm_push_batch(e.r, in + done, 64 - done, e.now, res + done);
	for (i = 0; i < 64; i++)
		whole += res[i].outcome == UNFRAG_REASM_COMPLETE;
	assert_int_equal(whole, 32);
	assert_true(calls > 1 && calls < 20);
	unfrag_reasm_expire(e.r, e.now, 0);
	engine_close(&(struct engine){
		.r = e.r, .held = e.held, .number = e.number, .known = 64, .fragments = 64 });
}
#endif

static const struct test tests[] = {
	TEST(datagrams_are_limited_and_the_oldest_makes_room),
	TEST(the_longest_datagram_finds_room_in_the_least_memory),
	TEST(a_source_has_its_share_and_makes_room_for_itself),
	TEST(an_ipv6_source_is_its_prefix),
	TEST(good_standing_is_shelter_from_fragments_of_others),
	TEST(shelter_is_lost_by_datagrams_that_stay_in_pieces),
	TEST(honest_datagrams_come_through_at_every_rate),
	TEST(datagrams_that_made_room_earn_shelter_when_the_rest_comes),
	TEST(timers_of_one_call_are_bounded),
#if !ENGINE_LENDS
	TEST(memory_is_limited_and_the_oldest_makes_room),
	TEST(fates_that_are_not_taken_stop_new_datagrams_only),
	TEST(a_batch_ends_early_when_whole_datagrams_fill_memory),
#endif
};

TEST_MAIN(tests);
