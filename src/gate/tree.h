/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Search in a tree of lines: one cache line and no branch a level.
 *
 * Unused keys are all ones, so a value of all ones goes past the last line or position; it belongs
 * to the last, and there it is put.
 */
#pragma once

#include "bits.h"
#include "layout.h"

/* A field of 128 bits, or fewer in front of zeros. */
struct gate_wide {
	__u32 word[4];
};

#define GATE_KEYS      16u /* of 32 bits in a line */
#define GATE_KEYS_WIDE 4u

/* Number of the last key that is not above the value. */
GATE_INLINE __u32 gate_line_narrow(const struct gate_line *l, __u32 key)
{
	__u64 above = 0;
	__u32 i;

#pragma GCC unroll 16
	for (i = 1; i < GATE_KEYS; i++) {
		above += gate_below(key, l->word[i]);
		gate_opaque(above); /* or all differences are kept until the end, on the stack */
	}
	return (__u32)(GATE_KEYS - 1 - above) & (GATE_KEYS - 1);
}

/* Whether a value of four words is below another one: what is borrowed from the top. */
GATE_INLINE __u64 gate_below_wide(const __u32 *a, const __u32 *b)
{
	__u64 borrow = gate_below(a[3], b[3]);

	borrow = gate_below(a[2], b[2] + borrow);
	borrow = gate_below(a[1], b[1] + borrow);
	return gate_below(a[0], b[0] + borrow);
}

GATE_INLINE __u32 gate_line_wide(const struct gate_line *l, const struct gate_wide *key)
{
	__u64 above = 0;
	__u32 i;

#pragma GCC unroll 4
	for (i = 1; i < GATE_KEYS_WIDE; i++) {
		above += gate_below_wide(key->word, &l->word[4 * i]);
		gate_opaque(above);
	}
	return (__u32)(GATE_KEYS_WIDE - 1 - above) & (GATE_KEYS_WIDE - 1);
}

/*
 * The value at a position, of a tree whose header is `head`, line `base` of `lines`. Without
 * values: 0, or GATE_VERDICT_CONTINUE in the set.
 */
GATE_INLINE __u32 gate_tree_value(const void *lines, __u32 base, const struct gate_line *head,
				  __u32 position)
{
	const struct gate_line *l;

	if (!head->word[GATE_TREE_VALUES])
		return (head->word[GATE_TREE_FIRST] ^ position) & 1u ? GATE_VERDICT_CONTINUE : 0;
	l = gate_line_at(lines, base + head->word[GATE_TREE_VALUES] + position / GATE_KEYS);
	return l ? l->word[position & (GATE_KEYS - 1)] : 0;
}

/* Lines of a level, or how many positions there are below the last one. */
GATE_INLINE __u32 gate_tree_width(const struct gate_line *head, __u32 level, __u32 keys)
{
	__u32 depth = head->word[GATE_TREE_DEPTH], count = head->word[GATE_TREE_COUNT];

	if (level >= depth)
		return count;
	if (level + 1 == depth || level + 1 >= GATE_TREE_LEVELS)
		return (count + keys - 1) / keys;
	return head->word[GATE_TREE_LEVEL + level + 1] - head->word[GATE_TREE_LEVEL + level];
}

/* Narrow and wide trees differ in what a key is; the compiler leaves the half that is asked. */
GATE_INLINE __u32 gate_tree_find(const void *lines, __u32 base, __u32 keys, __u32 key,
				 const struct gate_wide *wide)
{
	const struct gate_line *head = gate_line_at(lines, base), *l;
	__u32 at = 0, level;

	if (!head)
		return 0;
#pragma GCC unroll 1
	for (level = 0; level < GATE_TREE_LEVELS; level++) {
		if (level >= head->word[GATE_TREE_DEPTH])
			break;
		l = gate_line_at(lines, base + head->word[GATE_TREE_LEVEL + level] + at);
		if (!l)
			return 0;
		at = at * keys + (wide ? gate_line_wide(l, wide) : gate_line_narrow(l, key));
		at = gate_least(at, gate_tree_width(head, level + 1, keys) - 1);
	}
	return gate_tree_value(lines, base, head, at);
}

/* Of a field's table: the number of its vector. */
GATE_STEP int gate_table_narrow(__u32 base, __u32 key)
{
	return (int)gate_tree_find(gate_lines_get(), base, GATE_KEYS, key, 0);
}

GATE_STEP int gate_table_wide(__u32 base, const struct gate_wide *key)
{
	if (!key)
		return 0;
	return (int)gate_tree_find(gate_lines_get(), base, GATE_KEYS_WIDE, 0, key);
}

/* Of a named set: the element's verdict, GATE_VERDICT_CONTINUE where sets have none; or 0. */
GATE_STEP int gate_set_narrow(__u32 set, __u32 key)
{
	const void *lines = gate_set_lines_get(set);

	return lines ? (int)gate_tree_find(lines, 0, GATE_KEYS, key, 0) : 0;
}

GATE_STEP int gate_set_wide(__u32 set, const struct gate_wide *key)
{
	const void *lines = gate_set_lines_get(set);

	return lines && key ? (int)gate_tree_find(lines, 0, GATE_KEYS_WIDE, 0, key) : 0;
}
