// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way through chains, maps of verdicts and concatenations, by rules and as compiled.
 */
#include <judged.h>
#include <string.h>

#include "fields.h"

#define HOOK  1
#define TUPLE GATE_VERDICT_CONTINUE

static const struct key port = RULES_KEY(GATE_DPORT);

/* A base chain that drops, number 0 of table 0, and n chains behind it. */
static void start_chains(struct judged *j, uint32_t n)
{
	uint32_t table;

	memset(j, 0, sizeof(*j));
	table = rules_table(&j->rs, FAMILY_INET);
	rules_base(&j->rs, table, HOOK, 0, GATE_DROP);
	while (n--)
		rules_chain(&j->rs, table);
}

static struct gate_values to_port(uint32_t number)
{
	struct gate_values v = { 0 };

	fields_set(&v, GATE_LENGTH, 100);
	fields_set(&v, GATE_DPORT, number);
	return v;
}

static bool accepts(struct judged *j, uint32_t number)
{
	const struct gate_values v = to_port(number);

	return judged_accepts(j, &v);
}

static void port_rule(struct judged *j, uint32_t chain, uint32_t number, uint32_t action,
		      uint32_t target)
{
	rules_rule(&j->rs, chain);
	rules_is(&j->rs, GATE_DPORT, number, number);
	rules_count(&j->rs);
	rules_verdict(&j->rs, action, target);
}

static void jump_comes_back_and_goto_does_not(void)
{
	struct judged j;

	start_chains(&j, 2);
	port_rule(&j, 0, 1, GATE_JUMP, 1);
	port_rule(&j, 0, 2, GATE_GOTO, 1);
	rules_rule(&j.rs, 0);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	port_rule(&j, 1, 3, GATE_DROP, 0);
	judged_start(&j);
	assert_true(accepts(&j, 1));
	assert_false(accepts(&j, 2));
	assert_true(accepts(&j, 3));
	judged_release(&j);
}

/* A chain that was jumped to goes on elsewhere: who comes back then is who jumped. */
static void goto_leads_back_to_who_jumped(void)
{
	struct judged j;

	start_chains(&j, 3);
	rules_rule(&j.rs, 0);
	rules_verdict(&j.rs, GATE_JUMP, 1);
	rules_rule(&j.rs, 0);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	rules_rule(&j.rs, 1);
	rules_verdict(&j.rs, GATE_GOTO, 2);
	port_rule(&j, 1, 5, GATE_DROP, 0); /* never reached */
	port_rule(&j, 2, 6, GATE_DROP, 0);
	port_rule(&j, 2, 7, GATE_RETURN, 0);
	rules_rule(&j.rs, 2);
	rules_count(&j.rs);
	judged_start(&j);
	assert_true(accepts(&j, 5));
	assert_false(accepts(&j, 6));
	assert_true(accepts(&j, 7));
	judged_release(&j);
}

static void return_from_a_base_chain_is_its_policy(void)
{
	struct judged j;

	start_chains(&j, 0);
	port_rule(&j, 0, 1, GATE_RETURN, 0);
	rules_rule(&j.rs, 0);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	judged_start(&j);
	assert_false(accepts(&j, 1));
	assert_true(accepts(&j, 2));
	judged_release(&j);
}

static void jumps_may_be_sixteen_deep(void)
{
	struct judged j;
	uint32_t i;

	start_chains(&j, GATE_JUMPS_MAX);
	for (i = 0; i < GATE_JUMPS_MAX; i++) {
		rules_rule(&j.rs, i);
		rules_is(&j.rs, GATE_DPORT, 1, 2);
		rules_verdict(&j.rs, GATE_JUMP, i + 1);
		rules_rule(&j.rs, i);
		rules_count(&j.rs);
		if (!i)
			rules_verdict(&j.rs, GATE_ACCEPT, 0);
	}
	port_rule(&j, GATE_JUMPS_MAX, 2, GATE_DROP, 0);
	judged_start(&j);
	assert_true(accepts(&j, 1));
	assert_int_equal(j.trial->counters[j.rs.n_counters - 1].packets, 0);
	assert_false(accepts(&j, 2));
	assert_int_equal(j.trial->counters[j.rs.n_counters - 1].packets, 1);
	judged_release(&j);
}

