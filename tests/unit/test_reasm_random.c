// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random fragments against the slow reference, under every policy; and random packets, good and
 * bad, into an engine that is too small for them, of which the books must still be right (see
 * engine.h). With a fixed seed, and with a fresh one that is printed: UNFRAG_TEST_SEED=N repeats
 * it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <engine.h>
#include <reference.h>

#define KEYS 4

/* Packets are lent under the first only. */
#define POLICIES (ENGINE_LENDS ? 1 : UNFRAG_REASM_POLICY_MAX)

static struct reference refs[KEYS];

static uint64_t fresh_seed(void)
{
	const char *given = getenv("UNFRAG_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	printf("# UNFRAG_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

struct shot {
	int key;
	int off, len;
	bool more;
	uint64_t bytes; /* seed of the payload, so that duplicates happen */
};

/* Small numbers, so that fragments often meet. */
static struct shot random_shot(struct lab_random *random, int units)
{
	struct shot shot = { 0 };

	shot.key = (int)lab_random_below(random, KEYS);
	shot.off = 8 * (int)lab_random_below(random, (uint64_t)units);
	shot.len = 8 * (1 + (int)lab_random_below(random, (uint64_t)units / 2));
	if (!shot.off && shot.len == 8 && lab_random_below(random, 2))
		shot.len = 16;
	shot.more = shot.off + shot.len < 8 * units;
	if (!shot.more)
		shot.len = 8 * units - shot.off;
	if (!shot.more && shot.len > 8)
		shot.len -= 3;
	shot.bytes = lab_random_below(random, 2);
	return shot;
}

static void push_shot(struct engine *e, const struct shot *shot, int family, uint8_t *payload)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;

	make_datagram(&dg, family, REFERENCE_MAX - 1, (uint32_t)shot->key);
	lab_pattern(payload + shot->off, (size_t)shot->len,
		    shot->bytes + 100 * (uint64_t)shot->off);
	dg.payload = payload;
	test_ok(lab_fragment_at(&dg, (size_t)shot->off, (size_t)shot->len, shot->more, &packets));
	engine_push_packet(e, &packets, 0);
}

static void check_whole(const struct engine *e, const struct reference *ref)
{
	static uint8_t whole[REFERENCE_MAX + 256];
	long len = unfrag_reasm_copy(e->r, &e->res, whole, sizeof(whole));

	assert_int_equal(len, (long)e->res.header + ref->end);
	assert_memory_equal(whole + e->res.header, ref->data, (size_t)ref->end);
}

static void shoot(struct engine *e, struct lab_random *random, int family, int units,
		  enum unfrag_reasm_policy policy)
{
	static uint8_t payload[REFERENCE_MAX];
	struct shot shot = random_shot(random, units);
	struct reference *ref = &refs[shot.key];
	enum unfrag_reason reason;
	int want;

	push_shot(e, &shot, family, payload);
	want = (int)reference_push(ref, shot.off, payload + shot.off, shot.len, shot.more, &reason);
	assert_int_equal(e->res.outcome, want);
	if (want == UNFRAG_REASM_DROPPED)
		engine_assert_dropped(e, reason);
	if (want != UNFRAG_REASM_COMPLETE)
		return;
	check_whole(e, ref);
	assert_int_equal(e->res.fragments, ref->fragments);
	reference_reset(ref, policy);
}

static void compare(uint64_t seed, int rounds)
{
	struct lab_random random = { seed };
	enum unfrag_reasm_policy policy;
	int round, shots, k, family, units;
	struct engine e;

	for (round = 0; round < rounds; round++) {
		policy = (enum unfrag_reasm_policy)(round % POLICIES);
		family = lab_random_below(&random, 2) ? AF_INET : AF_INET6;
		units = lab_random_below(&random, 20) ? 3 + (int)lab_random_below(&random, 20) :
							100 + (int)lab_random_below(&random, 200);
		engine_policy(&e, policy);
		for (k = 0; k < KEYS; k++)
			reference_reset(&refs[k], policy);
		for (shots = 0; shots < 60; shots++)
			shoot(&e, &random, family, units, policy);
		engine_close(&e);
	}
}

static void as_the_reference_with_a_fixed_seed(void)
{
	compare(20050101, 1000);
}

static void as_the_reference_with_a_fresh_seed(void)
{
	compare(fresh_seed(), 500);
}

/* Packets of few sources and identifications; one byte in some is not as it was made. */
static void random_packet(struct lab_random *random, struct lab_packets *packets)
{
	static const uint8_t protocols[] = { 6, 17, 58, 1, 0, 44, 60, 89 };
	struct lab_datagram dg;
	unsigned char *data;
	size_t len;

	make_datagram(&dg, lab_random_below(random, 2) ? AF_INET : AF_INET6, 65535,
		      (uint32_t)lab_random_below(random, 30));
	dg.src.s6_addr[3] = (uint8_t)lab_random_below(random, 20);
	dg.protocol = protocols[lab_random_below(random, sizeof(protocols))];
	dg.tos = (uint8_t)(lab_random_below(random, 20) ? 2 : lab_random_below(random, 4));
	test_ok(lab_fragment_at(&dg, 8 * lab_random_below(random, 8192),
				lab_random_below(random, lab_random_below(random, 10) ? 60 : 8000) *
					8,
				lab_random_below(random, 4), packets));
	data = lab_packet_at(packets, packets->count - 1, &len);
	if (!lab_random_below(random, 10))
		data[lab_random_below(random, len)] ^=
			(unsigned char)(1u << lab_random_below(random, 8));
}

/* Time mostly goes on, sometimes far, sometimes back. */
static void pass_time(struct engine *e, struct lab_random *random)
{
	switch (lab_random_below(random, 200)) {
	case 0:
		e->now += lab_random_below(random, 100) * SECOND;
		break;
	case 1:
		e->now -= lab_random_below(random, 100) * SECOND;
		break;
	case 2:
		engine_expire(e);
		break;
	default:
		e->now += lab_random_below(random, SECOND / 100);
		break;
	}
}

static void keep_books(uint64_t seed, int rounds)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts), .memory = UNFRAG_REASM_MEMORY_MIN };
	struct lab_random random = { seed };
	lab_auto_packets struct lab_packets packets = { 0 };
	struct engine e;
	int round, i;

	for (round = 0; round < rounds; round++) {
		opts.policy = (uint32_t)lab_random_below(&random, POLICIES);
		opts.source_share = 1 + (uint32_t)lab_random_below(&random, 100);
		opts.tiny = lab_random_below(&random, 2);
		opts.datagrams = lab_random_below(&random, 2) ? 16 : 0;
		engine_open(&e, &opts);
		for (i = 0; i < 3000; i++) {
			packets.count = 0;
			packets.len = 0;
			random_packet(&random, &packets);
			engine_push_packet(&e, &packets, 0);
			pass_time(&e, &random);
		}
		engine_close(&e);
	}
}

