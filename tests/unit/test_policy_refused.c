// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rulesets that are more than an image can be: each limit, and what is said of it.
 */
#include <errno.h>
#include <judged.h>
#include <stdio.h>
#include <string.h>

#include "fields.h"

#define HOOK 1

static void start_chains(struct ruleset *rs, uint32_t n)
{
	uint32_t table;

	memset(rs, 0, sizeof(*rs));
	table = rules_table(rs, FAMILY_INET);
	rules_base(rs, table, HOOK, 0, GATE_DROP);
	while (n--)
		rules_chain(rs, table);
}

/* Compiles, and the ruleset is gone. */
static void must_be_refused(struct ruleset *rs, const struct image_opts *opts, int err,
			    const char *words)
{
	struct image *image = NULL;
	struct complaint c = { "" };

	assert_int_equal(image_new(&image, rs, opts, &c), err);
	assert_null(image);
	if (!strstr(c.text, words))
		printf("# \"%s\" does not have \"%s\"\n", c.text, words);
	assert_non_null(strstr(c.text, words));
	ruleset_release(rs);
}

static void must_be_taken(struct ruleset *rs, const struct image_opts *opts)
{
	struct image *image = NULL;
	struct complaint c = { "" };
	int err = image_new(&image, rs, opts, &c);

	if (err)
		printf("# %s\n", c.text);
	assert_int_equal(err, 0);
	image_free(image);
	ruleset_release(rs);
}

static void add_rules(struct ruleset *rs, uint32_t n)
{
	while (n--) {
		rules_rule(rs, 0);
		rules_is(rs, GATE_DPORT, n, n);
		rules_count(rs);
	}
}

static void more_entries_than_there_may_be(void)
{
	struct ruleset rs;

	start_chains(&rs, 0);
	add_rules(&rs, GATE_ENTRIES_MAX);
	must_be_taken(&rs, NULL);
	start_chains(&rs, 0);
	add_rules(&rs, GATE_ENTRIES_MAX + 1);
	must_be_refused(&rs, NULL, -E2BIG,
			"rule 'rule 16384' of chain 'inet t0 c0': more than 16384");
}

/* So many rules beside each other, on each field so many at a time. */
static void add_windows(struct ruleset *rs, uint32_t n)
{
	static const uint32_t fields[] = { GATE_MARK, GATE_LENGTH, GATE_IIF,
					   GATE_OIF,  GATE_DPORT,  GATE_SPORT };
	uint32_t i, f;

	for (i = 0; i < n; i++) {
		rules_rule(rs, 0);
		for (f = 0; f < 6; f++)
			rules_is(rs, fields[f], i, i + 3 * f + 1);
		rules_verdict(rs, GATE_ACCEPT, 0);
	}
}

static void more_vectors_than_there_may_be(void)
{
	struct ruleset rs;

	start_chains(&rs, 0);
	add_windows(&rs, 10000);
	must_be_taken(&rs, NULL);
	start_chains(&rs, 0);
	add_windows(&rs, 11000);
	must_be_refused(&rs, NULL, -E2BIG, "more than 65535 kinds of packets");
}

static void more_memory_than_it_may_take(void)
{
	const struct image_opts few = { .memory = 4096, .cpus = 1 };
	const struct image_opts many = { .memory = 1 << 20, .cpus = 1 };
	struct ruleset rs;

	start_chains(&rs, 0);
	add_rules(&rs, 100);
	must_be_taken(&rs, &many);
	start_chains(&rs, 0);
	add_rules(&rs, 100);
	must_be_refused(&rs, &few, -E2BIG, "and may take 4096 bytes (rules ");
}

static void add_sets(struct ruleset *rs, uint32_t n)
{
	const struct key key = RULES_KEY(GATE_DPORT);

	while (n--)
		rules_set(rs, &key, false, true);
}

static void more_sets_than_there_may_be(void)
{
	struct ruleset rs;

	start_chains(&rs, 0);
	add_sets(&rs, GATE_SETS_MAX);
	must_be_taken(&rs, NULL);
	start_chains(&rs, 0);
	add_sets(&rs, GATE_SETS_MAX + 1);
	must_be_refused(&rs, NULL, -E2BIG, "4097 sets and maps, more than 4096");
}

/* Beyond it the kernel's arithmetic would overflow. */
static void limits_that_are_out_of_bounds(void)
{
	const struct limit limit = { .rate = 1, .second = 1ull << 63, .burst = 2 };
	struct ruleset rs;

	start_chains(&rs, 0);
	rules_rule(&rs, 0);
	rules_limited(&rs, &limit);
	must_be_refused(&rs, NULL, -EINVAL, "with a burst of 2 is out of bounds");
}

/* Each chain jumps to the next one twice: as many ways as there are bits in 2 to the 15th. */
static void longer_ways_than_there_may_be(void)
{
	struct ruleset rs;
	uint32_t i, n;

	for (n = 4; n <= 15; n += 11) {
		start_chains(&rs, n);
		for (i = 0; i < n; i++) {
			int times = 4;

			while (times--) {
				rules_rule(&rs, i);
				rules_verdict(&rs, GATE_JUMP, i + 1);
			}
		}
		if (n == 4)
			must_be_taken(&rs, NULL);
		else
			must_be_refused(&rs, NULL, -E2BIG, "may cost a packet more than");
	}
}

