// SPDX-License-Identifier: GPL-2.0-or-later
#include "profile.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"

void profile_release(struct profile *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		free(p->fields[i].spans);
	free(p->fields);
}

/* Where a new one belongs it is made, of no spans. */
static struct profile_field *find_field(struct profile *p, uint32_t field)
{
	struct profile_field *fields;
	size_t i = 0;

	while (i < p->n && p->fields[i].field < field)
		i++;
	if (i < p->n && p->fields[i].field == field)
		return &p->fields[i];
	fields = realloc(p->fields, (p->n + 1) * sizeof(*fields));
	if (!fields)
		return NULL;
	p->fields = fields;
	memmove(&fields[i + 1], &fields[i], (p->n - i) * sizeof(*fields));
	fields[i] = (struct profile_field){ .field = field };
	p->n++;
	return &fields[i];
}

static value max(value a, value b)
{
	return a > b ? a : b;
}

static value min(value a, value b)
{
	return a < b ? a : b;
}

static int intersect(struct profile_field *f, const struct span *spans, size_t n)
{
	struct span *both = malloc((f->n + n + 1) * sizeof(*both));
	size_t i = 0, j = 0, made = 0;

	if (!both)
		return -ENOMEM;
	while (i < f->n && j < n) {
		const struct span common = { max(f->spans[i].from, spans[j].from),
					     min(f->spans[i].to, spans[j].to) };

		if (common.from <= common.to)
			both[made++] = common;
		if (f->spans[i].to < spans[j].to)
			i++;
		else
			j++;
	}
	free(f->spans);
	f->spans = both;
	f->n = made;
	return 0;
}

static int copy(struct profile_field *f, const struct span *spans, size_t n)
{
	f->spans = malloc((n + 1) * sizeof(*spans));
	if (!f->spans)
		return -ENOMEM;
	if (n)
		memcpy(f->spans, spans, n * sizeof(*spans));
	f->n = n;
	return 0;
}

static int add_spans(struct profile *p, uint32_t field, const struct span *spans, size_t n)
{
	struct profile_field *f = find_field(p, field);
	int err;

	if (!f)
		return -ENOMEM;
	err = p->mask >> field & 1 ? intersect(f, spans, n) : copy(f, spans, n);
	p->mask |= 1u << field;
	if (!err && !f->n)
		p->empty = field;
	return err;
}

static int add_match(struct profile *p, const struct ruleset *rs, const struct match *m)
{
	struct condition c;
	int err;

	if (!match_is_condition(rs, m)) {
		p->is_exact = false;
		return 0;
	}
	err = condition_of(&c, rs, m);
	if (err)
		return err;
	err = add_spans(p, c.field, c.spans, c.n);
	condition_release(&c);
	return err;
}

static bool ends_chain(uint32_t verdict)
{
	switch (verdict >> 24) {
	case GATE_ACCEPT:
	case GATE_DROP:
	case GATE_GOTO:
	case GATE_RETURN:
		return true;
	default:
		return false;
	}
}

/* What a table's family says of all packets in it. */
static int add_family(struct profile *p, uint32_t family)
{
	const struct span both[] = { { NFPROTO_IPV4, NFPROTO_IPV4 },
				     { NFPROTO_IPV6, NFPROTO_IPV6 } };

	return add_spans(p, GATE_NFPROTO, family == FAMILY_IP6 ? &both[1] : both,
			 family == FAMILY_INET ? 2 : 1);
}

/*
 * Behind the first statement that does something, matches no longer belong to what the rule asks
 * for; but a rule that then asks for more, or looks elsewhere, does not surely end its chain.
 */
static int add_statement(struct profile *p, const struct ruleset *rs, const struct statement *s,
			 bool *is_certain)
{
	switch (s->kind) {
	case STATEMENT_MATCH:
		if (!p->is_active)
			return add_match(p, rs, &s->match);
		*is_certain = false;
		return 0;
	case STATEMENT_LIMIT:
	case STATEMENT_VMAP:
		*is_certain = false;
		break;
	case STATEMENT_VERDICT:
		p->is_final |= *is_certain && ends_chain(s->verdict);
		break;
	case STATEMENT_COUNTER:
	case STATEMENT_LOG:
		break;
	}
	p->is_active = true;
	return 0;
}

int profile_init(struct profile *p, const struct ruleset *rs, uint32_t rule)
{
	const struct rule *r = &rs->rules[rule];
	bool is_certain = true;
	size_t i;
	int err;

	memset(p, 0, sizeof(*p));
	p->is_exact = true;
	p->empty = GATE_FIELD_MAX;
	err = add_family(p, rs->tables[rs->chains[r->chain].table].family);
	for (i = 0; i < r->n && !err; i++)
		err = add_statement(p, rs, &r->statements[i], &is_certain);
	if (err) {
		profile_release(p);
		memset(p, 0, sizeof(*p));
	}
	return err;
}

static bool spans_cover(const struct profile_field *outer, const struct profile_field *inner)
{
	size_t i, j = 0;
	value from;

	for (i = 0; i < inner->n; i++) {
		/* Spans of the outer one may be adjacent. */
		from = inner->spans[i].from;
		for (;;) {
			while (j < outer->n && outer->spans[j].to < from)
				j++;
			if (j == outer->n || outer->spans[j].from > from)
				return false;
			if (outer->spans[j].to >= inner->spans[i].to)
				break;
			from = outer->spans[j].to + 1;
		}
	}
	return true;
}

bool profile_covers(const struct profile *outer, const struct profile *inner)
{
	size_t i, j = 0;

	if (!outer->is_exact || outer->mask & ~inner->mask)
		return false;
	for (i = 0; i < outer->n; i++) {
		while (inner->fields[j].field != outer->fields[i].field)
			j++;
		if (!spans_cover(&outer->fields[i], &inner->fields[j]))
			return false;
	}
	return true;
}
