// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random rulesets and packets, compiled and rule by rule: same verdicts, counters, logs. With a
 * fixed seed, and with a fresh one that is printed: UNFRAG_TEST_SEED=N repeats it.
 */
#include <judged.h>
#include <random_rules.h>
#include <sound.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKETS 60

static uint64_t fresh_seed(void)
{
	const char *given = getenv("UNFRAG_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	printf("# UNFRAG_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* How often what happened, so that a generator that only makes dull rules is noticed. */
struct tally {
	size_t accepted, dropped, steps, logs, ends[TRIAL_END_MAX], deep;
};

static void count(struct tally *t, const struct judged *j, uint32_t verdict)
{
	size_t i;

	*(verdict == GATE_ACCEPT ? &t->accepted : &t->dropped) += 1;
	t->logs += j->trial->n_logs;
	t->steps += j->trial->n_steps;
	for (i = 0; i < j->trial->n_steps; i++) {
		t->ends[j->trial->steps[i].end]++;
		t->deep += j->trial->steps[i].depth > 1;
	}
}

/* Most at the hook with most chains. Time goes on by up to half a second. */
static void send_packets(struct random_rules *r, struct judged *j, struct tally *t)
{
	struct gate_values v;
	uint32_t family, hook;
	int i;

	for (i = 0; i < PACKETS; i++) {
		random_values(r, &v);
		family = (uint32_t)lab_random_below(&r->random, 2);
		sound_values(&v, family);
		hook = lab_random_below(&r->random, 10) ?
			       r->hook :
			       (uint32_t)lab_random_below(&r->random, GATE_HOOKS);
		count(t, j, judged_packet(j, family, hook, &v));
		j->now += lab_random_below(&r->random, 500000000);
	}
}

static void compare(uint64_t seed, int rulesets)
{
	struct random_rules r = { .random = { seed } };
	struct tally t = { 0 };
	struct judged j;
	int i;

	for (i = 0; i < rulesets; i++) {
		memset(&j, 0, sizeof(j));
		random_rules(&r, &j.rs);
		judged_start(&j);
		send_packets(&r, &j, &t);
		judged_release(&j);
	}
	printf("# accepted %zu, dropped %zu, rules %zu, failed %zu, limited %zu, unknown %zu, "
	       "policy %zu, logs %zu, deep %zu\n",
	       t.accepted, t.dropped, t.steps, t.ends[TRIAL_FAILED], t.ends[TRIAL_LIMITED],
	       t.ends[TRIAL_UNKNOWN], t.ends[TRIAL_POLICY], t.logs, t.deep);
	assert_true(t.accepted > t.dropped / 10 && t.dropped > t.accepted / 10);
	assert_true(t.logs && t.deep && t.ends[TRIAL_LIMITED] && t.ends[TRIAL_UNKNOWN]);
	assert_true(t.ends[TRIAL_DONE] > t.steps / 10);
}

static void compiled_as_one_by_one_with_a_fixed_seed(void)
{
	compare(20261124, 2000);
}

static void compiled_as_one_by_one_with_a_fresh_seed(void)
{
	compare(fresh_seed(), 2000);
}

static const struct test tests[] = {
	TEST(compiled_as_one_by_one_with_a_fixed_seed),
	TEST(compiled_as_one_by_one_with_a_fresh_seed),
};

TEST_MAIN(tests);
