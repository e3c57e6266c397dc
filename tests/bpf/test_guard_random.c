// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard on random sequences of all kinds of fragments, at all three places and natively: the
 * same verdicts, reasons, counters and memory everywhere.
 */
#include <guarded.h>
#include <stdlib.h>

#define TCP    6
#define UDP    17
#define ICMPV6 58
#define SCTP   132

static void setup(void **state)
{
	test_require_root();
	*state = calloc(1, sizeof(struct guarded));
	assert_non_null(*state);
}

static void teardown(void *state)
{
	if (state)
		guarded_close(state);
	free(state);
}

/* Its payload is a UDP header and zeroes. */
static void make(struct lab_datagram *dg, int family)
{
	static const uint8_t payload[1024] = { 0x12, 0x34, 0, 53, 0xff, 0, 0, 0 };

	test_ok(lab_datagram_init(dg, family, family == AF_INET ? "192.0.2.1" : "2001:db8::1",
				  family == AF_INET ? "198.51.100.1" : "2001:db8:1::1"));
	dg->payload = payload;
	dg->payload_len = sizeof(payload);
}

/* One of four pieces of 80 bytes, the last of 40; or now and then any fragment at all. */
static uint32_t see_random(struct guarded *g, struct lab_datagram *dg, struct lab_random *random)
{
	size_t piece = lab_random_below(random, 4);

	if (lab_random_below(random, 20))
		return guarded_see_at(g, dg, 80 * piece, piece < 3 ? 80 : 40, piece < 3);
	return guarded_see_at(g, dg, 16 * (size_t)(piece % 2) * lab_random_below(random, 20),
			      8 * lab_random_below(random, 15), lab_random_below(random, 3) > 0);
}

/* A few datagrams at a time, of a few sources: fragments right and wrong, and time goes by. */
static void random_fragments_meet_the_same_verdict_everywhere(void *state)
{
	static const uint8_t protocols[] = { UDP, TCP, SCTP, ICMPV6 };
	static const enum unfrag_reason expected[] = {
		UNFRAG_REASON_NONE,  UNFRAG_REASON_OVERLAP, UNFRAG_REASON_DUPLICATE,
		UNFRAG_REASON_END,   UNFRAG_REASON_REFUSED, UNFRAG_REASON_EMPTY,
		UNFRAG_REASON_TINY,  UNFRAG_REASON_CHAIN,   UNFRAG_REASON_ECN,
		UNFRAG_REASON_SHARE, UNFRAG_REASON_MEMORY,
	};
	uint32_t seen[UNFRAG_REASON_MAX] = { 0 }, i;
	struct lab_random random = { 4711 };
	struct guarded *g = state;
	struct guard_config config;
	struct lab_datagram dg;

	usual_limits(&config, 8);
	guarded_open(g, &config, true);
	for (i = 0; i < 20000; i++) {
		int family = lab_random_below(&random, 2) ? AF_INET : AF_INET6;

		make(&dg, family);
		dg.protocol = protocols[lab_random_below(&random, 4)];
		dg.identification = (uint32_t)lab_random_below(&random, family == AF_INET ? 2 : 8);
		dg.src.s6_addr[family == AF_INET ? 3 : 7] = (uint8_t)lab_random_below(&random, 6);
		dg.tos = lab_random_below(&random, 100) ? 0 : 3;
		g->now += lab_random_below(&random, 5000000);
		seen[see_random(g, &dg, &random)]++;
	}
	guarded_agree(g);
	assert_true(guarded_counters(g, AF_INET)->completed > 100);
	assert_true(guarded_counters(g, AF_INET6)->completed > 100);
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_true(seen[expected[i]] > 0);
}

static const struct test tests[] = {
	TEST_WITH(random_fragments_meet_the_same_verdict_everywhere, setup, teardown),
};

TEST_MAIN(tests);
