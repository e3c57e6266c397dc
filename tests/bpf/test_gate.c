// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate's BPF program against the native build of the same text: random rules of all kinds,
 * random packets of both families, the same verdicts and counters. With a fixed seed, and with a
 * fresh one that is printed: UNFRAG_TEST_SEED=N repeats it, UNFRAG_ROUNDS=N tries so many rulesets.
 * And whatever a ruleset uses, a verifier lets it by.
 */
#include <gated.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tables_random.h>
#include <test.h>
#include <time.h>

#define ROUNDS  16
#define PACKETS 150

#define PLAIN_ROUNDS 32
#define FRESH_ROUNDS 8

struct fixture {
	struct gated gated;
	struct lab_random random;
};

static void setup(void **state)
{
	struct fixture *f;

	test_require_root();
	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->random.state = 4711;
	*state = f;
}

static void teardown(void *state)
{
	struct fixture *f = state;

	if (f)
		gated_close(&f->gated);
	free(f);
}

/* Packets, and what they show at one hook. */
static void make_packets(struct fixture *f, struct random_packet *packets,
			 struct gate_values *values)
{
	uint32_t i;

	for (i = 0; i < PACKETS; i++) {
		random_packet(&packets[i], &f->random);
		gated_read(&values[i], packets[i].data, packets[i].len);
	}
}

static void see_rounds(struct fixture *f, uint32_t rounds, bool plain)
{
	static struct random_packet packets[PACKETS];
	static struct gate_values values[PACKETS];
	uint32_t round, i, seen[2] = { 0 };

	for (round = 0; round < rounds; round++) {
		make_packets(f, packets, values);
		gated_open(&f->gated,
			   plain ? random_plain_rules(&f->random, values, PACKETS) :
				   random_rules(&f->random, values, PACKETS, round % 4 ? 40 : 900),
			   true);
		for (i = 0; i < PACKETS; i++)
			seen[gated_see(&f->gated, packets[i].data, packets[i].len) ==
			     GATE_ACCEPT]++;
		gated_agree(&f->gated);
		gated_close(&f->gated);
	}
	/* A few rulesets may be of one mind. */
	assert_true(rounds < ROUNDS || seen[0] > rounds * PACKETS / 10);
	assert_true(rounds < ROUNDS || seen[1] > rounds * PACKETS / 10);
}

static void random_rules_come_to_the_same_in_bpf_and_natively(void *state)
{
	see_rounds(state, ROUNDS, false);
}

static void plain_rules_come_to_the_same_in_bpf_and_natively(void *state)
{
	see_rounds(state, PLAIN_ROUNDS, true);
}

static void random_rules_with_a_fresh_seed(void *state)
{
	const char *seed = getenv("UNFRAG_TEST_SEED"), *rounds = getenv("UNFRAG_ROUNDS");
	uint32_t n = rounds ? (uint32_t)strtoul(rounds, NULL, 10) : FRESH_ROUNDS;
	struct fixture *f = state;

	f->random.state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	printf("# UNFRAG_TEST_SEED=%llu\n", (unsigned long long)f->random.state);
	see_rounds(f, n, false);
	see_rounds(f, n, true);
}

/* What a verifier is told of a ruleset: the rest is in maps. */
static struct gate_config make_config(uint32_t words, uint32_t fields, uint32_t features)
{
	struct gate_config c = { .words = words, .fields = fields, .features = features };
	uint32_t i;

	c.summaries = (words + 63) / 64;
	for (i = 0; i < GATE_FIELD_MAX; i++)
		if (fields >> i & 1)
			c.table[i].kind = rules_bits(i) > 16 ? GATE_TABLE_TREE : GATE_TABLE_DIRECT;
	gate_config_finish(&c);
	return c;
}

#define FEATURES   7
#define ALL_FIELDS ((uint32_t)(UINT64_C(1) << GATE_FIELD_MAX) - 1)

static void rules_of_any_size_verify(void)
{
	static const uint32_t words[] = { 1, 2, 3, 64, 65, 256 };
	struct gate_config c;
	size_t i;

	test_require_root();
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		c = make_config(words[i], 1u << GATE_DPORT, 0);
		test_ok(gated_verify(&c, false));
		c = make_config(words[i], ALL_FIELDS, (1u << FEATURES) - 1);
		test_ok(gated_verify(&c, false));
	}
}

static void each_feature_verifies_alone_and_left_out(void)
{
	struct gate_config c;
	uint32_t i;

	test_require_root();
	for (i = 0; i < FEATURES; i++) {
		c = make_config(2, 1u << GATE_IP_SADDR, 1u << i);
		test_ok(gated_verify(&c, false));
		c = make_config(2, 1u << GATE_IP6_SADDR, ((1u << FEATURES) - 1) ^ 1u << i);
		test_ok(gated_verify(&c, false));
	}
}

/* Whatever its fields are, and however their tables are kept. */
static void plain_rules_verify(void)
{
	static const uint32_t words[] = { 1, 2, 64, 65, 256 };
	struct gate_config c;
	uint32_t i, fields, field;
	int few;

	test_require_root();
	for (i = 0; i < GATE_FIELD_MAX; i++) {
		fields = 0;
		for (field = i; field < i + GATE_PLAIN_FIELDS; field++)
			fields |= 1u << field % GATE_FIELD_MAX;
		for (few = 0; few < 2; few++) {
			c = make_config(words[i % 5], fields, GATE_IS_PLAIN);
			for (field = 0; field < GATE_FIELD_MAX && few; field++)
				if (c.table[field].kind && rules_bits(field) <= 32)
					c.table[field].kind = GATE_TABLE_FEW;
			test_ok(gated_verify(&c, false));
		}
	}
}

static void every_rank_verifies(void)
{
	struct gate_config c = make_config(2, ALL_FIELDS, (1u << FEATURES) - 1);

	test_require_root();
	test_ok(gated_verify(&c, true));
}

static const struct test tests[] = {
	TEST(rules_of_any_size_verify),
	TEST(each_feature_verifies_alone_and_left_out),
	TEST(plain_rules_verify),
	TEST(every_rank_verifies),
	TEST_WITH(random_rules_come_to_the_same_in_bpf_and_natively, setup, teardown),
	TEST_WITH(plain_rules_come_to_the_same_in_bpf_and_natively, setup, teardown),
	TEST_WITH(random_rules_with_a_fresh_seed, setup, teardown),
};

TEST_MAIN(tests);
