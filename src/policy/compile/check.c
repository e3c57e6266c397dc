// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether a ruleset keeps what src/policy/rule.h promises. Who reads rulesets makes sure of it; the
 * compiler counts on it, so it looks.
 */
#include <errno.h>

#include "draft.h"
#include "fields.h"
#include "words.h"

static bool key_is_sound(const struct key *key)
{
	uint32_t i, words = 0;

	if (key->n < 1 || key->n > GATE_TUPLE_FIELDS)
		return false;
	for (i = 0; i < key->n; i++) {
		if (key->field[i] >= GATE_FIELD_MAX)
			return false;
		words += fields_words(key->field[i]);
	}
	return words <= GATE_TUPLE_WORDS;
}

static bool verdict_is_sound(const struct ruleset *rs, uint32_t verdict)
{
	uint32_t action = verdict >> 24, chain = verdict & 0xffffff;

	switch (action) {
	case GATE_ACCEPT:
	case GATE_DROP:
	case GATE_RETURN:
		return true;
	case GATE_JUMP:
	case GATE_GOTO:
		return chain < rs->n_chains && !rs->chains[chain].is_base;
	default:
		return verdict == GATE_VERDICT_CONTINUE;
	}
}

/* A field may have fewer bits than its words have room for: a DSCP is of 6. */
static bool match_fits_set(const struct ruleset *rs, const struct match *m, bool verdicts)
{
	const struct set *s;
	uint32_t i;

	if (m->set >= rs->n_sets)
		return false;
	s = &rs->sets[m->set];
	if (s->n != m->key.n || s->verdicts != verdicts)
		return false;
	for (i = 0; i < s->n; i++)
		if (s->bits[i] > fields_bits(m->key.field[i]) ||
		    GATE_WORDS_OF((uint32_t)s->bits[i]) != fields_words(m->key.field[i]))
			return false;
	return true;
}

static bool match_is_sound(const struct ruleset *rs, const struct match *m)
{
	if (!key_is_sound(&m->key))
		return false;
	if (m->kind == MATCH_SET)
		return match_fits_set(rs, m, false);
	if (m->key.n != 1)
		return false;
	return m->kind == MATCH_MASK ||
	       spans_are_sound(m->spans, m->n_spans, fields_bits(m->key.field[0]));
}

static bool statement_is_sound(const struct ruleset *rs, const struct statement *s)
{
	switch (s->kind) {
	case STATEMENT_MATCH:
		return match_is_sound(rs, &s->match);
	case STATEMENT_COUNTER:
		return s->index < rs->n_counters;
	case STATEMENT_LIMIT:
		return s->index < rs->n_limits;
	case STATEMENT_LOG:
		return s->index < rs->n_logs;
	case STATEMENT_VERDICT:
		return verdict_is_sound(rs, s->verdict);
	case STATEMENT_VMAP:
		return key_is_sound(&s->match.key) && match_fits_set(rs, &s->match, true);
	}
	return false;
}

static bool set_is_sound(const struct ruleset *rs, const struct set *s)
{
	uint32_t i;
	size_t j;

	if (s->n < 1 || s->n > GATE_TUPLE_FIELDS)
		return false;
	for (i = 0; i < s->n; i++)
		if (s->bits[i] < 1 || s->bits[i] > 128)
			return false;
	for (j = 0; j < s->n_elements; j++)
		if (!verdict_is_sound(rs, s->elements[j].verdict))
			return false;
	return true;
}

static bool chain_is_sound(const struct ruleset *rs, const struct chain *c)
{
	if (c->table >= rs->n_tables || c->first_rule > rs->n_rules ||
	    c->n_rules > rs->n_rules - c->first_rule)
		return false;
	return !c->is_base ||
	       (c->hook < GATE_HOOKS && (c->policy == GATE_ACCEPT || c->policy == GATE_DROP));
}

static int check_rules(const struct ruleset *rs, const struct chain *chain, struct complaint *c)
{
	size_t i, j;

	for (i = chain->first_rule; i < chain->first_rule + chain->n_rules; i++)
		for (j = 0; j < rs->rules[i].n; j++)
			if (!statement_is_sound(rs, &rs->rules[i].statements[j]))
				return complain(c, -EINVAL, "%s: statement %zu contradicts itself",
						words_of_rule(rs, (uint32_t)i).text, j + 1);
	return 0;
}

int draft_check(const struct ruleset *rs, struct complaint *c)
{
	size_t i;
	int err = 0;

	if (rs->n_sets > GATE_SETS_MAX)
		return complain(c, -E2BIG,
				"%zu sets and maps, more than %u: merge some, anonymous ones too",
				rs->n_sets, GATE_SETS_MAX);
	for (i = 0; i < rs->n_sets; i++)
		if (!set_is_sound(rs, &rs->sets[i]))
			return complain(c, -EINVAL, "%s contradicts itself",
					words_of_set(rs, &rs->sets[i]).text);
	for (i = 0; i < rs->n_chains && !err; i++) {
		if (!chain_is_sound(rs, &rs->chains[i]))
			return complain(c, -EINVAL, "%s contradicts itself",
					words_of_chain(rs, (uint32_t)i).text);
		err = check_rules(rs, &rs->chains[i], c);
	}
	return err;
}
