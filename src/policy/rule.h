/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset, read and checked: everything that the gate can do and nothing else, with no trace of
 * how it was written. What reads a listing makes it; compiler, explanations and comparisons use it.
 *
 * Numbers of chains, sets, counters and logs are indexes into the arrays of struct ruleset. What
 * the language implies is written out: "tcp dport 80" is two matches, on the protocol and on the
 * port.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../gate/layout.h"

typedef unsigned __int128 value; /* of a field, see src/gate/field.h */

/* Values from..to, both included. */
struct span {
	value from;
	value to;
};

/* An element of a set: a span for each component of the key. */
struct element {
	struct span span[GATE_TUPLE_FIELDS];
	uint32_t verdict; /* GATE_VERDICT(); in sets without verdicts GATE_VERDICT_CONTINUE */
};

/* The key of a match or set: one field, or a concatenation. */
struct key {
	uint32_t n;
	uint8_t field[GATE_TUPLE_FIELDS]; /* enum gate_field */
};

enum family {
	FAMILY_IP = 1, /* bits */
	FAMILY_IP6 = 2,
	FAMILY_INET = 3,
};

/*
 * Named, or anonymous: then its name is "". Elements are sorted and disjoint if the key is one
 * field.
 */
struct set {
	char *name;
	uint32_t table;
	uint32_t n; /* components */
	uint8_t bits[GATE_TUPLE_FIELDS];
	uint8_t field[GATE_TUPLE_FIELDS]; /* of the first rule that uses it; GATE_FIELD_MAX: none */
	bool verdicts;
	bool is_named; /* may be changed while in force; else it is as it is for good */
	struct element *elements;
	size_t n_elements;
};

enum match_kind {
	MATCH_SPANS, /* the field's value is in one of the spans, sorted and disjoint */
	MATCH_MASK,  /* (value & mask) == value */
	MATCH_SET,   /* the key is in the set */
};

struct match {
	enum match_kind kind;
	bool negate; /* a field that is absent matches neither way */
	struct key key;
	struct span *spans;
	size_t n_spans;
	value mask;
	value value;
	uint32_t set;
};

struct limit {
	uint64_t rate;
	uint64_t second; /* ns that the rate is for */
	uint64_t burst;  /* packets or bytes, as the kernel was told */
	bool bytes;
	bool over;
};

enum statement_kind {
	STATEMENT_MATCH,
	STATEMENT_COUNTER,
	STATEMENT_LIMIT,
	STATEMENT_LOG,
	STATEMENT_VERDICT,
	STATEMENT_VMAP,
};

struct statement {
	enum statement_kind kind;
	struct match match; /* STATEMENT_MATCH; of STATEMENT_VMAP: key and set */
	uint32_t index;     /* of a counter, limit or log */
	uint32_t verdict;   /* GATE_VERDICT(), or GATE_VERDICT_CONTINUE */
};

struct rule {
	uint32_t chain;
	uint64_t handle; /* of the scratch namespace: how the listing names it */
	char *text;      /* one line, as nftables would write it, for people */
	char *comment;   /* NULL: none */
	char *place;     /* "FILE:LINE"; NULL: that is not certain */
	struct statement *statements;
	size_t n;
};

struct chain {
	char *name;
	uint32_t table;
	bool is_base;
	uint32_t hook; /* of a base chain: NF_INET_... */
	int32_t priority;
	uint32_t
		order; /* among base chains: of the same hook and priority, the smaller one first */
	uint32_t policy;   /* GATE_ACCEPT or GATE_DROP */
	size_t first_rule; /* rules of a chain stand together, in order */
	size_t n_rules;
};

struct table {
	char *name;
	uint32_t family; /* enum family */
};

struct counter {
	char *name; /* NULL: anonymous */
	uint32_t table;
	uint64_t packets; /* what it starts with */
	uint64_t bytes;
};

struct log {
	char prefix[GATE_LOG_PREFIX];
};

/* Everything in the order of the listing. */
struct ruleset {
	struct table *tables;
	struct chain *chains;
	struct rule *rules;
	struct set *sets;
	struct counter *counters;
	struct limit *limits;
	struct log *logs;
	size_t n_tables, n_chains, n_rules, n_sets, n_counters, n_limits, n_logs;
};

/* Elements of all its sets. */
size_t ruleset_elements(const struct ruleset *rs);

/* Whether it asks packets for one of these fields, which are bits as in <gate/field.h>. */
bool statement_asks(const struct statement *s, uint32_t fields);

/* The families (enum family) of tables with rules that ask for one of these fields. */
uint32_t ruleset_asks(const struct ruleset *rs, uint32_t fields);

/* Frees all that it holds, not itself. */
void ruleset_release(struct ruleset *rs);
