/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The gate in plain memory, for explanations, tests and fuzzing: the same verdicts as in BPF, by
 * the same text, over the arrays that the compiler makes. One packet at a time, one thread.
 */
#pragma once

#include <stddef.h>

#include "walk.h"

/* A tree from its header on; no lines: none. */
struct gate_native_tree {
	const struct gate_line *lines;
	size_t n;
};

/* Arrays and how long they are. All but the hooks must be there if the ruleset has such things. */
struct gate_native {
	const struct gate_config *config;
	const __u64 *vectors;
	const __u16 *direct;
	struct gate_native_tree lines;
	const struct gate_native_tree *trees; /* by number of set */
	const struct gate_entry *entries;
	const struct gate_check *checks;
	const struct gate_chain *chains;
	struct gate_limit *limits;
	struct gate_counter *counters;
	size_t n_vectors, n_direct, n_sets, n_entries, n_checks, n_chains, n_limits, n_counters;

	__u64 now; /* ns */

	/* Finds an element or shape in sets of concatenations, or NULL. */
	const union gate_tuple_value *(*tuple)(void *arg, const struct gate_tuple *key);
	/* Hooks that may be NULL. number: of an entry, or of a base chain that ended. */
	void (*log)(void *arg, const struct gate_walk *w, const struct gate_entry *e);
	void (*trace)(void *arg, const struct gate_walk *w, __u32 number, enum gate_outcome outcome,
		      __u32 detail);
	void *arg;
};

static struct gate_native *gate_here; /* the one that decides */

#define GATE_STEP      static inline
#define GATE_CONFIG    (*gate_here->config)
#define gate_clock()   (gate_here->now)
#define gate_lock(p)   ((void)(p))
#define gate_unlock(p) ((void)(p))

#define GATE_AT(name, type, array, n) \
	static inline type *gate_##name##_at(__u32 i) \
	{ \
		return i < gate_here->n ? &gate_here->array[i] : NULL; \
	}

GATE_AT(entry, const struct gate_entry, entries, n_entries)
GATE_AT(check, const struct gate_check, checks, n_checks)
GATE_AT(chain, const struct gate_chain, chains, n_chains)
GATE_AT(limit, struct gate_limit, limits, n_limits)
GATE_AT(counter, struct gate_counter, counters, n_counters)

static inline const __u64 *gate_vector_at(__u32 i)
{
	size_t words = (size_t)GATE_CONFIG.summaries + GATE_CONFIG.words;

	return i < gate_here->n_vectors ? &gate_here->vectors[i * words] : NULL;
}

static inline __u32 gate_direct_at(__u32 field, __u32 at)
{
	size_t i = (size_t)GATE_CONFIG.table[field].base + at;

	return i < gate_here->n_direct ? gate_here->direct[i] : 0;
}

static inline const void *gate_lines_get(void)
{
	return &gate_here->lines;
}

static inline const void *gate_set_lines_get(__u32 set)
{
	if (set >= gate_here->n_sets || !gate_here->trees[set].lines)
		return NULL;
	return &gate_here->trees[set];
}

static inline const struct gate_line *gate_line_at(const void *tree, __u32 i)
{
	const struct gate_native_tree *t = tree;

	return i < t->n ? &t->lines[i] : NULL;
}

/* All of them are asked by one hook, as keys have the number of the set. */
static inline const void *gate_tuples_get(__u32 set)
{
	return set < gate_here->n_sets && gate_here->tuple ? gate_here : NULL;
}

static inline const union gate_tuple_value *gate_tuple_at(const void *tuples,
							  const struct gate_tuple *key)
{
	(void)tuples;
	return gate_here->tuple(gate_here->arg, key);
}

static inline void gate_log(const struct gate_walk *w, const struct gate_entry *e)
{
	if (gate_here->log)
		gate_here->log(gate_here->arg, w, e);
}

static inline void gate_trace(const struct gate_walk *w, __u32 number, enum gate_outcome outcome,
			      __u32 detail)
{
	if (gate_here->trace)
		gate_here->trace(gate_here->arg, w, number, outcome, detail);
}

#include "gate.h"

/*
 * The verdict on a packet at a place: GATE_ACCEPT or GATE_DROP. family: 0 IPv4, 1 IPv6. Its length
 * is read in any case, so that word must be set.
 */
static inline enum gate_action gate_judge(struct gate_native *n, const struct gate_values *values,
					  __u32 family, __u32 hook, __u32 rank)
{
	const struct gate_place *place = &n->config->place[family][hook][rank];
	struct gate_walk w = { .values = *values, .hook = (__u16)hook };
	__u32 steps;

	gate_here = n;
	if (gate_begin(&w, place->first, place->n, 0))
		return (enum gate_action)w.verdict;
	for (steps = 0; steps < GATE_STEPS_MAX; steps++)
		if (gate_step(&w))
			return (enum gate_action)w.verdict;
	return GATE_DROP;
}
