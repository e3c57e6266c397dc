// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules to entries: what of a rule stands in which step.
 *
 * An entry does things in one order: checks, limit, counter, log, action. A statement that would
 * come too late for that opens the next entry of the same rule. Conditions hold for all entries of
 * a rule from theirs on, so what follows is looked at only if they held; checks and limits of an
 * earlier entry that fail lead out of the rule, past the later ones.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "fields.h"
#include "words.h"

/* What a log tells of a packet, whatever the rules ask for. */
#define LOG_FIELDS \
	(GATE_BIT(IP_SADDR) | GATE_BIT(IP_DADDR) | GATE_BIT(IP6_SADDR) | GATE_BIT(IP6_DADDR) | \
	 GATE_BIT(IIFNAME) | GATE_BIT(OIFNAME) | GATE_BIT(LENGTH) | GATE_BIT(SPORT) | \
	 GATE_BIT(DPORT) | GATE_BIT(LARGEST) | GATE_BIT(SMALLEST) | GATE_BIT(L4PROTO) | \
	 GATE_BIT(TCP_FLAGS) | GATE_BIT(ICMP_TYPE) | GATE_BIT(ICMP_CODE) | GATE_BIT(ICMPV6_TYPE) | \
	 GATE_BIT(ICMPV6_CODE) | GATE_BIT(REASSEMBLED))

/* How far an entry is filled. */
enum stage {
	STAGE_MATCH,
	STAGE_LIMIT,
	STAGE_COUNTER,
	STAGE_LOG,
	STAGE_ACTION,
};

/* A rule on its way. */
struct lowering {
	struct draft *draft;
	uint32_t rule;
	size_t first_entry, first_condition;
	bool is_open; /* the last entry takes more */
	enum stage stage;
	bool is_over; /* a verdict was met that always ends the rule */
};

static struct gate_entry *last_entry(const struct lowering *l)
{
	return &l->draft->image->entries[l->draft->image->n_entries - 1];
}

static int open_entry(struct lowering *l)
{
	struct draft *d = l->draft;
	struct image *image = d->image;
	struct gate_entry *entries;

	if (image->n_entries == GATE_ENTRIES_MAX)
		return complain(d->complaint, -E2BIG,
				"%s: more than %u steps of rules: put addresses and ports of "
				"alike rules into sets or verdict maps",
				words_of_rule(d->rs, l->rule).text, GATE_ENTRIES_MAX);
	entries = draft_grow(image->entries, image->n_entries, &d->room_entries, sizeof(*entries));
	if (!entries)
		return draft_no_memory(d);
	image->entries = entries;
	entries[image->n_entries++] = (struct gate_entry){
		.action = GATE_NEXT,
		.first_check = (uint32_t)image->n_checks,
		.rule = l->rule,
	};
	l->is_open = true;
	l->stage = STAGE_MATCH;
	return 0;
}

/* Makes the last entry one that can still take something of that stage. */
static int reach(struct lowering *l, enum stage stage)
{
	bool fits = stage == STAGE_MATCH ? l->stage == STAGE_MATCH : l->stage < stage;

	if (!l->is_open || !fits) {
		int err = open_entry(l);

		if (err)
			return err;
	}
	l->stage = stage;
	return 0;
}

static int add_check(struct draft *d, const struct gate_check *check)
{
	struct image *image = d->image;
	struct gate_check *checks = draft_grow(image->checks, image->n_checks, &d->room_checks,
					       sizeof(*checks));

	if (!checks)
		return draft_no_memory(d);
	image->checks = checks;
	checks[image->n_checks++] = *check;
	image->config.fields |= check->present;
	image->config.features |= check->kind == GATE_CHECK_TREE  ? GATE_HAS_TREES :
				  check->kind == GATE_CHECK_TUPLE ? GATE_HAS_TUPLES :
								    0;
	return 0;
}

/* Where the key is read, and what must be there. */
static struct gate_check check_of_key(const struct key *key)
{
	struct gate_check check = { .fields = (uint8_t)key->n };
	uint32_t i, j;

	for (i = 0; i < key->n; i++) {
		check.present |= 1u << key->field[i];
		for (j = 0; j < fields_words(key->field[i]); j++)
			check.word[check.words++] = (uint8_t)(fields_word(key->field[i]) + j);
	}
	return check;
}

static struct gate_check check_of(const struct match *m)
{
	struct gate_check check = check_of_key(&m->key);

	check.negate = m->negate;
	if (m->kind == MATCH_MASK) {
		check.kind = GATE_CHECK_MASK;
		fields_split(check.mask, m->mask, fields_bits(m->key.field[0]));
		fields_split(check.value, m->value, fields_bits(m->key.field[0]));
	} else {
		check.kind = m->key.n == 1 ? GATE_CHECK_TREE : GATE_CHECK_TUPLE;
		check.set = m->set;
	}
	return check;
}

static int add_condition(struct lowering *l, const struct match *m)
{
	struct draft *d = l->draft;
	struct condition *conditions, *c;

	conditions = draft_grow(d->conditions, d->n_conditions, &d->room_conditions,
				sizeof(*conditions));
	if (!conditions)
		return draft_no_memory(d);
	d->conditions = conditions;
	c = &conditions[d->n_conditions];
	if (condition_of(c, d->rs, m))
		return draft_no_memory(d);
	c->first = (uint32_t)d->image->n_entries - 1;
	d->n_conditions++;
	return 0;
}

