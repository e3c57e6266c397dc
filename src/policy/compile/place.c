// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which base chains are met where, and in what order.
 *
 * At one hook the lower priority comes first. Of two chains with the same priority the one that was
 * made later comes first, be their tables of one family or inet: that is what Linux does
 * (nf_hook_entries_grow()), also seen on 6.18 by a packet that two such chains drop and count. Who
 * reads a ruleset finds it out and says it by `order`.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "words.h"

_Static_assert(NF_INET_NUMHOOKS == GATE_HOOKS, "hooks of netfilter");

/* Base chains of a family and hook, in order. */
struct row {
	const struct ruleset *rs;
	uint32_t *chains;
	size_t n;
};

static bool comes_before(const struct ruleset *rs, uint32_t a, uint32_t b)
{
	if (rs->chains[a].priority != rs->chains[b].priority)
		return rs->chains[a].priority < rs->chains[b].priority;
	if (rs->chains[a].order != rs->chains[b].order)
		return rs->chains[a].order < rs->chains[b].order;
	return a > b;
}

static void insert(struct row *row, uint32_t chain)
{
	size_t i = row->n++;

	for (; i && comes_before(row->rs, chain, row->chains[i - 1]); i--)
		row->chains[i] = row->chains[i - 1];
	row->chains[i] = chain;
}

static void collect(struct row *row, uint32_t family, uint32_t hook)
{
	const struct ruleset *rs = row->rs;
	size_t i;

	row->n = 0;
	for (i = 0; i < rs->n_chains; i++) {
		const struct chain *c = &rs->chains[i];

		if (c->is_base && c->hook == hook && rs->tables[c->table].family >> family & 1)
			insert(row, (uint32_t)i);
	}
}

static int place(struct draft *d, const struct row *row, uint32_t family, uint32_t hook)
{
	struct image *image = d->image;
	struct gate_place *places = image->config.place[family][hook];
	uint32_t rank = 0;
	size_t i;

	for (i = 0; i < row->n; i++) {
		const struct chain *c = &row->rs->chains[row->chains[i]];

		if (i && c->priority != row->rs->chains[row->chains[i - 1]].priority)
			rank++;
		if (rank == GATE_RANKS_MAX)
			return complain(d->complaint, -E2BIG,
					"%s: more than %u priorities at one hook: give some chains "
					"the same priority",
					words_of_chain(row->rs, row->chains[i]).text,
					GATE_RANKS_MAX);
		if (!places[rank].n++) {
			places[rank].first = (uint32_t)image->n_chains;
			image->priority[family][hook][rank] = c->priority;
		}
		image->chains[image->n_chains++] = image->chains[row->chains[i]];
	}
	return 0;
}

/* There is room for all chains once more for each family. */
int draft_places(struct draft *d)
{
	struct row row = { .rs = d->rs };
	uint32_t family, hook;
	int err = 0;

	row.chains = malloc((d->rs->n_chains + 1) * sizeof(*row.chains));
	if (!row.chains)
		return draft_no_memory(d);
	for (family = 0; family < GATE_FAMILIES; family++) {
		for (hook = 0; hook < GATE_HOOKS && !err; hook++) {
			collect(&row, family, hook);
			err = place(d, &row, family, hook);
		}
	}
	free(row.chains);
	return err;
}
