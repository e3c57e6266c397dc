// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether all jumps end, and how long the longest way through a base chain is.
 *
 * nftables allows GATE_JUMPS_MAX chains, one inside the other, and any number of jumps one after
 * another, so a short ruleset can be a very long way. The gate has a bound on that.
 */
#include <errno.h>
#include <stdlib.h>

#include "draft.h"
#include "words.h"

/* Entry, and the word in which it is found. */
#define STEPS_PER_STATEMENT 2u

struct walk {
	const struct ruleset *rs;
	struct complaint *complaint;
	uint64_t *cost;  /* of a chain; 0: not known yet */
	uint32_t *depth; /* of chains below it */
	bool *is_open;   /* the way has come through it */
};

static int enter(struct walk *w, uint32_t chain, uint32_t level);

/* The dearest chain that some verdicts lead to. */
struct ways {
	uint64_t jump, go_to;
	uint32_t depth;
};

static int add_way(struct walk *w, struct ways *ways, uint32_t verdict, uint32_t level)
{
	uint32_t action = verdict >> 24, chain = verdict & 0xffffff;
	uint64_t *most = action == GATE_JUMP ? &ways->jump : &ways->go_to;
	int err;

	if (action != GATE_JUMP && action != GATE_GOTO)
		return 0;
	err = enter(w, chain, level + 1);
	if (err)
		return err;
	if (w->cost[chain] > *most)
		*most = w->cost[chain];
	if (w->depth[chain] + 1 > ways->depth)
		ways->depth = w->depth[chain] + 1;
	return 0;
}

static int add_ways(struct walk *w, struct ways *ways, const struct statement *s, uint32_t level)
{
	const struct set *set;
	size_t i;
	int err = 0;

	if (s->kind == STATEMENT_VERDICT)
		return add_way(w, ways, s->verdict, level);
	if (s->kind != STATEMENT_VMAP)
		return 0;
	set = &w->rs->sets[s->match.set];
	for (i = 0; i < set->n_elements && !err; i++)
		err = add_way(w, ways, set->elements[i].verdict, level);
	return err;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Costs are cut at twice the bound, so that sums of them don't overflow. */
static int walk_chain(struct walk *w, uint32_t chain, uint32_t level)
{
	const struct chain *c = &w->rs->chains[chain];
	uint64_t sum = 1, longest = 0;
	size_t i, j;
	int err;

	for (i = c->first_rule; i < c->first_rule + c->n_rules; i++) {
		const struct rule *r = &w->rs->rules[i];

		for (j = 0; j < r->n; j++) {
			struct ways ways = { 0 };

			err = add_ways(w, &ways, &r->statements[j], level);
			if (err)
				return err;
			if (sum + ways.go_to > longest)
				longest = sum + ways.go_to;
			sum = min64(sum + STEPS_PER_STATEMENT + ways.jump, 2 * GATE_STEPS_MAX);
			if (ways.depth > w->depth[chain])
				w->depth[chain] = ways.depth;
		}
	}
	w->cost[chain] = min64(sum > longest ? sum : longest, 2 * GATE_STEPS_MAX);
	return 0;
}

static int enter(struct walk *w, uint32_t chain, uint32_t level)
{
	int err = 0;

	if (w->is_open[chain])
		return complain(w->complaint, -EINVAL, "%s leads back to itself",
				words_of_chain(w->rs, chain).text);
	if (level + w->depth[chain] > GATE_JUMPS_MAX)
		return complain(w->complaint, -E2BIG, "%s is more than %u jumps away from a hook",
				words_of_chain(w->rs, chain).text, GATE_JUMPS_MAX);
	if (w->cost[chain])
		return 0;
	w->is_open[chain] = true;
	err = walk_chain(w, chain, level);
	w->is_open[chain] = false;
	return err;
}

/* A packet passes all base chains at one place. */
static bool share_a_place(const struct ruleset *rs, const struct chain *a, const struct chain *b)
{
	return b->is_base && a->hook == b->hook && a->priority == b->priority &&
	       rs->tables[a->table].family & rs->tables[b->table].family;
}

static uint64_t cost_of_place(const struct walk *w, const struct chain *c)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < w->rs->n_chains; i++)
		if (share_a_place(w->rs, c, &w->rs->chains[i]))
			sum += w->cost[i];
	return sum;
}

static int walk_all(struct walk *w)
{
	const struct chain *chains = w->rs->chains;
	size_t i;
	int err = 0;

	for (i = 0; i < w->rs->n_chains && !err; i++)
		if (chains[i].is_base)
			err = enter(w, (uint32_t)i, 0);
	for (i = 0; i < w->rs->n_chains && !err; i++)
		if (chains[i].is_base && cost_of_place(w, &chains[i]) > GATE_STEPS_MAX)
			err = complain(w->complaint, -E2BIG,
				       "%s and those beside it may cost a packet more than %u "
				       "steps: jump less often to chains that jump on",
				       words_of_chain(w->rs, (uint32_t)i).text, GATE_STEPS_MAX);
	return err;
}

int image_check_jumps(const struct ruleset *rs, struct complaint *c)
{
	struct walk w = {
		.rs = rs,
		.complaint = c,
		.cost = calloc(rs->n_chains + 1, sizeof(*w.cost)),
		.depth = calloc(rs->n_chains + 1, sizeof(*w.depth)),
		.is_open = calloc(rs->n_chains + 1, sizeof(*w.is_open)),
	};
	int err = w.cost && w.depth && w.is_open ?
			  walk_all(&w) :
			  complain(c, -ENOMEM, "no memory for the chains of a ruleset");

	free(w.cost);
	free(w.depth);
	free(w.is_open);
	return err;
}
