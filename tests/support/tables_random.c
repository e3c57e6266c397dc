// SPDX-License-Identifier: GPL-2.0-or-later
#include "tables_random.h"

#include <stdlib.h>
#include <string.h>
#include <test.h>

#define USER_CHAINS 6
#define BASE_CHAINS 2
#define COUNTERS    40

/* Rules on their way. */
struct making {
	struct rules *rules;
	struct lab_random *random;
	const struct gate_values *values; /* of packets */
	size_t n_values;
};

static uint32_t below(struct making *m, uint32_t limit)
{
	return (uint32_t)lab_random_below(m->random, limit);
}

static rules_value join(const uint32_t *word, uint32_t words)
{
	rules_value v = 0;
	uint32_t i;

	for (i = 0; i < words; i++)
		v = v << 32 | word[i];
	return v;
}

/* A value that some packet has, or one beside it, or the least or greatest. */
static rules_value aim(struct making *m, uint32_t field)
{
	const struct gate_values *v = &m->values[below(m, (uint32_t)m->n_values)];
	rules_value value = join(&v->word[rules_word(field)], rules_words(field));

	switch (below(m, 8)) {
	case 0:
		return 0;
	case 1:
		return rules_max(field);
	case 2:
		return (value + 1) & rules_max(field);
	case 3:
		return (value - 1) & rules_max(field);
	default:
		return value;
	}
}

static uint32_t verdict(struct making *m, uint32_t first_chain)
{
	uint32_t chains = USER_CHAINS - first_chain;

	switch (below(m, 8)) {
	case 0:
		return GATE_VERDICT(GATE_ACCEPT, 0);
	case 1:
		return GATE_VERDICT(GATE_DROP, 0);
	case 2:
		return GATE_VERDICT(GATE_RETURN, 0);
	case 3:
		return GATE_VERDICT_CONTINUE;
	default:
		if (!chains)
			return GATE_VERDICT(GATE_RETURN, 0);
		return GATE_VERDICT(below(m, 2) ? GATE_JUMP : GATE_GOTO,
				    first_chain + below(m, chains));
	}
}

static int compare(const void *a, const void *b)
{
	const struct rules_position *p = a, *q = b;

	return p->at < q->at ? -1 : p->at > q->at;
}

/* A set of one field with its values; verdicts lead to chains from first_chain on. */
static void fill_tree(struct making *m, uint32_t set, uint32_t field, bool map,
		      uint32_t first_chain)
{
	struct rules_position p[64];
	uint32_t all = 1 + below(m, 63), n = 1, i;
	bool flip = below(m, 2);

	p[0].at = 0;
	for (i = 1; i < all; i++)
		p[i].at = aim(m, field);
	qsort(p, all, sizeof(*p), compare);
	for (i = 1; i < all; i++)
		if (p[i].at != p[n - 1].at)
			p[n++].at = p[i].at;
	for (i = 0; i < n; i++)
		p[i].value = map ? below(m, 2) ? verdict(m, first_chain) : 0 :
				   (i & 1) == (uint32_t)flip;
	rules_fill_tree(m->rules, set, p, n, rules_bits(field), map);
}

/* The part of a component's words that a prefix of its words' bits has. */
static void cut(uint32_t *word, uint32_t words, uint32_t bits)
{
	uint32_t i, used;

	for (i = 0; i < words; i++) {
		used = bits > 32 * i ? bits - 32 * i : 0;
		if (used < 32)
			word[i] &= ~(UINT32_MAX >> used);
	}
}

static void add_tuple(struct making *m, const struct gate_tuple *key, union gate_tuple_value value)
{
	struct rules *r = m->rules;
	uint32_t i;

	assert_true(r->n_tuples < RULES_TUPLES);
	for (i = 0; i < r->n_tuples; i++)
		if (memcmp(&r->tuples[i].key, key, sizeof(*key)) == 0)
			return;
	r->tuples[r->n_tuples++] = (struct rules_tuple){ *key, value };
}

