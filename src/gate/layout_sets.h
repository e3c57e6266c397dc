/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Of a compiled ruleset, what values are looked up in: trees, which tables of fields and named sets
 * are, tuples, which sets of concatenations are, and the checks that ask them.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

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

/* A verdict in a set: action and chain. 0 (GATE_NEXT): no element. "continue" is all ones. */
#define GATE_VERDICT(action, chain) ((__u32)(action) << 24 | (chain))
#define GATE_VERDICT_CONTINUE       0xffffffffu

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

_Static_assert(sizeof(struct gate_line) == 64, "layout of a map");
_Static_assert(sizeof(struct gate_check) == 64, "layout of a map");
_Static_assert(sizeof(struct gate_tuple) == 72, "layout of a map");
