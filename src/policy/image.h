/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A compiled ruleset in plain arrays, each as the map of that name has it, and what people need of
 * it. Who loads it copies arrays into maps; what evaluates it natively reads them as they are.
 *
 * Numbers of sets, counters, limits, logs and rules are those of the ruleset, and so are those of
 * chains below its n_chains. Behind them base chains stand once more, as places run over them: an
 * inet chain is at two places.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "complaint.h"
#include "rule.h"

#define IMAGE_EVENTS_BYTES (1u << 20) /* of a ruleset that logs: room for some thousand events */

/* A tree, from its header line on. Of a field's table, or of a set: then it is a map of its own. */
struct image_tree {
	struct gate_line *lines;
	size_t n;
};

/* An entry of the map "tuples": a shape of a set, or a part of an element. */
struct image_tuple {
	struct gate_tuple key;
	union gate_tuple_value value;
};

struct image_tuples {
	struct image_tuple *tuples;
	size_t n;
};

/* One of the two is there: a tree if the set has one component, even if it has no elements. */
struct image_set {
	struct image_tree tree;
	struct image_tuples tuples;
};

/* What each map takes in bytes, with what the kernel adds to the elements of hashes. */
struct image_memory {
	uint64_t vectors, direct, lines, trees, tuples, entries, checks, chains, limits;
	uint64_t events, listing;
	uint64_t counters; /* of one CPU */
	uint64_t total; /* with counters on all CPUs that are possible, and what they had earlier */
};

struct image {
	struct gate_config config;
	__u64 *vectors; /* one is config.summaries words, then config.words */
	uint16_t *direct;
	struct gate_line *lines;
	struct image_set *sets;
	struct gate_entry *entries;
	struct gate_check *checks;
	struct gate_chain *chains;
	struct gate_limit *limits;
	struct gate_counter *counters; /* what they start with */
	struct log *logs;
	size_t n_vectors, n_direct, n_lines, n_sets, n_entries, n_checks, n_chains, n_limits;
	size_t n_counters, n_logs;

	/* Of each place that has chains. */
	int32_t priority[GATE_FAMILIES][GATE_HOOKS][GATE_RANKS_MAX];
	struct image_memory memory;
};

struct image_opts {
	uint64_t memory; /* most that all maps may take together, bytes; 0: no limit */
	size_t listing;  /* bytes of the listing that is to be kept with it */
	uint32_t cpus;   /* that are possible; 0: as many as this machine has */
};

/*
 * Compiles. What does not fit is complained of, with the rule or set and what to do: -E2BIG beyond
 * a limit, -EINVAL for a ruleset that contradicts itself, -ENOMEM. *out is untouched then.
 */
int image_new(struct image **out, const struct ruleset *rs, const struct image_opts *opts,
	      struct complaint *c);
void image_free(struct image *image);

/*
 * The content of one set alone, as image_new() makes it: what a change of a set needs. Which one
 * follows from s->n. Elements of a set of one component are sorted and disjoint.
 * Give back with free(lines), free(tuples).
 */
int image_tree_of_set(struct image_tree *out, const struct set *s, struct complaint *c);
int image_tuples_of_set(struct image_tuples *out, const struct set *s, uint32_t number,
			struct complaint *c);

/* What the content of a set takes as a map: a tree of so many lines, or so many tuples. */
uint64_t image_tree_bytes(size_t lines);
uint64_t image_tuples_bytes(size_t tuples);

/* Whether the elements of a set can change without the rules. */
bool image_set_changes(const struct set *s);

/* Whether all jumps end: no loops, at most GATE_JUMPS_MAX deep, GATE_STEPS_MAX long. */
int image_check_jumps(const struct ruleset *rs, struct complaint *c);
