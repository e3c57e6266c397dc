// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the guard promises of memory and fairness, by its native build: floods of every kind at
 * simulated rates, time as it is told. The rules for fragments are proved in tests/bpf.
 */
#include <arpa/inet.h>
#include <guarded.h>
#include <peace.h>
#include <stdlib.h>
#include <string.h>

#define UDP    17
#define SERVER 0x01000000u /* never one of random_source() */

/* A guard, and the traffic that it sees: one fragment of a flood after another, and honest ones. */
struct world {
	struct guarded g;
	struct guard_config config;
	struct lab_random random;
	struct lab_datagram dg;
	uint32_t id;
	uint64_t asked, answered;
	int64_t peak[2]; /* most that was ever charged */
};

static void world_open(struct world *w, uint32_t sets)
{
	memset(w, 0, sizeof(*w));
	w->random.state = 42;
	usual_limits(&w->config, sets);
	guarded_open(&w->g, &w->config, false);
}

static void world_reopen(struct world *w)
{
	guarded_close(&w->g);
	guarded_open(&w->g, &w->config, false);
}

static void world_close(struct world *w)
{
	int i;

	for (i = 0; i < 2; i++)
		assert_true(w->peak[i] <= (int64_t)w->config.memory[i]);
	guarded_close(&w->g);
}

/* A source as a number: an IPv4 address, or the prefix of an IPv6 one. */
static void set_source(struct lab_datagram *dg, uint32_t source)
{
	uint32_t be = htonl(source);

	memcpy(dg->src.s6_addr + (dg->family == AF_INET6 ? 4 : 0), &be, sizeof(be));
}

static uint32_t random_source(struct world *w)
{
	return 0x02000000u + (uint32_t)lab_random_below(&w->random, 0x80000000u);
}

static uint32_t see(struct world *w, int family, uint32_t source, uint32_t id, size_t off,
		    size_t len, bool more)
{
	static const uint8_t payload[65535];
	uint32_t reason;
	int at = family == AF_INET6;

	if (w->dg.family != family) {
		test_ok(lab_datagram_init(&w->dg, family, at ? "2001:db8::1" : "192.0.2.1",
					  at ? "2001:db8:1::1" : "198.51.100.1"));
		w->dg.protocol = UDP;
		w->dg.payload = payload;
		w->dg.payload_len = sizeof(payload);
	}
	set_source(&w->dg, source);
	w->dg.identification = id;
	reason = guarded_see_at(&w->g, &w->dg, off, len, more);
	if (guarded_used(&w->g, family) > w->peak[at])
		w->peak[at] = guarded_used(&w->g, family);
	assert_true(guarded_used(&w->g, family) >= 0);
	return reason;
}

/* A datagram of 4,000 bytes in three fragments. Whether all of it passed. */
static bool whole(struct world *w, int family, uint32_t source)
{
	uint32_t id = ++w->id;

	return !see(w, family, source, id, 0, 1400, true) &&
	       !see(w, family, source, id, 1400, 1400, true) &&
	       !see(w, family, source, id, 2800, 1200, false);
}

static void pass_time(struct world *w, uint64_t ns)
{
	w->g.now += ns;
}

/* One fragment of a flood. */
typedef void (*flood_fn)(struct world *w, int family);

static void one_source(struct world *w, int family)
{
	see(w, family, 7, (uint32_t)lab_random_next(&w->random), 0, 1200, true);
}

static void one_source_last(struct world *w, int family)
{
	see(w, family, 7, (uint32_t)lab_random_next(&w->random), 1480, 200, false);
}

static void ten_thousand_sources(struct world *w, int family)
{
	see(w, family, 0x02000000u + (uint32_t)lab_random_below(&w->random, 10000),
	    (uint32_t)lab_random_next(&w->random), 0, 1200, true);
}

static void any_source(struct world *w, int family)
{
	see(w, family, random_source(w), (uint32_t)lab_random_next(&w->random), 0, 80, true);
}

/* Whole datagrams of sixteen fragments: work, but no memory held. */
static void many_small(struct world *w, int family)
{
	uint32_t n = (uint32_t)(w->random.state++ % 16);

	if (!n)
		w->id++;
	see(w, family, 9, 0x80000000u | w->id, n * 64, 64, n < 15);
}