static void add_verdict(struct judged *j, uint32_t map, uint32_t number, uint32_t verdict)
{
	const struct span span = { number, number };

	rules_element(&j->rs, map, &span, verdict);
}

/* Each verdict from a map, and what stands behind the map in its rule. */
static void maps_have_every_verdict(void)
{
	struct judged j;
	uint32_t map, named;

	for (named = 0; named < 2; named++) {
		start_chains(&j, 2);
		map = rules_set(&j.rs, &port, true, named);
		add_verdict(&j, map, 0, GATE_VERDICT(GATE_ACCEPT, 0));
		add_verdict(&j, map, 1, GATE_VERDICT(GATE_DROP, 0));
		add_verdict(&j, map, 2, GATE_VERDICT(GATE_JUMP, 1));
		add_verdict(&j, map, 3, GATE_VERDICT(GATE_GOTO, 1));
		add_verdict(&j, map, 4, GATE_VERDICT(GATE_RETURN, 0));
		add_verdict(&j, map, 5, GATE_VERDICT_CONTINUE);
		add_verdict(&j, map, 65535, GATE_VERDICT(GATE_ACCEPT, 0));
		rules_rule(&j.rs, 0);
		rules_vmap(&j.rs, &port, map);
		rules_count(&j.rs);
		rules_verdict(&j.rs, GATE_DROP, 0);
		rules_rule(&j.rs, 0);
		rules_verdict(&j.rs, GATE_ACCEPT, 0);
		rules_rule(&j.rs, 1);
		rules_count(&j.rs);
		judged_start(&j);
		assert_true(accepts(&j, 0));
		assert_false(accepts(&j, 1));
		assert_true(accepts(&j, 2));
		assert_false(accepts(&j, 3));
		assert_false(accepts(&j, 4));
		assert_int_equal(j.trial->counters[0].packets, 0);
		assert_false(accepts(&j, 5));
		assert_int_equal(j.trial->counters[0].packets, 1);
		assert_int_equal(j.trial->counters[1].packets, 2);
		assert_true(accepts(&j, 6));
		assert_true(accepts(&j, 65535));
		judged_release(&j);
	}
}

static void a_map_without_the_field_does_not_match(void)
{
	struct gate_values v = to_port(0);
	struct judged j;
	uint32_t map;

	start_chains(&j, 0);
	map = rules_set(&j.rs, &port, true, true);
	add_verdict(&j, map, 0, GATE_VERDICT(GATE_ACCEPT, 0));
	rules_rule(&j.rs, 0);
	rules_vmap(&j.rs, &port, map);
	judged_start(&j);
	assert_true(judged_accepts(&j, &v));
	v.present &= ~(1u << GATE_DPORT);
	assert_false(judged_accepts(&j, &v));
	judged_release(&j);
}

static void sets_of_concatenations_have_ranges_in_each_component(void)
{
	const struct key key = RULES_KEY(GATE_IP_SADDR, GATE_DPORT, GATE_IP6_DADDR);
	const struct span element[] = {
		{ 0x0a000003, 0x0a0000fe },
		{ 1000, 2001 },
		{ (value)5 << 64, ((value)5 << 64) + 6 },
	};
	uint32_t i, set, named;
	struct gate_values v;
	struct judged j;

	for (named = 0; named < 2; named++) {
		start_chains(&j, 0);
		set = rules_set(&j.rs, &key, false, named);
		rules_element(&j.rs, set, element, TUPLE);
		rules_rule(&j.rs, 0);
		rules_in(&j.rs, &key, false, set);
		rules_verdict(&j.rs, GATE_ACCEPT, 0);
		judged_start(&j);
		/* Each component in turn just before, at and just behind its bounds. */
		for (i = 0; i < 64; i++) {
			uint32_t a = i & 3, b = i >> 2 & 3, c = i >> 4;
			const uint32_t in[] = { 0, 1, 1, 0 };

			memset(&v, 0, sizeof(v));
			fields_set(&v, GATE_LENGTH, 1);
			fields_set(&v, GATE_IP_SADDR,
				   a < 2 ? element[0].from - 1 + a : element[0].to + a - 2);
			fields_set(&v, GATE_DPORT,
				   b < 2 ? element[1].from - 1 + b : element[1].to + b - 2);
			fields_set(&v, GATE_IP6_DADDR,
				   c < 2 ? element[2].from - 1 + c : element[2].to + c - 2);
			assert_int_equal(judged_accepts(&j, &v), in[a] && in[b] && in[c]);
		}
		judged_release(&j);
	}
}