static void books_are_right_with_a_fixed_seed(void)
{
	keep_books(20050102, 16);
}

static void books_are_right_with_a_fresh_seed(void)
{
	keep_books(fresh_seed(), 8);
}

/* A batch says what the same packets say one by one. */
static void a_batch_is_as_its_packets(void)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts), .hash_secret = "sixteen bytes ok" };
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_reasm_packet in[200];
	struct unfrag_reasm_result one, many[200];
	struct unfrag_reasm *a, *b;
	struct lab_random random = { 3 };
	size_t i, done, len;
	int round;

	test_ok(unfrag_reasm_new(&a, &opts));
	test_ok(unfrag_reasm_new(&b, &opts));
	for (round = 0; round < 100; round++) {
		packets.count = 0;
		packets.len = 0;
		for (i = 0; i < 200; i++)
			random_packet(&random, &packets);
		for (i = 0; i < 200; i++) {
			in[i].data = lab_packet_at(&packets, i, &len);
			in[i].size = (uint32_t)len;
			in[i].scope = 0;
		}
		for (done = 0; done < 200;)
			done += unfrag_reasm_push_batch(b, in + done, 200 - done, SECOND,
							many + done);
		for (i = 0; i < 200; i++) {
			unfrag_reasm_push(a, &in[i], SECOND, &one);
			assert_int_equal(one.outcome, many[i].outcome);
			assert_int_equal(one.reason, many[i].reason);
			assert_int_equal(one.datagram, many[i].datagram);
			assert_int_equal(one.fragments, many[i].fragments);
			assert_int_equal(one.len, many[i].len);
		}
	}
	unfrag_reasm_free(a);
	unfrag_reasm_free(b);
}

static const struct test tests[] = {
	TEST(as_the_reference_with_a_fixed_seed), TEST(as_the_reference_with_a_fresh_seed),
	TEST(books_are_right_with_a_fixed_seed),  TEST(books_are_right_with_a_fresh_seed),
	TEST(a_batch_is_as_its_packets),
};

TEST_MAIN(tests);
