/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A compiled ruleset, as the compiler writes it and the gate reads it, in BPF and natively.
 *
 * All rules of all chains stand in one row of *entries*; a chain is a run of them. For each field
 * that conditions look at, a *table* maps every value to a class, and a class has a *vector*: one
 * bit for each entry, set unless an entry's conditions on that field fail. The bits that are set in
 * the vectors of all fields are the entries worth looking at; a second, short vector tells the
 * words that have any bit set.
 *
 *      value of field ──table──▶ vector   1 0 1 1 0 0 1 ...
 *      value of field ──table──▶ vector   1 1 1 0 0 0 1 ...     and
 *                                         1 0 1 0 0 0 1 ...  =  entries to be looked at, in order
 *
 * What does not fit a table (named sets, concatenations, masks) is a *check* of an entry that is
 * met.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/bpf.h>
#endif

#include "field.h"

#define GATE_ENTRIES_MAX   16384u
#define GATE_VECTOR_WORDS  (GATE_ENTRIES_MAX / 64u)
#define GATE_SUMMARY_WORDS (GATE_VECTOR_WORDS / 64u)
#define GATE_JUMPS_MAX     16u /* NFT_JUMP_STACK_SIZE */
#define GATE_RANKS_MAX     8u  /* priorities at one hook */
#define GATE_HOOKS         5u
#define GATE_FAMILIES      2u /* IPv4, IPv6 */
#define GATE_SETS_MAX      4096u
#define GATE_LOG_PREFIX    128u       /* NF_LOG_PREFIXLEN */
#define GATE_STEPS_MAX     (1u << 20) /* words and entries that one packet may cost */

/*
 * Trees: sorted starts of intervals that cover all values, in lines of 64 bytes.
 *
 * A tree is a header line, then for each level, from the root down, lines of keys: 16 of 32 bits,
 * or 4 of 128 bits (four words each, most significant first). Key i of line j leads to line i + j *
 * keys a line of the next level, and at the last one is position i + j * keys. A line's child is
 * that of the last key not above the value. Unused keys are all ones. The first start is 0.
 */
struct gate_line {
	__u32 word[16];
};

#define GATE_TREE_LEVELS 12u

enum gate_tree_word {
	GATE_TREE_DEPTH,  /* levels, at least 1 */
	GATE_TREE_COUNT,  /* positions */
	GATE_TREE_VALUES, /* line of the values (16 a line), from the header on; 0: see next */
	GATE_TREE_FIRST,  /* without values: whether position 0 is in the set; they alternate */
	GATE_TREE_LEVEL,  /* first line of each level, from the header on */
};

_Static_assert(GATE_TREE_LEVEL + GATE_TREE_LEVELS == 16, "a header is one line");

/* How a field's value leads to a vector. */
enum gate_table_kind {
	GATE_TABLE_NONE,   /* no condition looks at the field */
	GATE_TABLE_DIRECT, /* `base` + value in the direct map: fields of up to 16 bits */
	GATE_TABLE_TREE,   /* tree whose header is line `base`; values are numbers of vectors */
};

struct gate_table {
	__u32 kind;
	__u32 base;
	__u32 absent; /* vector for packets without the field */
};

/* A base chain at one place, or a user chain: a run of entries. */
struct gate_chain {
	__u32 first;
	__u32 end;
	__u32 policy; /* enum gate_action of a base chain: accept or drop */
	__u32 pad;
};

/* Base chains at one family, hook and rank (order of priorities there): chains first..first+n-1. */
struct gate_place {
	__u32 first;
	__u32 n;
};

/* Known when the program is loaded, so that what a ruleset does not use costs nothing. */
struct gate_config {
	__u32 words;     /* of a vector's long part */
	__u32 summaries; /* of its short part, which stands in front */
	__u32 fields;    /* bit i: a table, a check or a set looks at field i, so it must be read */
	__u32 features;  /* GATE_HAS_... */
	struct gate_table table[GATE_FIELD_MAX];
	struct gate_place place[GATE_FAMILIES][GATE_HOOKS][GATE_RANKS_MAX];
};

#define GATE_HAS_CHECKS 0x1u
#define GATE_HAS_TREES  0x2u /* sets in trees */
#define GATE_HAS_TUPLES 0x4u /* sets of concatenations */
#define GATE_HAS_LIMITS 0x8u
#define GATE_HAS_LOG    0x10u
#define GATE_HAS_JUMPS  0x20u /* user chains */
#define GATE_HAS_VMAPS  0x40u

