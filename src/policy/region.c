// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "region.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Order by all components but one, and then by that one. */
struct order {
	uint32_t components, last;
};

void regions_release(struct regions *r)
{
	free(r->items);
	*r = (struct regions){ NULL, 0 };
}

int spans_compare(const struct span *a, const struct span *b)
{
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

static int compare_rest(const struct element *a, const struct element *b, const struct order *o)
{
	uint32_t i;
	int c;

	for (i = 0; i < o->components; i++) {
		c = i == o->last ? 0 : spans_compare(&a->span[i], &b->span[i]);
		if (c)
			return c;
	}
	return a->verdict < b->verdict ? -1 : a->verdict > b->verdict;
}

static int compare_elements(const void *a, const void *b, void *order)
{
	const struct element *x = a, *y = b;
	const struct order *o = order;
	int c = compare_rest(x, y, o);

	return c ? c : spans_compare(&x->span[o->last], &y->span[o->last]);
}

static bool is_sorted(const struct regions *r, const struct order *o)
{
	size_t i;

	for (i = 1; i < r->n; i++)
		if (compare_elements(&r->items[i - 1], &r->items[i], (void *)o) > 0)
			return false;
	return true;
}

static void sort(struct regions *r, struct order o)
{
	if (!is_sorted(r, &o))
		qsort_r(r->items, r->n, sizeof(*r->items), compare_elements, &o);
}

static bool touches(const struct span *a, const struct span *next)
{
	return next->from <= a->to || next->from - 1 == a->to;
}

static void join_along(struct regions *r, struct order o)
{
	size_t i, n = 0;
	struct span *last;

	sort(r, o);
	for (i = 0; i < r->n; i++) {
		last = n ? &r->items[n - 1].span[o.last] : NULL;
		if (!last || compare_rest(&r->items[n - 1], &r->items[i], &o) ||
		    !touches(last, &r->items[i].span[o.last]))
			r->items[n++] = r->items[i];
		else if (r->items[i].span[o.last].to > last->to)
			last->to = r->items[i].span[o.last].to;
	}
	r->n = n;
}

int regions_join(struct regions *r, uint32_t components)
{
	uint32_t i;

	for (i = components; i-- > 0;)
		join_along(r, (struct order){ components, i });
	sort(r, (struct order){ components, components - 1 });
	return 0;
}

static int append(struct regions *r, const struct element *items, size_t n)
{
	struct element *all = reallocarray(r->items, r->n + n + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	if (n)
		memcpy(all + r->n, items, n * sizeof(*all));
	r->items = all;
	r->n += n;
	return 0;
}

int regions_add(struct regions *r, const struct regions *more, uint32_t components)
{
	int err = append(r, more->items, more->n);

	return err ? err : regions_join(r, components);
}

/* Appends with room that doubles. */
struct row {
	struct regions all;
	size_t room;
	bool is_short;
};

static void row_put(struct row *row, const struct element *e)
{
	struct element *items;
	size_t room = row->room ? 2 * row->room : 64;

	if (row->all.n == row->room) {
		items = reallocarray(row->all.items, room, sizeof(*items));
		if (!items) {
			row->is_short = true;
			return;
		}
		row->all.items = items;
		row->room = room;
	}
	row->all.items[row->all.n++] = *e;
}

static bool meet(const struct element *a, const struct element *b, uint32_t components)
{
	uint32_t i;

	for (i = 0; i < components; i++)
		if (a->span[i].from > b->span[i].to || b->span[i].from > a->span[i].to)
			return false;
	return true;
}

/* What is left of a without b, which it meets: at most two pieces a component. */
static void cut(struct row *out, const struct element *a, const struct element *b,
		uint32_t components)
{
	struct element rest = *a, piece;
	uint32_t i;

	for (i = 0; i < components; i++) {
		if (rest.span[i].from < b->span[i].from) {
			piece = rest;
			piece.span[i].to = b->span[i].from - 1;
			row_put(out, &piece);
			rest.span[i].from = b->span[i].from;
		}
		if (rest.span[i].to > b->span[i].to) {
			piece = rest;
			piece.span[i].from = b->span[i].to + 1;
			row_put(out, &piece);
			rest.span[i].to = b->span[i].to;
		}
	}
}

static void cut_all(struct row *out, const struct regions *from, const struct element *b,
		    uint32_t components)
{
	size_t i;

	for (i = 0; i < from->n; i++) {
		if (meet(&from->items[i], b, components))
			cut(out, &from->items[i], b, components);
		else
			row_put(out, &from->items[i]);
	}
}

/* Whether all of an item is covered: what is left of it without each of the others. */
static bool covers(const struct regions *r, const struct element *e, uint32_t components,
		   bool *is_short)
{
	struct row left = { .room = 0 }, next;
	size_t i;
	bool all;

	row_put(&left, e);
	for (i = 0; i < r->n && left.all.n && !left.is_short; i++) {
		if (!meet(&r->items[i], e, components))
			continue;
		next = (struct row){ .room = 0 };
		cut_all(&next, &left.all, &r->items[i], components);
		next.is_short |= left.is_short;
		regions_release(&left.all);
		left = next;
	}
	*is_short |= left.is_short;
	all = !left.all.n;
	regions_release(&left.all);
	return all;
}

/* The first of one component that is not wholly there; less->n: none. */
static size_t find_missing(const struct regions *r, const struct regions *less)
{
	size_t i = 0, j;

	for (j = 0; j < less->n; j++) {
		while (i < r->n && r->items[i].span->to < less->items[j].span->from)
			i++;
		if (i == r->n || r->items[i].span->from > less->items[j].span->from ||
		    r->items[i].span->to < less->items[j].span->to)
			break;
	}
	return j;
}

/* What is left of one span without those in it, from less->items[*at] on. */
static void take_from(struct row *out, const struct element *e, const struct regions *less,
		      size_t *at)
{
	struct element rest = *e, piece;
	const struct span *hole;

	for (; *at < less->n && less->items[*at].span->to <= e->span->to; (*at)++) {
		hole = less->items[*at].span;
		piece = rest;
		piece.span->to = hole->from - 1;
		if (hole->from > rest.span->from)
			row_put(out, &piece);
		if (hole->to == e->span->to) {
			(*at)++;
			return;
		}
		rest.span->from = hole->to + 1;
	}
	row_put(out, &rest);
}

/* Sorted and disjoint on both sides, so one goes along both. */
static int take_along(struct row *out, const struct regions *r, const struct regions *less,
		      size_t *missing)
{
	size_t i, at = 0;

	*missing = find_missing(r, less);
	if (*missing < less->n)
		return -ENOENT;
	for (i = 0; i < r->n; i++)
		take_from(out, &r->items[i], less, &at);
	return 0;
}

/* SIZE_MAX: not there, just so. */
static size_t find_same(const struct regions *r, const struct element *e, const struct order *o)
{
	size_t low = 0, high = r->n, middle;
	int c;

	while (low < high) {
		middle = low + (high - low) / 2;
		c = compare_elements(&r->items[middle], e, (void *)o);
		if (!c)
			return middle;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

/* Takes one away from what is left. */
static int take_one(struct row *left, const struct element *e, uint32_t components)
{
	struct row next = { .room = 0 };

	cut_all(&next, &left->all, e, components);
	next.is_short |= left->is_short;
	regions_release(&left->all);
	*left = next;
	return left->is_short ? -ENOMEM : 0;
}

/*
 * Those that are in the row just so are found by search; others are cut out of all that they meet,
 * one by one.
 */
static int take_apart(struct row *out, const struct regions *r, const struct regions *less,
		      uint32_t components, size_t *missing)
{
	const struct order o = { components, components - 1 };
	bool *same = calloc(r->n + less->n + 1, sizeof(*same)), *is_odd = same + r->n;
	bool is_short = !same;
	size_t i, at;
	int err = 0;

	for (i = 0; i < less->n && !is_short && !err; i++) {
		at = find_same(r, &less->items[i], &o);
		is_odd[i] = at == SIZE_MAX;
		if (at != SIZE_MAX)
			same[at] = true;
		else if (!covers(r, &less->items[i], components, &is_short))
			err = -ENOENT;
		*missing = i;
	}
	for (i = 0; i < r->n && !is_short && !err; i++)
		if (!same[i])
			row_put(out, &r->items[i]);
	for (i = 0; i < less->n && !is_short && !err; i++)
		if (is_odd[i])
			err = take_one(out, &less->items[i], components);
	free(same);
	return is_short ? -ENOMEM : err;
}

int regions_take(struct regions *r, const struct regions *less, uint32_t components,
		 size_t *missing)
{
	struct row out = { .room = 0 };
	int err = components == 1 ? take_along(&out, r, less, missing) :
				    take_apart(&out, r, less, components, missing);

	if (!err && out.is_short)
		err = -ENOMEM;
	if (err) {
		regions_release(&out.all);
		return err;
	}
	regions_release(r);
	*r = out.all;
	return regions_join(r, components);
}
