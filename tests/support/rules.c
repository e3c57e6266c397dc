// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more, which is zero. */
static void *more(void *array, size_t n, size_t size)
{
	char *grown = array;

	/* At powers of two. */
	if (!(n & (n - 1)))
		grown = realloc(array, (n ? 2 * n : 1) * size);
	assert_non_null(grown);
	memset(grown + n * size, 0, size);
	return grown;
}

static char *number_name(const char *word, size_t number)
{
	char name[32];
	char *copy;

	snprintf(name, sizeof(name), "%s%zu", word, number);
	copy = strdup(name);
	assert_non_null(copy);
	return copy;
}

uint32_t rules_table(struct ruleset *rs, uint32_t family)
{
	rs->tables = more(rs->tables, rs->n_tables, sizeof(*rs->tables));
	rs->tables[rs->n_tables].name = number_name("t", rs->n_tables);
	rs->tables[rs->n_tables].family = family;
	return (uint32_t)rs->n_tables++;
}

uint32_t rules_chain(struct ruleset *rs, uint32_t table)
{
	rs->chains = more(rs->chains, rs->n_chains, sizeof(*rs->chains));
	rs->chains[rs->n_chains].name = number_name("c", rs->n_chains);
	rs->chains[rs->n_chains].table = table;
	return (uint32_t)rs->n_chains++;
}

uint32_t rules_base(struct ruleset *rs, uint32_t table, uint32_t hook, int32_t priority,
		    uint32_t policy)
{
	uint32_t chain = rules_chain(rs, table);

	rs->chains[chain].is_base = true;
	rs->chains[chain].hook = hook;
	rs->chains[chain].priority = priority;
	rs->chains[chain].policy = policy;
	return chain;
}

uint32_t rules_rule(struct ruleset *rs, uint32_t chain)
{
	struct chain *c = &rs->chains[chain];

	rs->rules = more(rs->rules, rs->n_rules, sizeof(*rs->rules));
	rs->rules[rs->n_rules].chain = chain;
	rs->rules[rs->n_rules].text = number_name("rule ", rs->n_rules);
	if (!c->n_rules)
		c->first_rule = rs->n_rules;
	assert_int_equal(c->first_rule + c->n_rules, rs->n_rules);
	c->n_rules++;
	return (uint32_t)rs->n_rules++;
}

uint32_t rules_counter(struct ruleset *rs)
{
	rs->counters = more(rs->counters, rs->n_counters, sizeof(*rs->counters));
	return (uint32_t)rs->n_counters++;
}

uint32_t rules_log(struct ruleset *rs)
{
	rs->logs = more(rs->logs, rs->n_logs, sizeof(*rs->logs));
	return (uint32_t)rs->n_logs++;
}

uint32_t rules_limit(struct ruleset *rs, const struct limit *limit)
{
	rs->limits = more(rs->limits, rs->n_limits, sizeof(*rs->limits));
	rs->limits[rs->n_limits] = *limit;
	return (uint32_t)rs->n_limits++;
}

static uint32_t bits_of(uint32_t field)
{
	static const uint8_t bits[] = {
#define FIELD_BITS(name, width, text) width,
		GATE_FIELDS(FIELD_BITS)
#undef FIELD_BITS
	};

	return bits[field];
}

uint32_t rules_set(struct ruleset *rs, const struct key *key, bool verdicts, bool is_named)
{
	struct set *s;
	uint32_t i;

	rs->sets = more(rs->sets, rs->n_sets, sizeof(*rs->sets));
	s = &rs->sets[rs->n_sets];
	s->name = is_named ? number_name("s", rs->n_sets) : strdup("");
	s->n = key->n;
	for (i = 0; i < key->n; i++)
		s->bits[i] = (uint8_t)bits_of(key->field[i]);
	s->verdicts = verdicts;
	s->is_named = is_named;
	return (uint32_t)rs->n_sets++;
}

void rules_element(struct ruleset *rs, uint32_t set, const struct span *spans, uint32_t verdict)
{
	struct set *s = &rs->sets[set];

	s->elements = more(s->elements, s->n_elements, sizeof(*s->elements));
	memcpy(s->elements[s->n_elements].span, spans, s->n * sizeof(*spans));
	s->elements[s->n_elements++].verdict = verdict;
}

static struct statement *statement(struct ruleset *rs, enum statement_kind kind)
{
	struct rule *r = &rs->rules[rs->n_rules - 1];

	r->statements = more(r->statements, r->n, sizeof(*r->statements));
	r->statements[r->n].kind = kind;
	return &r->statements[r->n++];
}

void rules_spans(struct ruleset *rs, uint32_t field, bool negate, const struct span *spans,
		 size_t n)
{
	struct match *m = &statement(rs, STATEMENT_MATCH)->match;

	m->kind = MATCH_SPANS;
	m->negate = negate;
	m->key = (struct key){ 1, { (uint8_t)field } };
	m->spans = malloc((n + 1) * sizeof(*spans));
	assert_non_null(m->spans);
	if (n)
		memcpy(m->spans, spans, n * sizeof(*spans));
	m->n_spans = n;
}

void rules_is(struct ruleset *rs, uint32_t field, value from, value to)
{
	const struct span span = { from, to };

	rules_spans(rs, field, false, &span, 1);
}

void rules_mask(struct ruleset *rs, uint32_t field, bool negate, value mask, value is)
{
	struct match *m = &statement(rs, STATEMENT_MATCH)->match;

	m->kind = MATCH_MASK;
	m->negate = negate;
	m->key = (struct key){ 1, { (uint8_t)field } };
	m->mask = mask;
	m->value = is;
}

void rules_in(struct ruleset *rs, const struct key *key, bool negate, uint32_t set)
{
	struct match *m = &statement(rs, STATEMENT_MATCH)->match;

	m->kind = MATCH_SET;
	m->negate = negate;
	m->key = *key;
	m->set = set;
}

void rules_verdict(struct ruleset *rs, uint32_t action, uint32_t chain)
{
	statement(rs, STATEMENT_VERDICT)->verdict = GATE_VERDICT(action, chain);
}

void rules_continue(struct ruleset *rs)
{
	statement(rs, STATEMENT_VERDICT)->verdict = GATE_VERDICT_CONTINUE;
}

void rules_vmap(struct ruleset *rs, const struct key *key, uint32_t set)
{
	struct match *m = &statement(rs, STATEMENT_VMAP)->match;

	m->kind = MATCH_SET;
	m->key = *key;
	m->set = set;
}

uint32_t rules_count(struct ruleset *rs)
{
	uint32_t counter = rules_counter(rs);

	statement(rs, STATEMENT_COUNTER)->index = counter;
	return counter;
}

void rules_tell(struct ruleset *rs)
{
	uint32_t log = rules_log(rs);

	statement(rs, STATEMENT_LOG)->index = log;
}

void rules_limited(struct ruleset *rs, const struct limit *limit)
{
	uint32_t number = rules_limit(rs, limit);

	statement(rs, STATEMENT_LIMIT)->index = number;
}