static void tiny_and_overlapping(struct world *w, int family)
{
	uint32_t id = (uint32_t)lab_random_below(&w->random, 1000);

	see(w, family, 9, id, 8 * lab_random_below(&w->random, 8100), 8, true);
	see(w, family, 9, id, 8 * lab_random_below(&w->random, 16), 64, true);
	see(w, family, 9, id, 65528, 800, false);
	see(w, family, 9, id, 0, 400, true);
	see(w, family, 9, id, 0, 400, true);
}

/* Fragments with the server's own address. */
static void forged(struct world *w, int family)
{
	see(w, family, SERVER, (uint32_t)lab_random_next(&w->random), 0, 1200, true);
}

/*
 * So many seconds of some 50 honest datagrams a second, from `source`, among a flood. In percent of
 * those, the ones that came through.
 */
static uint64_t honest_share(struct world *w, int family, uint32_t source, flood_fn flood,
			     uint32_t rate, uint32_t seconds)
{
	uint32_t steps = rate * seconds, i, turn = rate / 50;

	w->asked = w->answered = 0;
	for (i = 0; i < steps; i++) {
		flood(w, family);
		if (!lab_random_below(&w->random, turn)) {
			w->asked++;
			w->answered += whole(w, family, source);
		}
		pass_time(w, USUAL_SECOND / rate);
	}
	return w->asked ? w->answered * 100 / w->asked : 0;
}

#define EACH_FAMILY(family) \
	for (int family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0)

static void a_flood_does_not_stop_a_source_in_standing(void)
{
	static const flood_fn floods[] = { one_source, one_source_last,      ten_thousand_sources,
					   any_source, tiny_and_overlapping, many_small };
	static const uint32_t rates[] = { 50, 5000 };
	struct world w;
	size_t i, k;

	EACH_FAMILY(family)
	for (i = 0; i < sizeof(floods) / sizeof(floods[0]); i++)
		for (k = 0; k < sizeof(rates) / sizeof(rates[0]); k++) {
			world_open(&w, 64);
			assert_true(whole(&w, family, SERVER));
			assert_int_equal(honest_share(&w, family, SERVER, floods[i], rates[k], 4),
					 100);
			world_close(&w);
		}
}

/*
 * Nor does it keep a newcomer from its first datagram for long: as what the flood holds runs out,
 * there is room for others. Then the newcomer is in standing.
 */
static void a_newcomer_earns_standing_amid_a_flood(void)
{
	static const flood_fn floods[] = { one_source, ten_thousand_sources, any_source };
	struct world w;
	size_t i;

	EACH_FAMILY(family)
	for (i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		world_open(&w, 256);
		honest_share(&w, family, 5, floods[i], 10000, 4); /* at its height */
		assert_true(honest_share(&w, family, SERVER, floods[i], 10000, 10) >= 60);
		assert_int_equal(honest_share(&w, family, SERVER, floods[i], 10000, 2), 100);
		world_close(&w);
	}
}

/* Forged fragments cost the victim, and nobody else. */
static void a_victim_suffers_alone(void)
{
	struct world w;

	EACH_FAMILY(family)
	{
		world_open(&w, 64);
		assert_true(whole(&w, family, 5));
		assert_true(whole(&w, family, SERVER));
		assert_int_equal(honest_share(&w, family, 5, forged, 5000, 4), 100);
		world_close(&w);
	}
}

static void one_source_can_not_hold_more_than_its_share(void)
{
	const struct guard_source *s;
	struct world w;
	uint32_t i;

	EACH_FAMILY(family)
	{
		world_open(&w, 64);
		for (i = 0; i < 10000; i++)
			one_source(&w, family);
		s = guarded_source(&w.g, family, &w.dg);
		assert_non_null(s);
		/* Of a stranger's half so much that the rest is as twice its share. */
		assert_true(s->used <= (int64_t)w.config.memory[0] / 6 + 4096);
		assert_true(s->used >= (int64_t)w.config.memory[0] / 6 - 4096);
		/* Some came twice. */
		assert_int_equal(s->refused + guarded_counters(&w.g, family)
						      ->reasons[UNFRAG_REASON_DUPLICATE],
				 10000 - s->open);
		assert_true(whole(&w, family, 5));
		world_close(&w);
	}
}

/* Memory that a source may hold in any case, as long as there is any. */
static void a_floor_is_left_to_each(void)
{
	struct world w;
	uint32_t i, n = 0;

	world_open(&w, 64);
	w.config.share = 1;
	w.config.floor = 50000;
	world_reopen(&w);
	for (i = 0; i < 1000; i++)
		n += !see(&w, AF_INET, 7, i, 0, 1200, true);
	assert_int_equal(n, 50000 / (2304 + 256));
	world_close(&w);
}