/* Prefixes of every length of two fields are more shapes than there may be: they are cut. */
static void many_prefix_lengths_are_cut_to_few(void)
{
	const struct key key = RULES_KEY(GATE_IP_SADDR, GATE_IP_DADDR);
	struct span element[2];
	struct gate_values v;
	struct judged j;
	uint32_t i, set;

	start_chains(&j, 0);
	set = rules_set(&j.rs, &key, false, true);
	for (i = 0; i < 24; i++) {
		element[0].from = 1u << i;
		element[0].to = (2u << i) - 1;
		element[1].from = 1u << (i * 7 % 24);
		element[1].to = (2u << (i * 7 % 24)) - 1;
		rules_element(&j.rs, set, element, TUPLE);
		element[1] = element[0];
		rules_element(&j.rs, set, element, TUPLE);
		element[1].from = element[0].to;
		element[1].to = (value)element[0].to * 3;
		rules_element(&j.rs, set, element, TUPLE);
	}
	rules_rule(&j.rs, 0);
	rules_in(&j.rs, &key, true, set);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	judged_start(&j);
	for (i = 0; i < 24 * 24; i++) {
		memset(&v, 0, sizeof(v));
		fields_set(&v, GATE_LENGTH, 1);
		fields_set(&v, GATE_IP_SADDR, (1u << i % 24) + i / 24 % 3);
		fields_set(&v, GATE_IP_DADDR, (1u << i / 24) + i % 3 - 1);
		judged_accepts(&j, &v);
	}
	judged_release(&j);
}

static void what_comes_before_a_match_is_done_without_it(void)
{
	struct judged j;

	start_chains(&j, 0);
	rules_rule(&j.rs, 0);
	rules_count(&j.rs);
	rules_is(&j.rs, GATE_DPORT, 1, 2);
	rules_count(&j.rs);
	rules_tell(&j.rs);
	rules_is(&j.rs, GATE_DPORT, 2, 3);
	rules_tell(&j.rs);
	rules_count(&j.rs);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	judged_start(&j);
	assert_int_equal(j.image->n_entries, 4); /* a log comes behind a counter otherwise */
	assert_false(accepts(&j, 1));
	assert_true(accepts(&j, 2));
	assert_false(accepts(&j, 3));
	assert_int_equal(j.trial->counters[0].packets, 3);
	assert_int_equal(j.trial->counters[1].packets, 2);
	assert_int_equal(j.trial->counters[2].packets, 1);
	judged_release(&j);
}

static void one_rule_is_one_entry_where_its_order_allows(void)
{
	const struct limit limit = { 1, UINT64_C(1000000000), 1, false, false };
	struct judged j;

	start_chains(&j, 0);
	rules_rule(&j.rs, 0);
	rules_is(&j.rs, GATE_DPORT, 1, 2);
	rules_mask(&j.rs, GATE_MARK, false, 1, 0);
	rules_limited(&j.rs, &limit);
	rules_count(&j.rs);
	rules_tell(&j.rs);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	judged_start(&j);
	assert_int_equal(j.image->n_entries, 1);
	assert_int_equal(j.image->n_checks, 1);
	judged_release(&j);
}

