// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules are the same if table, chain and text are. Several rules of a chain may have the same text:
 * the first of them is the first of those, and so on.
 */
#include "pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A rule or a named counter, as it is compared; equals stand in the order of `index`. */
struct item {
	uint32_t family;
	const char *table, *chain, *text;
	size_t index;
};

struct items {
	struct item *items;
	size_t n;
};

static int compare_names(const struct item *a, const struct item *b)
{
	int order = a->family < b->family ? -1 : a->family > b->family;

	if (!order)
		order = strcmp(a->table, b->table);
	if (!order)
		order = strcmp(a->chain, b->chain);
	return order ? order : strcmp(a->text, b->text);
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = compare_names(x, y);

	return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

static struct item item_of(const struct ruleset *rs, uint32_t table, const char *chain,
			   const char *text, size_t index)
{
	const struct table *t = &rs->tables[table];

	return (struct item){ t->family, t->name, chain, text ? text : "", index };
}

static int items_of_rules(struct items *out, const struct ruleset *rs)
{
	size_t i;

	out->n = 0;
	out->items = calloc(rs->n_rules + 1, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	for (i = 0; i < rs->n_rules; i++) {
		const struct chain *chain = &rs->chains[rs->rules[i].chain];

		out->items[out->n++] = item_of(rs, chain->table, chain->name, rs->rules[i].text, i);
	}
	qsort(out->items, out->n, sizeof(*out->items), compare_items);
	return 0;
}

static int items_of_counters(struct items *out, const struct ruleset *rs)
{
	size_t i;

	out->n = 0;
	out->items = calloc(rs->n_counters + 1, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	for (i = 0; i < rs->n_counters; i++)
		if (rs->counters[i].name)
			out->items[out->n++] = item_of(rs, rs->counters[i].table, "",
						       rs->counters[i].name, i);
	qsort(out->items, out->n, sizeof(*out->items), compare_items);
	return 0;
}

/* What a pair of items means. */
typedef void pair_fn(struct pairs *p, const struct ruleset *next, size_t i,
		     const struct ruleset *old, size_t j);

static void pair_counters(struct pairs *p, const struct ruleset *next, size_t i,
			  const struct ruleset *old, size_t j)
{
	(void)next;
	(void)old;
	p->counters[i] = (uint32_t)j;
}

static bool is_state(const struct ruleset *rs, const struct statement *s)
{
	return s->kind == STATEMENT_LIMIT ||
	       (s->kind == STATEMENT_COUNTER && !rs->counters[s->index].name);
}

/* The next statement with a state, from *at on. */
static const struct statement *next_state(const struct ruleset *rs, const struct rule *r,
					  size_t *at)
{
	const struct statement *s;

	while (*at < r->n) {
		s = &r->statements[(*at)++];
		if (is_state(rs, s))
			return s;
	}
	return NULL;
}

/* What has the same text has the same statements; if not, nothing is carried over. */
static void pair_rules(struct pairs *p, const struct ruleset *next, size_t i,
		       const struct ruleset *old, size_t j)
{
	const struct statement *s, *t;
	size_t a = 0, b = 0;

	for (;;) {
		s = next_state(next, &next->rules[i], &a);
		t = next_state(old, &old->rules[j], &b);
		if (!s || !t || s->kind != t->kind)
			return;
		if (s->kind == STATEMENT_COUNTER)
			p->counters[s->index] = t->index;
		else if (!memcmp(&next->limits[s->index], &old->limits[t->index],
				 offsetof(struct limit, bytes)))
			p->limits[s->index] = t->index;
	}
}

/* The n-th of equals here is the n-th of them there. */
static void meet(struct pairs *p, const struct ruleset *next, const struct items *a,
		 const struct ruleset *old, const struct items *b, pair_fn *fn)
{
	size_t i = 0, j = 0;
	int order;

	while (i < a->n && j < b->n) {
		order = compare_names(&a->items[i], &b->items[j]);
		if (!order)
			fn(p, next, a->items[i].index, old, b->items[j].index);
		i += order <= 0;
		j += order >= 0;
	}
}

static int pair(struct pairs *p, const struct ruleset *next, const struct ruleset *old,
		int (*items_of)(struct items *out, const struct ruleset *rs), pair_fn *fn)
{
	struct items a = { NULL, 0 }, b = { NULL, 0 };
	int r = items_of(&a, next);

	if (!r)
		r = items_of(&b, old);
	if (!r)
		meet(p, next, &a, old, &b, fn);
	free(a.items);
	free(b.items);
	return r;
}

int pairs_find(struct pairs *out, const struct ruleset *next, const struct ruleset *old)
{
	struct pairs p = {
		.counters = malloc((next->n_counters + 1) * sizeof(*p.counters)),
		.limits = malloc((next->n_limits + 1) * sizeof(*p.limits)),
	};
	int r = p.counters && p.limits ? 0 : -ENOMEM;

	if (!r) {
		memset(p.counters, 0xff, next->n_counters * sizeof(*p.counters));
		memset(p.limits, 0xff, next->n_limits * sizeof(*p.limits));
		r = pair(&p, next, old, items_of_rules, pair_rules);
	}
	if (!r)
		r = pair(&p, next, old, items_of_counters, pair_counters);
	if (r)
		pairs_release(&p);
	else
		*out = p;
	return r;
}

void pairs_release(struct pairs *p)
{
	free(p->counters);
	free(p->limits);
	*p = (struct pairs){ NULL, NULL };
}