static void all_memory_comes_back(void)
{
	struct world w;
	uint32_t i;

	EACH_FAMILY(family)
	{
		world_open(&w, 64);
		for (i = 0; i < 20000; i++)
			any_source(&w, family);
		assert_true(guarded_used(&w.g, family) > (int64_t)w.config.memory[0] / 4);
		pass_time(&w, 4 * USUAL_SECOND);
		/* Each millisecond some end; until there is room again, newcomers may find none. */
		for (i = 0; i < 100; i++) {
			whole(&w, family, SERVER);
			pass_time(&w, 1000000);
		}
		assert_true(guarded_used(&w.g, family) <= 10 * (2304 + 256)); /* SERVER's own */
		for (i = 0; i < 64; i++)
			assert_true(whole(&w, family, SERVER));
		pass_time(&w, 4 * USUAL_SECOND);
		for (i = 0; i < 64; i++) {
			assert_true(whole(&w, family, SERVER));
			pass_time(&w, 1000000);
		}
		assert_int_equal(guarded_used(&w.g, family), 0);
		assert_int_equal(guarded_counters(&w.g, family)->opened,
				 guarded_counters(&w.g, family)->completed +
					 guarded_counters(&w.g, family)->timed_out);
		world_close(&w);
	}
}

/* Nor is it counted out a moment too early: the kernel holds it until its timer ends. */
static void memory_is_charged_until_the_time_is_over(void)
{
	struct world w;

	world_open(&w, 1);
	assert_int_equal(see(&w, AF_INET, 7, 1, 0, 1200, true), UNFRAG_REASON_NONE);
	pass_time(&w, w.config.timeout[0]);
	assert_true(whole(&w, AF_INET, SERVER));
	assert_true(guarded_used(&w.g, AF_INET) > 0);
	pass_time(&w, 2u << GUARD_TICK_SHIFT);
	assert_true(whole(&w, AF_INET, SERVER));
	assert_int_equal(guarded_used(&w.g, AF_INET), 0);
	world_close(&w);
}

/* Memory is not short: strangers leave places to sources in standing, and nobody is ousted. */
static void a_full_table_of_datagrams_takes_no_more(void)
{
	uint32_t i, refused = 0;
	int64_t used;
	struct world w;

	world_open(&w, 1);
	w.config.memory[0] <<= 10;
	world_reopen(&w);
	for (i = 0; i < GUARD_WAYS; i++)
		assert_true(whole(&w, AF_INET, SERVER));
	for (i = 0; i < GUARD_STRANGER_WAYS; i++)
		assert_int_equal(see(&w, AF_INET, 7 + i, 1, 0, 1200, true), UNFRAG_REASON_NONE);
	used = guarded_used(&w.g, AF_INET);
	for (; i < 2 * GUARD_WAYS; i++, refused++)
		assert_int_equal(see(&w, AF_INET, 7 + i, 1, 0, 1200, true), UNFRAG_REASON_TABLE);
	assert_int_equal(guarded_used(&w.g, AF_INET), used);
	for (i = GUARD_STRANGER_WAYS; i < GUARD_WAYS; i++)
		assert_int_equal(see(&w, AF_INET, SERVER, i, 0, 1200, true), UNFRAG_REASON_NONE);
	assert_int_equal(see(&w, AF_INET, SERVER, i, 0, 1200, true), UNFRAG_REASON_TABLE);
	assert_int_equal(guarded_counters(&w.g, AF_INET)->reasons[UNFRAG_REASON_TABLE],
			 refused + 1);
	/* What is in progress goes on, and leaves its place to another. */
	assert_int_equal(see(&w, AF_INET, 7, 1, 1200, 100, false), UNFRAG_REASON_NONE);
	assert_int_equal(see(&w, AF_INET, SERVER, i, 0, 1200, true), UNFRAG_REASON_NONE);
	pass_time(&w, 4 * USUAL_SECOND);
	assert_true(whole(&w, AF_INET, 6));
	world_close(&w);
}

