// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "script.h"
#include "test.h"

/* All that can be left out, the large things first. */
struct parts {
	bool **off;
	size_t n;
};

static void add(struct parts *p, bool *off)
{
	if (!(p->n & (p->n + 1)))
		p->off = realloc(p->off, (2 * p->n + 2) * sizeof(*p->off));
	assert_non_null(p->off);
	p->off[p->n++] = off;
}

static void add_table(struct parts *p, struct script_table *t)
{
	for (size_t i = 0; i < t->n_chains; i++)
		add(p, &t->chains[i].off);
	for (size_t i = 0; i < t->n_chains; i++)
		for (size_t k = 0; k < t->chains[i].n; k++)
			add(p, &t->chains[i].rules[k].off);
	for (size_t i = 0; i < t->n_objects; i++)
		add(p, &t->objects[i].off);
}

/* Leaves out those that are still there; false: there was none, or it is needed. */
static bool leave_out(const struct parts *p, size_t first, size_t n, bool (*still_fails)(void *arg),
		      void *arg)
{
	lab_autofree bool *was = calloc(n, sizeof(*was));
	bool any = false;

	assert_non_null(was);
	for (size_t i = 0; i < n; i++) {
		was[i] = *p->off[first + i];
		any = any || !was[i];
		*p->off[first + i] = true;
	}
	if (any && still_fails(arg))
		return true;
	for (size_t i = 0; i < n; i++)
		*p->off[first + i] = was[i];
	return false;
}

void script_shrink(struct script *r, bool (*still_fails)(void *arg), void *arg)
{
	struct parts p = { 0 };
	bool again = true;

	for (size_t i = 0; i < r->n_tables; i++)
		add(&p, &r->tables[i].off);
	for (size_t i = 0; i < r->n_tables; i++)
		add_table(&p, &r->tables[i]);
	while (again) {
		again = false;
		for (size_t n = (p.n + 1) / 2; n; n /= 2)
			for (size_t first = 0; first < p.n; first += n)
				again |= leave_out(&p, first, first + n > p.n ? p.n - first : n,
						   still_fails, arg);
	}
	free(p.off);
}
