// SPDX-License-Identifier: GPL-2.0-or-later
#include "change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int change_find(const struct ruleset *rs, const char *table, const char *name, uint32_t *set,
		struct complaint *c)
{
	size_t found = rs->n_sets, i;

	for (i = 0; i < rs->n_sets; i++) {
		if (!rs->sets[i].is_named || strcmp(rs->sets[i].name, name))
			continue;
		if (table && strcmp(rs->tables[rs->sets[i].table].name, table))
			continue;
		if (found < rs->n_sets)
			return complain(c, -EINVAL, "there are several sets '%s'; name its table",
					name);
		found = i;
	}
	if (found == rs->n_sets)
		return complain(c, -ENOENT, "the ruleset in force has no set '%s'", name);
	*set = (uint32_t)found;
	return 0;
}

/* The line of an item that was joined with others: of one that it covers. */
static uint32_t line_of(const struct elements *e, const struct element *item, uint32_t components,
			const struct regions *before)
{
	size_t i;
	uint32_t j;

	for (i = 0; i < before->n; i++) {
		for (j = 0; j < components; j++)
			if (before->items[i].span[j].from < item->span[j].from ||
			    before->items[i].span[j].to > item->span[j].to)
				break;
		if (j == components)
			return e->lines[i];
	}
	return 0;
}

static int missing(const struct elements *e, const struct set *s, const struct element *item,
		   const char *where, const struct regions *before, struct complaint *c)
{
	uint32_t line = line_of(e, item, s->n, before);

	if (!where)
		return complain(c, -ENOENT, "set '%s' does not have all of '%s'", s->name,
				elements_spell(s, item).text);
	return complain(c, -ENOENT, "%s:%u: set '%s' does not have all of '%s'", where, line,
			s->name, elements_spell(s, item).text);
}

static int no_memory(struct complaint *c)
{
	return complain(c, -ENOMEM, "no memory for the elements");
}

static int copy_of(struct regions *out, const struct regions *r)
{
	out->n = r->n;
	out->items = malloc((r->n + 1) * sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	if (r->n)
		memcpy(out->items, r->items, r->n * sizeof(*out->items));
	return 0;
}

static int take(struct regions *now, const struct set *s, struct elements *e, const char *where,
		struct complaint *c)
{
	struct regions before = { NULL, 0 };
	size_t at = 0;
	int r = copy_of(&before, &e->all);

	if (!r)
		r = regions_join(&e->all, s->n);
	if (!r)
		r = regions_take(now, &e->all, s->n, &at);
	if (r == -ENOENT)
		missing(e, s, &e->all.items[at], where, &before, c);
	else if (r)
		no_memory(c);
	regions_release(&before);
	return r;
}

/* What the set is to have. */
static int plan(struct regions *now, const struct instance *in, uint32_t set, enum change what,
		struct elements *e, const char *where, struct complaint *c)
{
	const struct set *s = &instance_ruleset(in)->sets[set];
	int r = 0;

	if (what != CHANGE_REPLACE)
		r = instance_elements(in, set, &now->items, &now->n, c);
	if (r)
		return r;
	if (what == CHANGE_DELETE)
		return take(now, s, e, where, c);
	r = regions_add(now, &e->all, s->n);
	return r ? no_memory(c) : 0;
}

int change_set(struct instance *in, uint32_t set, enum change what, struct elements *e,
	       const char *where, size_t *n, struct complaint *c)
{
	const struct set *s = &instance_ruleset(in)->sets[set];
	struct regions now = { NULL, 0 };
	int r;

	if (!image_set_changes(s))
		return complain(c, -EINVAL,
				"'%s' is a map of verdicts, which changes only with the "
				"rules; change the file and reload",
				s->name);
	r = plan(&now, in, set, what, e, where, c);
	if (!r)
		r = instance_put_elements(in, set, now.items, now.n, c);
	*n = now.n;
	regions_release(&now);
	return r;
}