enum gate_action {
	GATE_NEXT, /* go on with the next entry */
	GATE_ACCEPT,
	GATE_DROP,
	GATE_JUMP, /* to chain `target` */
	GATE_GOTO, /* likewise */
	GATE_RETURN,
	GATE_VMAP, /* as check `target` finds in its set; nothing found: the rule does not match */
	GATE_ACTION_MAX,
};

/* A verdict in a set: action and chain. 0 (GATE_NEXT): no element. "continue" is all ones. */
#define GATE_VERDICT(action, chain) ((__u32)(action) << 24 | (chain))
#define GATE_VERDICT_CONTINUE       0xffffffffu

/*
 * One step of a rule: checks, then limit, counter, log, then the action. A rule in which they stand
 * in another order has several entries; each has the conditions of those before it.
 */
struct gate_entry {
	__u16 checks;      /* how many */
	__u16 action;      /* enum gate_action */
	__u32 first_check; /* index */
	__u32 target;      /* see enum gate_action */
	__u32 counter;     /* index + 1; 0: none. Likewise the next two */
	__u32 limit;
	__u32 log;
	__u32 next; /* the chain's next rule: what follows when a check fails or a limit says no */
	__u32 rule; /* number of the rule, for people */
};

enum gate_check_kind {
	GATE_CHECK_MASK,  /* field & mask == value */
	GATE_CHECK_TREE,  /* field in a set kept as a tree */
	GATE_CHECK_TUPLE, /* concatenation in a set of tuples */
};

struct gate_check {
	__u8 kind;     /* enum gate_check_kind */
	__u8 negate;   /* != */
	__u8 fields;   /* how many; 1 unless a tuple */
	__u8 words;    /* of the key of a tuple */
	__u32 set;     /* number of the set */
	__u32 present; /* fields that must be there */
	__u8 word[16]; /* enum gate_word: where word i of the key is read */
	__u32 mask[4];
	__u32 value[4];
	__u32 pad;
};

/*
 * Sets of concatenations: a hash each. An element with prefixes is found under its masked key, and
 * the set's *shapes* say which prefix lengths occur; shape i is the element with mark GATE_SHAPE +
 * i whose words are 0. Ranges are split into prefixes by who fills it in.
 */
#define GATE_TUPLE_WORDS  16u
#define GATE_TUPLE_FIELDS 7u
#define GATE_SHAPES_MAX   64u
#define GATE_SHAPE        0x80000000u

struct gate_tuple {
	__u32 set;  /* number of the set, so that several may share a table where that is easier */
	__u32 mark; /* number of the shape, or GATE_SHAPE + it */
	__u32 word[GATE_TUPLE_WORDS];
};

/* bits[i]: prefix length of component i; bits[7]: whether it is the last shape. */
union gate_tuple_value {
	__u32 verdict; /* of an element; sets without verdicts: GATE_VERDICT_CONTINUE */
	__u8 bits[GATE_TUPLE_FIELDS + 1];
};

/*
 * "limit rate", as nft_limit.c counts: tokens are nanoseconds; a packet costs `cost`, or, if the
 * limit is of bytes, `second` (the time that `rate` is for) * length / rate.
 */
struct gate_limit {
	struct bpf_spin_lock lock;
	__u32 flags;
	__u64 tokens;
	__u64 max; /* tokens at most: those of the burst */
	__u64 last;
	__u64 rate;
	__u64 second; /* ns */
	__u64 cost;
};

#define GATE_LIMIT_BYTES 1u
#define GATE_LIMIT_OVER  2u /* matches above the rate */

/* Per CPU. */
struct gate_counter {
	__u64 packets;
	__u64 bytes;
};

/* A logged packet, told through a ring buffer. `lost` counts what did not fit. */
struct gate_event {
	__u64 time; /* ns, CLOCK_MONOTONIC */
	__u32 rule;
	__u32 log; /* number of the log statement, from 0 */
	__u32 hook;
	__u32 reserved;
	struct gate_values values;
};

_Static_assert(sizeof(struct gate_line) == 64, "layout of a map");
_Static_assert(sizeof(struct gate_entry) == 32, "layout of a map");
_Static_assert(sizeof(struct gate_check) == 64, "layout of a map");
_Static_assert(sizeof(struct gate_tuple) == 72, "layout of a map");
_Static_assert(sizeof(struct gate_limit) == 56, "layout of a map");