static void add_shape(struct making *m, struct gate_tuple *key, const uint32_t *fields, uint32_t n,
		      bool last)
{
	union gate_tuple_value shape = { .bits = { 0 } };
	uint32_t number = key->mark, i;

	for (i = 0; i < n; i++)
		shape.bits[i] = (uint8_t)(below(m, 2) ? 32 * rules_words(fields[i]) :
							below(m, 32 * rules_words(fields[i]) + 1));
	shape.bits[GATE_TUPLE_FIELDS] = last;
	memset(key->word, 0, sizeof(key->word));
	key->mark = GATE_SHAPE + number;
	add_tuple(m, key, shape);
	memcpy(m->rules->tuples[m->rules->n_tuples - 1].value.bits, shape.bits, 8);
	key->mark = number;
}

static void add_element(struct making *m, struct gate_tuple *key, const uint32_t *fields,
			uint32_t n, const union gate_tuple_value *shape, uint32_t to)
{
	union gate_tuple_value value = { .bits = { 0 } };
	uint32_t i, at = 0;

	memset(key->word, 0, sizeof(key->word));
	for (i = 0; i < n; i++) {
		rules_split(&key->word[at], aim(m, fields[i]), fields[i]);
		cut(&key->word[at], rules_words(fields[i]), shape->bits[i]);
		at += rules_words(fields[i]);
	}
	value.verdict = to;
	add_tuple(m, key, value);
}

static void fill_tuples(struct making *m, uint32_t set, const uint32_t *fields, uint32_t n,
			bool map, uint32_t first_chain)
{
	struct gate_tuple key = { .set = set };
	uint32_t shapes = 1 + below(m, 4), elements, to;
	union gate_tuple_value shape;

	for (key.mark = 0; key.mark < shapes; key.mark++) {
		add_shape(m, &key, fields, n, key.mark + 1 == shapes);
		shape = m->rules->tuples[m->rules->n_tuples - 1].value;
		for (elements = below(m, 6); elements; elements--) {
			to = map ? verdict(m, first_chain) : GATE_VERDICT_CONTINUE;
			add_element(m, &key, fields, n, &shape, to);
		}
	}
}

/* A set with a check of it for the entry that was added last. */
static struct gate_check *add_set(struct making *m, bool map, uint32_t first_chain)
{
	uint32_t set = rules_set(m->rules), fields[4], n = 1 + below(m, 4), words = 0, i;

	for (i = 0; i < n; i++) {
		fields[i] = below(m, GATE_FIELD_MAX);
		words += rules_words(fields[i]);
	}
	if (n == 1 || words > GATE_TUPLE_WORDS) {
		fill_tree(m, set, fields[0], map, first_chain);
		return rules_check_set(m->rules, set, fields, 1);
	}
	fill_tuples(m, set, fields, n, map, first_chain);
	return rules_check_set(m->rules, set, fields, n);
}

static void add_checks(struct making *m)
{
	struct rules *r = m->rules;
	uint32_t n = below(m, 3) ? 0 : below(m, 7), field;
	struct gate_check *c;
	rules_value mask;

	for (; n; n--) {
		if (r->n_sets < RULES_SETS && !below(m, 3)) {
			c = add_set(m, false, 0);
		} else {
			field = below(m, GATE_FIELD_MAX);
			mask = below(m, 2) ? rules_max(field) : aim(m, field);
			c = rules_check_mask(r, field, mask, aim(m, field) & mask);
		}
		c->negate = (uint8_t)(below(m, 2));
	}
}

static void add_span(struct making *m, uint32_t entry, uint32_t field)
{
	rules_value from = aim(m, field), to = below(m, 2) ? from : aim(m, field);

	rules_span(m->rules, entry, field, from < to ? from : to, from < to ? to : from);
}

static void add_spans(struct making *m, uint32_t entry)
{
	uint32_t n = below(m, 3), spans, field;

	for (; n; n--) {
		field = below(m, GATE_FIELD_MAX);
		for (spans = 1 + below(m, 3); spans; spans--)
			add_span(m, entry, field);
		if (below(m, 3)) /* most of them are to be met */
			rules_span(m->rules, entry, field, 0, rules_max(field));
	}
}