static void jumps_that_are_too_deep(void)
{
	struct ruleset rs;
	uint32_t i, n;

	for (n = GATE_JUMPS_MAX; n <= GATE_JUMPS_MAX + 1; n++) {
		start_chains(&rs, n);
		for (i = 0; i < n; i++) {
			rules_rule(&rs, i);
			rules_verdict(&rs, i % 2 ? GATE_JUMP : GATE_GOTO, i + 1);
		}
		if (n == GATE_JUMPS_MAX)
			must_be_taken(&rs, NULL);
		else
			must_be_refused(&rs, NULL, -E2BIG, "jumps away");
	}
}

static void jumps_in_a_circle(void)
{
	const struct key key = RULES_KEY(GATE_DPORT);
	const struct span span = { 1, 1 };
	struct ruleset rs;
	uint32_t map;

	start_chains(&rs, 2);
	map = rules_set(&rs, &key, true, true);
	rules_element(&rs, map, &span, GATE_VERDICT(GATE_GOTO, 1));
	rules_rule(&rs, 0);
	rules_verdict(&rs, GATE_JUMP, 1);
	rules_rule(&rs, 1);
	rules_verdict(&rs, GATE_JUMP, 2);
	rules_rule(&rs, 2);
	rules_vmap(&rs, &key, map);
	must_be_refused(&rs, NULL, -EINVAL, "leads back to itself");
}

static void more_priorities_at_a_hook_than_there_may_be(void)
{
	struct ruleset rs;
	int32_t i;

	for (i = 8; i <= 9; i++) {
		int32_t n;

		memset(&rs, 0, sizeof(rs));
		rules_table(&rs, FAMILY_IP6);
		for (n = 0; n < i; n++)
			rules_base(&rs, 0, HOOK, n - 200, GATE_ACCEPT);
		if (i == 8)
			must_be_taken(&rs, NULL);
		else
			must_be_refused(&rs, NULL, -E2BIG, "more than 8 priorities");
	}
}

/* An anonymous set is named by its rule. */
static void elements_that_overlap_with_different_verdicts(void)
{
	const struct key key = RULES_KEY(GATE_IP_SADDR, GATE_DPORT);
	const struct span a[] = { { 0, 255 }, { 5, 5 } }, b[] = { { 7, 7 }, { 0, 9 } };
	struct ruleset rs;
	uint32_t map, same;

	for (same = 0; same < 2; same++) {
		start_chains(&rs, 0);
		map = rules_set(&rs, &key, true, false);
		rules_element(&rs, map, a, GATE_VERDICT(GATE_ACCEPT, 0));
		rules_element(&rs, map, b, GATE_VERDICT(same ? GATE_ACCEPT : GATE_DROP, 0));
		rules_rule(&rs, 0);
		rules_vmap(&rs, &key, map);
		if (same)
			must_be_taken(&rs, NULL);
		else
			must_be_refused(&rs, NULL, -EINVAL,
					"rule 'rule 0' of chain 'inet t0 c0': elements of map");
	}
}

/* Two ranges of addresses from one end to the other, with every prefix length. */
static void ranges_that_are_too_many_entries(void)
{
	const struct key key = RULES_KEY(GATE_IP6_SADDR, GATE_IP6_DADDR, GATE_IIFNAME,
					 GATE_OIFNAME);
	const value max = ~(value)0;
	const struct span element[] = {
		{ 1, max - 1 }, { 1, max - 1 }, { 1, max - 1 }, { 1, max - 1 }
	};
	struct ruleset rs;

	start_chains(&rs, 0);
	rules_element(&rs, rules_set(&rs, &key, false, true), element, GATE_VERDICT_CONTINUE);
	must_be_refused(&rs, NULL, -E2BIG, "set 's0' needs more than");
}

static void what_contradicts_itself(void)
{
	const struct span upside_down = { 5, 4 }, disorder[] = { { 5, 6 }, { 6, 7 } };
	struct ruleset rs;

	start_chains(&rs, 0);
	rules_rule(&rs, 0);
	rules_spans(&rs, GATE_DPORT, false, &upside_down, 1);
	must_be_refused(&rs, NULL, -EINVAL, "contradicts itself");
	start_chains(&rs, 0);
	rules_rule(&rs, 0);
	rules_spans(&rs, GATE_DPORT, false, disorder, 2);
	must_be_refused(&rs, NULL, -EINVAL, "contradicts itself");
	start_chains(&rs, 0);
	rules_rule(&rs, 0);
	rules_is(&rs, GATE_DPORT, 0, 65536);
	must_be_refused(&rs, NULL, -EINVAL, "contradicts itself");
	start_chains(&rs, 0);
	rules_rule(&rs, 0);
	rules_verdict(&rs, GATE_JUMP, 0);
	must_be_refused(&rs, NULL, -EINVAL, "contradicts itself");
}

static const struct test tests[] = {
	TEST(more_entries_than_there_may_be),
	TEST(more_vectors_than_there_may_be),
	TEST(more_memory_than_it_may_take),
	TEST(more_sets_than_there_may_be),
	TEST(limits_that_are_out_of_bounds),
	TEST(longer_ways_than_there_may_be),
	TEST(jumps_that_are_too_deep),
	TEST(jumps_in_a_circle),
	TEST(more_priorities_at_a_hook_than_there_may_be),
	TEST(elements_that_overlap_with_different_verdicts),
	TEST(ranges_that_are_too_many_entries),
	TEST(what_contradicts_itself),
};

TEST_MAIN(tests);
