/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Checks: conditions that are looked at when an entry is met.
 */
#pragma once

#include "tree.h"
#include "walk.h"

/* A place in the array of words that is always one. */
GATE_INLINE __u32 gate_word_at(const struct gate_walk *w, __u8 word)
{
	__u32 i = word & 63u;

	gate_opaque(i); /* or the comparison goes, which a verifier needs to see */
	return i < GATE_WORDS ? w->values.word[i] : 0;
}

GATE_INLINE int gate_mask_holds(const struct gate_walk *w, const struct gate_check *c)
{
	__u32 differ = (gate_word_at(w, c->word[0]) & c->mask[0]) ^ c->value[0];

	if (c->words == 4) {
		differ |= (gate_word_at(w, c->word[1]) & c->mask[1]) ^ c->value[1];
		differ |= (gate_word_at(w, c->word[2]) & c->mask[2]) ^ c->value[2];
		differ |= (gate_word_at(w, c->word[3]) & c->mask[3]) ^ c->value[3];
	}
	return !differ;
}

GATE_INLINE __u32 gate_tree_verdict(const struct gate_walk *w, const struct gate_check *c)
{
	__u32 first = c->word[0];

	if (c->words != 4)
		return (__u32)gate_set_narrow(c->set, gate_word_at(w, c->word[0]));
	if (first > GATE_WORDS - 4)
		return 0;
	return (__u32)gate_set_wide(c->set, (const struct gate_wide *)&w->values.word[first]);
}

/* Fields of four words stand together in the list, and each starts at a multiple of four in it. */
#define GATE_FIRST_WIDE GATE_W_IP6_SADDR
#define GATE_END_WIDE   (GATE_W_OIFNAME_END + 1)
_Static_assert(GATE_END_WIDE - GATE_FIRST_WIDE == 4 * 4, "four fields of 128 bits");

/* Which word of its field. */
GATE_INLINE __u32 gate_part_of(__u8 word)
{
	__u32 i = (__u32)word - GATE_FIRST_WIDE;

	return (i & 3u) * (__u32)gate_below(i, GATE_END_WIDE - GATE_FIRST_WIDE);
}

/* Of a prefix of `bits` the part that lies in word `part`. */
GATE_INLINE __u32 gate_prefix_mask(__u32 bits, __u32 part)
{
	__u32 start = 32u * part, used;

	used = gate_least(bits - gate_least(bits, start), 32u);
	return (__u32)(0xffffffff00000000ull >> used);
}

/* The key of a shape. Both this and the next are steps to keep the stack of their caller small. */
GATE_STEP int gate_tuple_shape(struct gate_tuple *key, __u32 number)
{
	if (!key)
		return 0;
	__builtin_memset(key->word, 0, sizeof(key->word));
	key->mark = GATE_SHAPE + number;
	return 0;
}

/* From the key of a shape on: that of an element under it. */
GATE_STEP int gate_tuple_fill(struct gate_tuple *key, const struct gate_walk *w,
			      const struct gate_check *c, const union gate_tuple_value *shape)
{
	__u32 component = ~0u, part, at, i;

	if (!key || !w || !c || !shape)
		return 0;
	key->mark -= GATE_SHAPE;
#pragma GCC unroll 16
	for (i = 0; i < GATE_TUPLE_WORDS; i++) {
		if (i >= c->words)
			break;
		part = gate_part_of(c->word[i]);
		component += (__u32)gate_below(part, 1);
		at = component & GATE_TUPLE_FIELDS;
		gate_opaque(at); /* or it is put to a pointer by "or", which no verifier allows */
		key->word[i] = gate_word_at(w, c->word[i]) &
			       gate_prefix_mask(shape->bits[at], part);
	}
	return 0;
}

/* Of a set of concatenations, as gate_set_narrow(): under one shape after another. */
GATE_STEP int gate_set_tuple(const struct gate_walk *w, const struct gate_check *c)
{
	const union gate_tuple_value *shape, *found;
	struct gate_tuple key;
	const void *tuples;
	__u32 i;

	if (!w || !c)
		return 0;
	tuples = gate_tuples_get(c->set);
	if (!tuples)
		return 0;
	key.set = c->set;
	for (i = 0; i < GATE_SHAPES_MAX; i++) {
		gate_tuple_shape(&key, i);
		shape = gate_tuple_at(tuples, &key);
		if (!shape)
			return 0;
		gate_tuple_fill(&key, w, c, shape);
		found = gate_tuple_at(tuples, &key);
		if (found)
			return (int)found->verdict;
		if (shape->bits[GATE_TUPLE_FIELDS])
			return 0;
	}
	return 0;
}

/* The verdict that a check's set has for the packet; 0: none, or a field is absent. */
GATE_INLINE __u32 gate_verdict_of(const struct gate_walk *w, const struct gate_check *c)
{
	if ((w->values.present & c->present) != c->present)
		return 0;
	if (GATE_CONFIG.features & GATE_HAS_TREES && c->kind == GATE_CHECK_TREE)
		return gate_tree_verdict(w, c);
	if (GATE_CONFIG.features & GATE_HAS_TUPLES && c->kind == GATE_CHECK_TUPLE)
		return (__u32)gate_set_tuple(w, c);
	return 0;
}

GATE_INLINE int gate_check_holds(const struct gate_walk *w, const struct gate_check *c)
{
	int holds;

	if ((w->values.present & c->present) != c->present)
		return 0;
	if (c->kind == GATE_CHECK_MASK)
		holds = gate_mask_holds(w, c);
	else
		holds = gate_verdict_of(w, c) != 0;
	return holds != c->negate;
}
