// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Warnings of what a ruleset has in vain: each that is certain, and none that is not.
 */
#include <random_rules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "judged.h"
#include "warn.h"

#define HOOK 1

static void start_chains(struct ruleset *rs, uint32_t family, uint32_t n)
{
	uint32_t table;

	memset(rs, 0, sizeof(*rs));
	table = rules_table(rs, family);
	rules_base(rs, table, HOOK, 0, GATE_DROP);
	while (n--)
		rules_chain(rs, table);
}

/* One warning of that kind and of that rule or chain, with these words; or none (KIND_MAX). */
static void warns(struct ruleset *rs, enum warning_kind kind, uint32_t rule, const char *words)
{
	struct warning *w = NULL;
	struct complaint c;
	size_t n = 0, i;

	test_ok(warnings_find(&w, &n, rs));
	for (i = 0; i < n; i++) {
		warning_say(&c, rs, &w[i]);
		printf("# %s\n", c.text);
	}
	assert_int_equal(n, kind != WARNING_KIND_MAX);
	if (n) {
		assert_int_equal(w[0].kind, kind);
		assert_int_equal(w[0].rule, rule);
		assert_non_null(strstr(c.text, words));
	}
	free(w);
	ruleset_release(rs);
}

static void conditions_that_contradict_each_other(void)
{
	struct ruleset rs;

	start_chains(&rs, FAMILY_INET, 0);
	rules_rule(&rs, 0);
	rules_is(&rs, GATE_DPORT, 1, 10);
	rules_is(&rs, GATE_DPORT, 11, 20);
	rules_verdict(&rs, GATE_ACCEPT, 0);
	warns(&rs, WARNING_NEVER, 0, "th dport");
	start_chains(&rs, FAMILY_INET, 0);
	rules_rule(&rs, 0);
	rules_is(&rs, GATE_DPORT, 1, 11);
	rules_is(&rs, GATE_DPORT, 11, 20);
	rules_verdict(&rs, GATE_ACCEPT, 0);
	warns(&rs, WARNING_KIND_MAX, 0, "");
}

static void a_family_that_the_table_is_not_of(void)
{
	struct ruleset rs;
	uint32_t family;

	for (family = FAMILY_IP; family <= FAMILY_INET; family++) {
		start_chains(&rs, family, 0);
		rules_rule(&rs, 0);
		rules_is(&rs, GATE_NFPROTO, 10, 10);
		rules_verdict(&rs, GATE_DROP, 0);
		warns(&rs, family == FAMILY_IP ? WARNING_NEVER : WARNING_KIND_MAX, 0, "nfproto");
	}
}

/* A rule for ports 10 to 20, another for ports 12 to `to`, what is between them as it says. */
static void two_rules(struct ruleset *rs, value to, uint32_t action, bool counted, bool limited)
{
	const struct limit limit = { 1, UINT64_C(1000000000), 1, false, false };

	start_chains(rs, FAMILY_INET, 1);
	rules_rule(rs, 0);
	rules_is(rs, GATE_DPORT, 10, 20);
	if (counted)
		rules_count(rs);
	if (limited)
		rules_limited(rs, &limit);
	rules_verdict(rs, action, action == GATE_JUMP || action == GATE_GOTO);
	rules_rule(rs, 0);
	rules_is(rs, GATE_MARK, 1, 1);
	rules_is(rs, GATE_DPORT, 12, to);
	rules_verdict(rs, GATE_GOTO, 1);
}

static void a_rule_that_an_earlier_one_decides_for(void)
{
	struct ruleset rs;

	two_rules(&rs, 20, GATE_DROP, false, false);
	warns(&rs, WARNING_TAKEN, 1, "rule 'rule 0' before it");
	two_rules(&rs, 20, GATE_RETURN, true, false);
	warns(&rs, WARNING_TAKEN, 1, "rule 'rule 0' before it");
	two_rules(&rs, 20, GATE_GOTO, true, false);
	warns(&rs, WARNING_TAKEN, 1, "rule 'rule 0' before it");
	two_rules(&rs, 21, GATE_DROP, false, false);
	warns(&rs, WARNING_KIND_MAX, 0, "");
	two_rules(&rs, 20, GATE_JUMP, false, false);
	warns(&rs, WARNING_KIND_MAX, 0, "");
	two_rules(&rs, 20, GATE_DROP, false, true);
	warns(&rs, WARNING_KIND_MAX, 0, "");
}

