/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiled rulesets made by hand: entries, checks and chains as a test says, and from conditions on
 * fields the tables and vectors that belong to them, in the slowest and plainest way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../src/gate/next.h"

typedef unsigned __int128 rules_value;

#define RULES_SPANS  8192
#define RULES_CHECKS 256
#define RULES_CHAINS 64
#define RULES_LIMITS 8
#define RULES_SETS   16
#define RULES_TUPLES 1024

/* One range of values under which an entry is worth looking at; an entry may have several. */
struct rules_span {
	uint32_t entry;
	uint32_t field;
	rules_value from, to;
};

struct rules_tree {
	struct gate_line *lines;
	size_t n;
};

struct rules_tuple {
	struct gate_tuple key;
	union gate_tuple_value value;
};

/* The start of a value in a tree; each position reaches to the next one's start. */
struct rules_position {
	rules_value at;
	uint32_t value;
};

struct rules {
	struct gate_config config;
	struct rules_span spans[RULES_SPANS];
	struct gate_entry entries[GATE_ENTRIES_MAX];
	struct gate_check checks[RULES_CHECKS];
	struct gate_chain chains[RULES_CHAINS];
	struct gate_limit limits[RULES_LIMITS];
	struct rules_tree trees[RULES_SETS];
	struct rules_tuple tuples[RULES_TUPLES];
	struct rules_tree lines;
	uint64_t *vectors;
	uint16_t *direct;
	uint32_t n_spans, n_entries, n_checks, n_chains, n_limits, n_sets, n_tuples, n_counters;
	uint32_t n_vectors, n_direct;
};

struct rules *rules_new(void);
void rules_free(struct rules *r);

uint32_t rules_bits(uint32_t field);
uint32_t rules_word(uint32_t field);
uint32_t rules_words(uint32_t field);
rules_value rules_max(uint32_t field);
void rules_split(uint32_t *words, rules_value v, uint32_t field);

/* Each returns the number of what it adds. An entry goes on with the next one unless told else. */
uint32_t rules_entry(struct rules *r, uint32_t action, uint32_t target);
uint32_t rules_chain(struct rules *r, uint32_t first, uint32_t end, uint32_t policy);
uint32_t rules_set(struct rules *r);
void rules_span(struct rules *r, uint32_t entry, uint32_t field, rules_value from, rules_value to);

/* A check of the entry that was added last. */
struct gate_check *rules_check(struct rules *r, uint32_t kind, uint32_t field);
struct gate_check *rules_check_mask(struct rules *r, uint32_t field, rules_value mask,
				    rules_value value);
struct gate_check *rules_check_set(struct rules *r, uint32_t set, const uint32_t *fields,
				   uint32_t n);

/* The content of a set of one field. values: it is a map of verdicts. */
void rules_fill_tree(struct rules *r, uint32_t set, const struct rules_position *positions,
		     size_t n, uint32_t bits, bool values);
void rules_tree_make(struct rules_tree *t, const struct rules_position *positions, size_t n,
		     uint32_t bits, bool values);

/* Once all is said: tables and vectors, and what the program has to know. */
void rules_finish(struct rules *r);

/* All base chains from `first` on, at every place of rank 0. */
void rules_place(struct rules *r, uint32_t first, uint32_t n);