/* Counted before the limit, behind it, and where the limit says no. */
static void a_limit_in_the_middle_stops_what_is_behind_it(void)
{
	const struct limit limit = { 2, UINT64_C(1000000000), 3, false, false };
	const struct limit over = { 150, UINT64_C(1000000000), 100, true, true };
	struct judged j;
	int i;

	start_chains(&j, 0);
	rules_rule(&j.rs, 0);
	rules_count(&j.rs);
	rules_limited(&j.rs, &limit);
	rules_count(&j.rs);
	rules_limited(&j.rs, &over);
	rules_count(&j.rs);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	rules_rule(&j.rs, 0);
	rules_count(&j.rs);
	judged_start(&j);
	for (i = 0; i < 40; i++) {
		accepts(&j, 1);
		j.now += i % 5 ? 100000000 : 700000000;
	}
	assert_int_equal(j.trial->counters[0].packets, 40);
	assert_true(j.trial->counters[1].packets > 3 && j.trial->counters[1].packets < 40);
	assert_true(j.trial->counters[2].packets < j.trial->counters[1].packets);
	assert_int_equal(j.trial->counters[3].packets, 40 - j.trial->counters[2].packets);
	judged_release(&j);
}

/* A chain that is made later has a smaller number, of whatever family its table is. */
static void chains_of_one_priority_are_met_in_their_order(void)
{
	struct gate_values v = to_port(1);
	uint32_t tables[2], chains[4], i;
	struct judged j = { 0 };

	tables[0] = rules_table(&j.rs, FAMILY_IP);
	tables[1] = rules_table(&j.rs, FAMILY_INET);
	for (i = 0; i < 4; i++) {
		chains[i] = rules_base(&j.rs, tables[i / 2], HOOK, i == 3 ? -5 : 0, GATE_ACCEPT);
		j.rs.chains[chains[i]].order = 3 - i;
	}
	for (i = 0; i < 4; i++) {
		rules_rule(&j.rs, chains[i]);
		rules_count(&j.rs);
		rules_is(&j.rs, GATE_DPORT, i, i);
		rules_verdict(&j.rs, GATE_DROP, 0);
	}
	judged_start(&j);
	/* 3 by its priority, then 2, then 1, which drops; 0 is not met. */
	assert_int_equal(judged_packet(&j, 0, HOOK, &v), GATE_DROP);
	for (i = 0; i < 4; i++)
		assert_int_equal(j.trial->counters[i].packets, i != 0);
	assert_int_equal(judged_packet(&j, 1, HOOK, &v), GATE_ACCEPT);
	assert_int_equal(j.trial->counters[1].packets, 1);
	assert_int_equal(j.trial->counters[2].packets, 2);
	assert_int_equal(j.image->priority[0][HOOK][0], -5);
	assert_int_equal(j.image->config.place[0][HOOK][1].n, 3);
	assert_int_equal(j.image->config.place[1][HOOK][1].n, 1);
	judged_release(&j);
}

static void counters_start_with_what_they_have(void)
{
	struct judged j;

	start_chains(&j, 0);
	rules_rule(&j.rs, 0);
	rules_count(&j.rs);
	j.rs.counters[0].packets = 41;
	j.rs.counters[0].bytes = 1000;
	judged_start(&j);
	accepts(&j, 1);
	assert_int_equal(j.trial->counters[0].packets, 42);
	assert_int_equal(j.trial->counters[0].bytes, 1100);
	judged_release(&j);
}

static const struct test tests[] = {
	TEST(jump_comes_back_and_goto_does_not),
	TEST(goto_leads_back_to_who_jumped),
	TEST(return_from_a_base_chain_is_its_policy),
	TEST(jumps_may_be_sixteen_deep),
	TEST(maps_have_every_verdict),
	TEST(a_map_without_the_field_does_not_match),
	TEST(sets_of_concatenations_have_ranges_in_each_component),
	TEST(many_prefix_lengths_are_cut_to_few),
	TEST(what_comes_before_a_match_is_done_without_it),
	TEST(one_rule_is_one_entry_where_its_order_allows),
	TEST(a_limit_in_the_middle_stops_what_is_behind_it),
	TEST(chains_of_one_priority_are_met_in_their_order),
	TEST(counters_start_with_what_they_have),
};

TEST_MAIN(tests);
