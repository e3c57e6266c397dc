// SPDX-License-Identifier: GPL-2.0-or-later
#include "random_rules.h"

#include <string.h>

#include "fields.h"

#define SPANS_MAX 6u

static uint32_t below(struct random_rules *r, uint32_t n)
{
	return (uint32_t)lab_random_below(&r->random, n);
}

static bool chance(struct random_rules *r, uint32_t percent)
{
	return below(r, 100) < percent;
}

/* A number of so many bits, one of a few. */
static value random_number(struct random_rules *r, uint32_t bits)
{
	const value max = fields_max(bits);
	const value numbers[] = {
		0,
		1,
		2,
		7,
		80,
		max - 1,
		max,
		max / 2,
		max / 2 + 1,
		max / 3,
		max - max / 256,
		(value)0x0a000001,
		(value)0x0a0000ff << 96,
		(value)0xffffffff,
		(value)1 << 32,
		(value)1 << 64,
		((value)1 << 96) - 1,
	};
	value x = numbers[below(r, sizeof(numbers) / sizeof(*numbers))];

	x += below(r, 3);
	return (x - 1) & max;
}

static uint32_t random_field(struct random_rules *r)
{
	return r->field[below(r, RANDOM_FIELDS)];
}

/* Sorted and disjoint; some are adjacent. Returns how many. */
static size_t random_spans(struct random_rules *r, uint32_t bits, struct span *spans, size_t most)
{
	value bounds[2 * SPANS_MAX], x;
	size_t n = 2 * (1 + below(r, (uint32_t)most)), i, j, made = 0;

	for (i = 0; i < n; i++) {
		x = random_number(r, bits);
		for (j = i; j && bounds[j - 1] > x; j--)
			bounds[j] = bounds[j - 1];
		bounds[j] = x;
	}
	for (i = 0; i + 1 < n; i += 2) {
		if (made && bounds[i] <= spans[made - 1].to)
			bounds[i] = spans[made - 1].to + 1;
		if (bounds[i] > bounds[i + 1] || (made && !bounds[i]))
			continue;
		spans[made++] = (struct span){ bounds[i], bounds[i + 1] };
	}
	return made;
}

static struct key random_key(struct random_rules *r)
{
	struct key key = { .n = 1 };
	uint32_t i;

	if (chance(r, 60))
		key.n = 2 + below(r, 2);
	for (i = 0; i < key.n; i++)
		key.field[i] = (uint8_t)random_field(r);
	return key;
}

/* A chain that chain may jump to: a later one of its table, not a base chain; 0: none. */
static uint32_t random_target(struct random_rules *r, const struct ruleset *rs, uint32_t chain)
{
	uint32_t at = chain + 1 + below(r, 4);

	return at < rs->n_chains && rs->chains[at].table == rs->chains[chain].table &&
			       !rs->chains[at].is_base ?
		       at :
		       0;
}

static uint32_t random_verdict(struct random_rules *r, const struct ruleset *rs, uint32_t chain)
{
	uint32_t target = random_target(r, rs, chain);

	switch (below(r, 8)) {
	case 0:
		return GATE_VERDICT(GATE_ACCEPT, 0);
	case 1:
		return GATE_VERDICT(GATE_DROP, 0);
	case 2:
		return GATE_VERDICT(GATE_RETURN, 0);
	case 3:
		return GATE_VERDICT_CONTINUE;
	case 4:
	case 5:
		return target ? GATE_VERDICT(GATE_GOTO, target) : GATE_VERDICT(GATE_ACCEPT, 0);
	default:
		return target ? GATE_VERDICT(GATE_JUMP, target) : GATE_VERDICT_CONTINUE;
	}
}

/* As few shapes as need be: of wide fields prefixes only. */
static struct span random_component(struct random_rules *r, uint32_t bits)
{
	struct span span = { random_number(r, bits), 0 };
	value low = fields_max(below(r, bits));

	span.to = span.from;
	if (chance(r, 50))
		span = (struct span){ span.from & ~low, span.from | low };
	return span;
}

/* Elements of maps must not overlap. */
static void random_tuples(struct random_rules *r, struct ruleset *rs, uint32_t set, uint32_t chain)
{
	struct span spans[SPANS_MAX], element[GATE_TUPLE_FIELDS];
	uint32_t i, j, n = below(r, SPANS_MAX), bits = rs->sets[set].bits[0];
	bool verdicts = rs->sets[set].verdicts;

	if (bits <= 32)
		n = (uint32_t)random_spans(r, bits, spans, 3);
	else if (verdicts)
		n = n != 0;
	for (i = 0; i < n; i++) {
		for (j = 0; j < rs->sets[set].n; j++)
			element[j] = random_component(r, rs->sets[set].bits[j]);
		if (bits <= 32)
			element[0] = spans[i];
		rules_element(rs, set, element,
			      verdicts ? random_verdict(r, rs, chain) : GATE_VERDICT_CONTINUE);
	}
}

