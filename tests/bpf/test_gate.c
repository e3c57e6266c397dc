// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate's BPF program against the native build of the same text: random rules of all kinds,
 * random packets of both families, the same verdicts and counters.
 */
#include <gated.h>
#include <stdlib.h>
#include <string.h>
#include <tables_random.h>
#include <test.h>

#define ROUNDS  16
#define PACKETS 150

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

static void random_rules_come_to_the_same_in_bpf_and_natively(void *state)
{
	static struct random_packet packets[PACKETS];
	static struct gate_values values[PACKETS];
	struct fixture *f = state;
	uint32_t round, i, seen[2] = { 0 };

	for (round = 0; round < ROUNDS; round++) {
		make_packets(f, packets, values);
		gated_open(&f->gated,
			   random_rules(&f->random, values, PACKETS, round % 4 ? 40 : 900), true);
		for (i = 0; i < PACKETS; i++)
			seen[gated_see(&f->gated, packets[i].data, packets[i].len) ==
			     GATE_ACCEPT]++;
		gated_agree(&f->gated);
		gated_close(&f->gated);
	}
	assert_true(seen[0] > ROUNDS * PACKETS / 10);
	assert_true(seen[1] > ROUNDS * PACKETS / 10);
}

static const struct test tests[] = {
	TEST_WITH(random_rules_come_to_the_same_in_bpf_and_natively, setup, teardown),
};

TEST_MAIN(tests);