static int lower_match(struct lowering *l, const struct match *m)
{
	struct gate_check check;
	int err = reach(l, STAGE_MATCH);

	if (err)
		return err;
	if (match_is_condition(l->draft->rs, m))
		return add_condition(l, m);
	if (last_entry(l)->checks == UINT16_MAX)
		return complain(l->draft->complaint, -E2BIG, "%s: too many matches on sets",
				words_of_rule(l->draft->rs, l->rule).text);
	check = check_of(m);
	last_entry(l)->checks++;
	l->draft->image->config.features |= GATE_HAS_CHECKS;
	return add_check(l->draft, &check);
}

static int lower_vmap(struct lowering *l, const struct match *m)
{
	struct gate_check check = check_of_key(&m->key);
	int err = reach(l, STAGE_ACTION);

	if (err)
		return err;
	check.kind = m->key.n == 1 ? GATE_CHECK_TREE : GATE_CHECK_TUPLE;
	check.set = m->set;
	last_entry(l)->action = GATE_VMAP;
	last_entry(l)->target = (uint32_t)l->draft->image->n_checks;
	l->draft->image->config.features |= GATE_HAS_VMAPS | GATE_HAS_JUMPS;
	l->is_open = false;
	return add_check(l->draft, &check);
}

static int lower_verdict(struct lowering *l, uint32_t verdict)
{
	int err;

	if (verdict == GATE_VERDICT_CONTINUE)
		return 0;
	err = reach(l, STAGE_ACTION);
	if (err)
		return err;
	last_entry(l)->action = (uint16_t)(verdict >> 24);
	last_entry(l)->target = verdict & 0xffffff;
	if (last_entry(l)->action >= GATE_JUMP)
		l->draft->image->config.features |= GATE_HAS_JUMPS;
	l->is_over = true;
	return 0;
}

static int lower_statement(struct lowering *l, const struct statement *s)
{
	uint32_t *features = &l->draft->image->config.features;
	int err;

	switch (s->kind) {
	case STATEMENT_MATCH:
		return lower_match(l, &s->match);
	case STATEMENT_COUNTER:
		err = reach(l, STAGE_COUNTER);
		if (!err)
			last_entry(l)->counter = s->index + 1;
		return err;
	case STATEMENT_LIMIT:
		err = reach(l, STAGE_LIMIT);
		if (!err)
			last_entry(l)->limit = s->index + 1;
		*features |= GATE_HAS_LIMITS;
		return err;
	case STATEMENT_LOG:
		err = reach(l, STAGE_LOG);
		if (!err)
			last_entry(l)->log = s->index + 1;
		*features |= GATE_HAS_LOG;
		l->draft->image->config.fields |= LOG_FIELDS;
		return err;
	case STATEMENT_VERDICT:
		return lower_verdict(l, s->verdict);
	case STATEMENT_VMAP:
		return lower_vmap(l, &s->match);
	}
	return complain(l->draft->complaint, -EINVAL, "%s: an unknown statement",
			words_of_rule(l->draft->rs, l->rule).text);
}

/* A rule that does nothing needs no entry. */
static bool has_effect(const struct rule *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->statements[i].kind != STATEMENT_MATCH)
			return true;
	return false;
}

/* The family that a packet is of if it has that field; 0: either. */
static uint32_t family_with(uint32_t field)
{
	if (1u << field & GATE_ONLY_IPV4)
		return NFPROTO_IPV4;
	return 1u << field & GATE_ONLY_IPV6 ? NFPROTO_IPV6 : 0;
}

static bool allows(const struct condition *c, value v)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->spans[i].from <= v && v <= c->spans[i].to)
			return true;
	return false;
}

/*
 * Ends a condition on the family where another one begins that only this family can meet: in tables
 * of both, nftables writes one with each address.
 */
static void end_family(const struct draft *d, size_t first, struct condition *c)
{
	size_t i;

	for (i = first; i < d->n_conditions; i++) {
		const struct condition *other = &d->conditions[i];
		uint32_t family = family_with(other->field);

		if (family && allows(c, family) && other->first < c->end)
			c->end = other->first;
	}
}

static void end_families(struct draft *d, size_t first)
{
	size_t i, n = first;

	for (i = first; i < d->n_conditions; i++)
		if (d->conditions[i].field == GATE_NFPROTO)
			end_family(d, first, &d->conditions[i]);
	for (i = first; i < d->n_conditions; i++) {
		struct condition *c = &d->conditions[i];

		if (c->first < c->end)
			d->conditions[n++] = *c;
		else
			condition_release(c);
	}
	d->n_conditions = n;
}

static int lower_rule(struct draft *d, uint32_t rule)
{
	const struct rule *r = &d->rs->rules[rule];
	struct image *image = d->image;
	struct lowering l = {
		.draft = d,
		.rule = rule,
		.first_entry = image->n_entries,
		.first_condition = d->n_conditions,
	};
	size_t i;
	int err = 0;

	for (i = 0; i < r->n && !err && !l.is_over && has_effect(r); i++)
		err = lower_statement(&l, &r->statements[i]);
	for (i = l.first_entry; i < image->n_entries; i++)
		image->entries[i].next = (uint32_t)image->n_entries;
	for (i = l.first_condition; i < d->n_conditions; i++)
		d->conditions[i].end = (uint32_t)image->n_entries;
	end_families(d, l.first_condition);
	return err;
}

int draft_rules(struct draft *d)
{
	struct image *image = d->image;
	size_t i, j;
	int err;

	for (i = 0; i < d->rs->n_chains; i++) {
		const struct chain *chain = &d->rs->chains[i];

		image->chains[i].first = (uint32_t)image->n_entries;
		for (j = 0; j < chain->n_rules; j++) {
			err = lower_rule(d, (uint32_t)(chain->first_rule + j));
			if (err)
				return err;
		}
		image->chains[i].end = (uint32_t)image->n_entries;
		image->chains[i].policy = chain->is_base ? chain->policy : 0;
	}
	return 0;
}