/* The action of the entry that was added last. A map's check is no condition. */
static void add_action(struct making *m, struct gate_entry *e, uint32_t first_chain)
{
	struct rules *r = m->rules;
	uint32_t v = verdict(m, first_chain);

	if (below(m, 3) == 0 || v == GATE_VERDICT_CONTINUE)
		return;
	e->action = (uint16_t)(v >> 24);
	e->target = v & 0xffffff;
	if (r->n_sets < RULES_SETS && !below(m, 6)) {
		e->action = GATE_VMAP;
		e->target = r->n_checks;
		add_set(m, true, first_chain);
		e->checks--;
	}
}

static void add_entry(struct making *m, uint32_t first_chain)
{
	uint32_t i = rules_entry(m->rules, GATE_NEXT, 0);
	struct gate_entry *e = &m->rules->entries[i];

	if (m->rules->n_checks + 16 < RULES_CHECKS)
		add_checks(m);
	if (m->rules->n_spans + 16 < RULES_SPANS)
		add_spans(m, i);
	e->counter = below(m, COUNTERS + 1);
	e->limit = below(m, 10) ? 0 : 1 + below(m, m->rules->n_limits);
	e->log = below(m, 20) ? 0 : 1 + below(m, 3);
	if (m->rules->n_checks + 16 < RULES_CHECKS)
		add_action(m, e, first_chain);
}

/* So slow that no time of a test fills them up: each lets a few packets or bytes pass. */
static void add_limits(struct making *m)
{
	const uint64_t hour = UINT64_C(3600000000000);
	struct gate_limit *l;

	for (m->rules->n_limits = 0; m->rules->n_limits < 4; m->rules->n_limits++) {
		l = &m->rules->limits[m->rules->n_limits];
		l->flags = m->rules->n_limits;
		l->cost = hour;
		l->second = hour;
		l->rate = 1;
		l->tokens = l->max = l->flags & GATE_LIMIT_BYTES ? 600 * hour : 5 * hour;
	}
}

static void add_chain(struct making *m, uint32_t entries, uint32_t first_chain, uint32_t policy)
{
	uint32_t first = m->rules->n_entries;

	for (; entries; entries--)
		add_entry(m, first_chain);
	rules_chain(m->rules, first, m->rules->n_entries, policy);
}

struct rules *random_rules(struct lab_random *random, const struct gate_values *values, size_t n,
			   uint32_t entries)
{
	struct making m = { rules_new(), random, values, n };
	uint32_t i;

	add_limits(&m);
	for (i = 0; i < USER_CHAINS; i++)
		add_chain(&m, below(&m, 6), i + 1, 0);
	for (i = 0; i < BASE_CHAINS; i++)
		add_chain(&m, below(&m, entries), 0, below(&m, 2) ? GATE_ACCEPT : GATE_DROP);
	rules_place(m.rules, USER_CHAINS, BASE_CHAINS);
	rules_finish(m.rules);
	return m.rules;
}

static void add_plain_entry(struct making *m, const uint32_t *fields)
{
	static const uint32_t actions[] = { GATE_NEXT, GATE_NEXT, GATE_ACCEPT, GATE_DROP,
					    GATE_RETURN };
	uint32_t i = rules_entry(m->rules, actions[below(m, 5)], 0), n;

	for (n = below(m, 3); n; n--)
		add_span(m, i, fields[below(m, GATE_PLAIN_FIELDS)]);
	m->rules->entries[i].counter = below(m, COUNTERS + 1);
}

struct rules *random_plain_rules(struct lab_random *random, const struct gate_values *values,
				 size_t n)
{
	struct making m = { rules_new(), random, values, n };
	static const uint32_t sizes[] = { 3, 30, 300 };
	uint32_t fields[GATE_PLAIN_FIELDS], chain, first, i;

	for (i = 0; i < GATE_PLAIN_FIELDS; i++)
		fields[i] = below(&m, GATE_FIELD_MAX);
	for (chain = 0; chain < BASE_CHAINS; chain++) {
		first = m.rules->n_entries;
		for (i = 1 + below(&m, sizes[below(&m, 3)]); i; i--)
			add_plain_entry(&m, fields);
		rules_chain(m.rules, first, m.rules->n_entries,
			    below(&m, 2) ? GATE_ACCEPT : GATE_DROP);
	}
	rules_place(m.rules, 0, BASE_CHAINS);
	rules_finish(m.rules);
	assert_true(m.rules->config.features == GATE_IS_PLAIN);
	return m.rules;
}