/* A million sources that have shown nothing. */
static void newcomers_push_nobody_out(void)
{
	struct lab_datagram before;
	struct world w;
	uint32_t i;

	world_open(&w, 64);
	assert_true(whole(&w, AF_INET, SERVER));
	see(&w, AF_INET, SERVER, 0xffff, 0, 1400, true); /* in progress */
	before = w.dg;
	for (i = 0; i < 200000; i++)
		any_source(&w, AF_INET);
	assert_non_null(guarded_source(&w.g, AF_INET, &before));
	assert_int_equal(guarded_source(&w.g, AF_INET, &before)->standing, 1);
	assert_int_equal(see(&w, AF_INET, SERVER, 0xffff, 1400, 200, false), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_source(&w.g, AF_INET, &before)->standing, 2);
	world_close(&w);
}

/* Sources that all have standing fill the table: the rest share one account for each set. */
static void a_full_table_of_sources_leaves_an_account_in_common(void)
{
	struct world w;
	uint32_t i, n = 0;

	world_open(&w, 1);
	for (i = 0; i < 1000; i++)
		assert_true(whole(&w, AF_INET, 1000 + i));
	for (i = 0; i < 1000; i++)
		n += see(&w, AF_INET, 5000 + i, i, 0, 1200, true) == UNFRAG_REASON_NONE;
	assert_true(n > 0 && n < 30);
	/* Until what they have earned is too long ago. */
	pass_time(&w, w.config.forget + USUAL_SECOND);
	assert_true(whole(&w, AF_INET, 9999));
	assert_non_null(guarded_source(&w.g, AF_INET, &w.dg));
	world_close(&w);
}

/* One whole datagram shelters one that stays in pieces, and that takes it away again. */
static void standing_is_lost_by_datagrams_that_stay_in_pieces(void)
{
	const struct guard_source *s;
	struct world w;
	uint32_t i;

	world_open(&w, 64);
	for (i = 0; i < 10; i++)
		assert_true(whole(&w, AF_INET, SERVER));
	s = guarded_source(&w.g, AF_INET, &w.dg);
	assert_int_equal(s->standing, 10);
	for (i = 0; i < 6; i++)
		see(&w, AF_INET, SERVER, 1000 + i, 0, 1200, true);
	pass_time(&w, 4 * USUAL_SECOND);
	for (i = 0; i < 64; i++) {
		whole(&w, AF_INET, 5);
		pass_time(&w, 1000000);
	}
	assert_int_equal(s->standing, 4);
	world_close(&w);
}

static void a_prefix_is_one_source(void)
{
	struct world w;
	uint32_t i;

	world_open(&w, 64);
	for (i = 0; i < 100; i++) {
		see(&w, AF_INET6, 7, i, 0, 1200, true);
		w.dg.src.s6_addr[15]++;
	}
	assert_int_equal(guarded_source(&w.g, AF_INET6, &w.dg)->open, 100);
	world_close(&w);

	world_open(&w, 64);
	w.config.prefix[0][0] = htonl(0xffffff00);
	world_reopen(&w);
	for (i = 0; i < 100; i++)
		see(&w, AF_INET, 0x0a000000u + i, i, 0, 1200, true);
	set_source(&w.dg, 0x0a000000u);
	assert_int_equal(guarded_source(&w.g, AF_INET, &w.dg)->open, 100);
	world_close(&w);
}

/* Without an attack nothing is refused but what came twice. "./dev bench flood" has a million. */
static void peace_is_not_disturbed(void)
{
	struct peace peace;
	uint32_t i;

	test_ok(peace_run(&peace, 150000, 1));
	assert_int_equal(peace.disturbed, 0);
	assert_true(peace.datagrams >= 150000);
	assert_true(peace.fragments > 5 * peace.datagrams);
	assert_true(peace.twice > peace.datagrams);
	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		if (i != UNFRAG_REASON_DUPLICATE)
			assert_int_equal(peace.reasons[i], 0);
}

static const struct test tests[] = {
	TEST(a_flood_does_not_stop_a_source_in_standing),
	TEST(a_newcomer_earns_standing_amid_a_flood),
	TEST(a_victim_suffers_alone),
	TEST(one_source_can_not_hold_more_than_its_share),
	TEST(a_floor_is_left_to_each),
	TEST(all_memory_comes_back),
	TEST(memory_is_charged_until_the_time_is_over),
	TEST(a_full_table_of_datagrams_takes_no_more),
	TEST(newcomers_push_nobody_out),
	TEST(a_full_table_of_sources_leaves_an_account_in_common),
	TEST(standing_is_lost_by_datagrams_that_stay_in_pieces),
	TEST(a_prefix_is_one_source),
	TEST(peace_is_not_disturbed),
};

TEST_MAIN(tests);