static void a_rule_behind_one_without_conditions(void)
{
	struct ruleset rs;

	start_chains(&rs, FAMILY_INET, 0);
	rules_rule(&rs, 0);
	rules_count(&rs);
	rules_verdict(&rs, GATE_ACCEPT, 0);
	rules_rule(&rs, 0);
	rules_count(&rs);
	warns(&rs, WARNING_TAKEN, 1, "before it decides");
}

/* Without a condition on the field it is met by packets that don't have the field. */
static void a_field_that_need_not_be_there(void)
{
	struct ruleset rs;

	start_chains(&rs, FAMILY_INET, 0);
	rules_rule(&rs, 0);
	rules_is(&rs, GATE_DPORT, 0, 65535);
	rules_verdict(&rs, GATE_ACCEPT, 0);
	rules_rule(&rs, 0);
	rules_count(&rs);
	warns(&rs, WARNING_KIND_MAX, 0, "");
}

static void named_sets_may_change(void)
{
	const struct key key = RULES_KEY(GATE_DPORT);
	struct ruleset rs;
	uint32_t set;

	start_chains(&rs, FAMILY_INET, 0);
	set = rules_set(&rs, &key, false, true);
	rules_rule(&rs, 0);
	rules_in(&rs, &key, false, set);
	rules_verdict(&rs, GATE_ACCEPT, 0);
	rules_rule(&rs, 0);
	rules_in(&rs, &key, false, set);
	rules_verdict(&rs, GATE_DROP, 0);
	warns(&rs, WARNING_KIND_MAX, 0, "");
}

static void a_chain_that_no_rule_leads_to(void)
{
	const struct key key = RULES_KEY(GATE_DPORT);
	const struct span span = { 1, 1 };
	struct ruleset rs;
	uint32_t map;

	start_chains(&rs, FAMILY_INET, 1);
	warns(&rs, WARNING_UNUSED, 1, "chain 'inet t0 c1'");
	start_chains(&rs, FAMILY_INET, 1);
	map = rules_set(&rs, &key, true, false);
	rules_element(&rs, map, &span, GATE_VERDICT(GATE_GOTO, 1));
	rules_rule(&rs, 0);
	rules_vmap(&rs, &key, map);
	warns(&rs, WARNING_KIND_MAX, 0, "");
	start_chains(&rs, FAMILY_INET, 1);
	map = rules_set(&rs, &key, true, true);
	rules_rule(&rs, 0);
	rules_vmap(&rs, &key, map);
	warns(&rs, WARNING_KIND_MAX, 0, "");
}

/* Whatever packet comes: the rules that are warned of have never done a thing. */
static void no_packet_meets_what_is_warned_of(void)
{
	struct random_rules r = { .random = { 7 } };
	size_t n, i, s, warned = 0;
	struct gate_values v;
	struct warning *w;
	struct judged j;
	int round, packet;

	for (round = 0; round < 500; round++) {
		memset(&j, 0, sizeof(j));
		random_rules(&r, &j.rs);
		judged_start(&j);
		test_ok(warnings_find(&w, &n, &j.rs));
		warned += n;
		for (packet = 0; packet < 60; packet++) {
			uint32_t family = (uint32_t)lab_random_below(&r.random, 2);

			random_values(&r, &v);
			fields_set(&v, GATE_NFPROTO, family ? 10 : 2);
			judged_packet(&j, family, r.hook, &v);
			for (s = 0; s < j.trial->n_steps; s++) {
				const struct trial_step *step = &j.trial->steps[s];

				for (i = 0; i < n && step->end != TRIAL_POLICY; i++)
					if (w[i].kind == WARNING_UNUSED)
						assert_true(step->chain != w[i].rule);
					else if (w[i].rule == step->rule)
						assert_int_equal(step->end, TRIAL_FAILED);
			}
		}
		free(w);
		judged_release(&j);
	}
	printf("# %zu warnings\n", warned);
	assert_true(warned > 500);
}

static const struct test tests[] = {
	TEST(conditions_that_contradict_each_other),  TEST(a_family_that_the_table_is_not_of),
	TEST(a_rule_that_an_earlier_one_decides_for), TEST(a_rule_behind_one_without_conditions),
	TEST(a_field_that_need_not_be_there),         TEST(named_sets_may_change),
	TEST(a_chain_that_no_rule_leads_to),          TEST(no_packet_meets_what_is_warned_of),
};

TEST_MAIN(tests);