/* chain: whose rules may use it, if it has verdicts. */
static uint32_t random_set(struct random_rules *r, struct ruleset *rs, const struct key *key,
			   bool verdicts, uint32_t chain)
{
	uint32_t set = rules_set(rs, key, verdicts, chance(r, 60)), i, n;
	struct span spans[SPANS_MAX];

	if (key->n == 1) {
		n = (uint32_t)random_spans(r, rs->sets[set].bits[0], spans, SPANS_MAX);
		for (i = 0; i < n && chance(r, 97); i++)
			rules_element(rs, set, &spans[i],
				      verdicts ? random_verdict(r, rs, chain) :
						 GATE_VERDICT_CONTINUE);
		return set;
	}
	random_tuples(r, rs, set, chain);
	return set;
}

static void random_match(struct random_rules *r, struct ruleset *rs, uint32_t chain)
{
	uint32_t field = random_field(r), bits = fields_bits(field);
	struct span spans[SPANS_MAX];
	struct key key;
	value mask;

	switch (below(r, 6)) {
	case 0:
		mask = chance(r, 50) ? random_number(r, bits) : (value)1 << below(r, bits);
		rules_mask(rs, field, chance(r, 40), mask,
			   chance(r, 80) ? mask & random_number(r, bits) : mask);
		break;
	case 1:
		key = random_key(r);
		rules_in(rs, &key, chance(r, 30), random_set(r, rs, &key, false, chain));
		break;
	case 2:
		rules_is(rs, field, 0, fields_max(bits));
		break;
	default:
		rules_spans(rs, field, chance(r, 40), spans,
			    chance(r, 98) ? random_spans(r, bits, spans, SPANS_MAX) : 0);
	}
}

static void random_limit(struct random_rules *r, struct ruleset *rs)
{
	const struct limit limit = {
		.rate = 1 + below(r, 5),
		.second = UINT64_C(1000000000) * (chance(r, 50) ? 1 : 60),
		.burst = chance(r, 50) ? 1 : 5,
		.bytes = false,
		.over = chance(r, 40),
	};
	const struct limit bytes = {
		.rate = 500 + below(r, 1000),
		.second = UINT64_C(1000000000),
		.burst = below(r, 2000),
		.bytes = true,
		.over = chance(r, 40),
	};

	rules_limited(rs, chance(r, 50) ? &limit : &bytes);
}

static void random_statement(struct random_rules *r, struct ruleset *rs, uint32_t chain)
{
	struct key key;

	switch (below(r, 12)) {
	case 0:
		random_limit(r, rs);
		break;
	case 1:
		rules_tell(rs);
		break;
	case 2:
	case 3:
		rules_count(rs);
		break;
	case 4:
		rules_continue(rs);
		break;
	case 5:
		key = random_key(r);
		rules_vmap(rs, &key, random_set(r, rs, &key, true, chain));
		break;
	default:
		random_match(r, rs, chain);
	}
}

static void random_rule(struct random_rules *r, struct ruleset *rs, uint32_t chain)
{
	uint32_t n = below(r, 5), verdict;

	rules_rule(rs, chain);
	while (n--)
		random_statement(r, rs, chain);
	if (chance(r, 30))
		return;
	if (chance(r, 60))
		rules_count(rs);
	verdict = random_verdict(r, rs, chain);
	/* Most packets are to go on. */
	if (verdict == GATE_VERDICT(GATE_DROP, 0) && chance(r, 60))
		return;
	if (verdict == GATE_VERDICT_CONTINUE)
		rules_continue(rs);
	else
		rules_verdict(rs, verdict >> 24, verdict & 0xffffff);
}

static void random_chains(struct random_rules *r, struct ruleset *rs, uint32_t table)
{
	static const int32_t priorities[] = { -300, -10, 0, 0, 0, 5 };
	uint32_t n = 1 + below(r, 3), chain;

	while (n--) {
		chain = rules_base(rs, table, chance(r, 80) ? r->hook : below(r, GATE_HOOKS),
				   priorities[below(r, 6)],
				   chance(r, 70) ? GATE_ACCEPT : GATE_DROP);
		rs->chains[chain].order = below(r, 1000);
	}
	for (n = below(r, 5); n; n--)
		rules_chain(rs, table);
}

void random_rules(struct random_rules *r, struct ruleset *rs)
{
	uint32_t long_one = below(r, 100), tables = 1 + below(r, 3), i, n;

	for (i = 0; i < RANDOM_FIELDS; i++)
		r->field[i] = (uint8_t)below(r, GATE_FIELD_MAX);
	r->hook = below(r, GATE_HOOKS);
	while (tables--)
		random_chains(r, rs, rules_table(rs, 1 + below(r, 3)));
	for (i = 0; i < rs->n_chains; i++)
		for (n = below(r, i == long_one ? 200 : 8); n; n--)
			random_rule(r, rs, i);
}

void random_values(struct random_rules *r, struct gate_values *v)
{
	uint32_t i;

	memset(v, 0, sizeof(*v));
	fields_set(v, GATE_LENGTH, 20 + below(r, 1500));
	for (i = 0; i < RANDOM_FIELDS; i++)
		if (r->field[i] != GATE_LENGTH && chance(r, 92))
			fields_set(v, r->field[i], random_number(r, fields_bits(r->field[i])));
}
