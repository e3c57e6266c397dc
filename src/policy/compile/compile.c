// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ruleset to an image: the order of steps, and what belongs to no step. See draft.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "memory.h"
#include "words.h"

#define ROOM_FIRST 64u

void *draft_grow(void *array, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : ROOM_FIRST;

	if (n < *room)
		return array;
	array = realloc(array, more * size);
	if (array)
		*room = more;
	return array;
}

int draft_no_memory(struct draft *d)
{
	return complain(d->complaint, -ENOMEM, "no memory to compile the ruleset");
}

/* The first rule that looks into a set; n_rules: none does. */
static size_t user_of_set(const struct ruleset *rs, size_t set)
{
	size_t i, j;

	for (i = 0; i < rs->n_rules; i++) {
		for (j = 0; j < rs->rules[i].n; j++) {
			const struct statement *s = &rs->rules[i].statements[j];

			if ((s->kind == STATEMENT_VMAP ||
			     (s->kind == STATEMENT_MATCH && s->match.kind == MATCH_SET)) &&
			    s->match.set == set)
				return i;
		}
	}
	return rs->n_rules;
}

static int complain_of_set(struct draft *d, size_t set, int err, const struct complaint *why)
{
	size_t rule = user_of_set(d->rs, set);

	if (d->rs->sets[set].is_named || rule == d->rs->n_rules)
		return complain(d->complaint, err, "%s", why->text);
	return complain(d->complaint, err, "%s: %s", words_of_rule(d->rs, (uint32_t)rule).text,
			why->text);
}

int draft_sets(struct draft *d)
{
	const struct ruleset *rs = d->rs;
	struct image_set *sets = calloc(rs->n_sets + 1, sizeof(*sets));
	struct complaint why = { "" };
	size_t i;
	int err = 0;

	if (!sets)
		return draft_no_memory(d);
	d->image->sets = sets;
	d->image->n_sets = rs->n_sets;
	for (i = 0; i < rs->n_sets && !err; i++) {
		if (rs->sets[i].n == 1)
			err = image_tree_of_set(&sets[i].tree, &rs->sets[i], &why);
		else
			err = image_tuples_of_set(&sets[i].tuples, &rs->sets[i], (uint32_t)i, &why);
		if (err)
			complain_of_set(d, i, err, &why);
	}
	return err;
}

static int make_chains(struct draft *d)
{
	size_t n = d->rs->n_chains;

	d->image->chains = calloc((1 + GATE_FAMILIES) * n + 1, sizeof(*d->image->chains));
	d->image->n_chains = n;
	return d->image->chains ? 0 : draft_no_memory(d);
}

static int make(struct draft *d, const struct image_opts *opts)
{
	int err = draft_check(d->rs, d->complaint);

	if (!err)
		err = image_check_jumps(d->rs, d->complaint);
	if (!err)
		err = make_chains(d);
	if (!err)
		err = draft_rules(d);
	if (!err)
		err = draft_places(d);
	if (!err)
		err = draft_tables(d);
	if (!err)
		err = draft_sets(d);
	if (!err)
		err = draft_state(d);
	if (err)
		return err;
	memory_count(d->image, opts);
	return memory_check(d->image, opts->memory, d->complaint);
}

int image_new(struct image **out, const struct ruleset *rs, const struct image_opts *opts,
	      struct complaint *c)
{
	struct draft d = { .rs = rs, .complaint = c, .image = calloc(1, sizeof(*d.image)) };
	const struct image_opts none = { 0 };
	size_t i;
	int err = d.image ? make(&d, opts ? opts : &none) : draft_no_memory(&d);

	for (i = 0; i < d.n_conditions; i++)
		condition_release(&d.conditions[i]);
	free(d.conditions);
	if (err)
		image_free(d.image);
	else
		*out = d.image;
	return err;
}

void image_free(struct image *image)
{
	size_t i;

	if (!image)
		return;
	for (i = 0; i < image->n_sets; i++) {
		free(image->sets[i].tree.lines);
		free(image->sets[i].tuples.tuples);
	}
	free(image->sets);
	free(image->vectors);
	free(image->direct);
	free(image->lines);
	free(image->entries);
	free(image->checks);
	free(image->chains);
	free(image->limits);
	free(image->counters);
	free(image->logs);
	free(image);
}
