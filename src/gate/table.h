/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * From the fields of a packet to the entries worth looking at. What no condition looks at costs
 * nothing: the configuration is known when a program is loaded.
 */
#pragma once

#include "next.h"
#include "tree.h"
#include "walk.h"

#define GATE_TABLED(i) (GATE_CONFIG.tabled[i])

/* Of few intervals. A value of all ones is not below unused starts, and these lead to the same. */
GATE_INLINE __u32 gate_table_few(__u32 field, __u32 key)
{
	__u64 below = gate_below(key, GATE_CONFIG.table[field].start[1]);
	__u32 i;

	below += gate_below(key, GATE_CONFIG.table[field].start[2]);
	below += gate_below(key, GATE_CONFIG.table[field].start[3]);
	i = (__u32)(GATE_FEW - 1 - below);
	gate_opaque(i);
	return GATE_CONFIG.table[field].vector[i & (GATE_FEW - 1)];
}

/* A field's vector; `bits` is a constant. */
GATE_INLINE __u32 gate_vector_of(const struct gate_values *v, __u32 field, __u32 word, __u32 bits)
{
	if (!(v->present >> field & 1u))
		return GATE_CONFIG.table[field].absent;
	if (bits <= 32 && GATE_CONFIG.table[field].kind == GATE_TABLE_FEW)
		return gate_table_few(field, v->word[word]);
	if (bits > 32)
		return (__u32)gate_table_wide(GATE_CONFIG.table[field].base,
					      (const struct gate_wide *)&v->word[word]);
	if (GATE_CONFIG.table[field].kind == GATE_TABLE_TREE)
		return (__u32)gate_table_narrow(GATE_CONFIG.table[field].base, v->word[word]);
	/* Such a table is of all values that a field can have. */
	return gate_direct_at(field, v->word[word] & (0xffffffffu >> (32 - bits)));
}

/* Once a packet, before anything is looked for. */
GATE_INLINE void gate_look_up_here(struct gate_walk *w)
{
	__u32 next = GATE_TABLED(0);

#define GATE_LOOK_UP(name, bits, text) \
	if (gate_is_next(next, name, GATE_TABLED)) \
		w->vector[GATE_##name] = (__u16)gate_vector_of(&w->values, GATE_##name, \
							       GATE_W_##name, bits);
	GATE_FIELDS(GATE_LOOK_UP)
#undef GATE_LOOK_UP
}

GATE_STEP int gate_look_up(struct gate_walk *w)
{
	if (w)
		gate_look_up_here(w);
	return 0;
}

/* Word i of all fields' vectors together, the short parts first. */
GATE_INLINE __u64 gate_and(const struct gate_walk *w, __u32 i)
{
	__u32 next = GATE_TABLED(0);
	__u64 all = ~0ull;
	const __u64 *v;

	gate_opaque(i); /* or another number leads to the word than the one that is compared */
	if (i >= GATE_CONFIG.summaries + GATE_CONFIG.words)
		return 0;
#define GATE_AND(name, bits, text) \
	if (gate_is_next(next, name, GATE_TABLED)) { \
		v = gate_vector_at(w->vector[GATE_##name]); \
		if (!v) \
			return 0; \
		all &= v[i]; \
	}
	GATE_FIELDS(GATE_AND)
#undef GATE_AND
	return all;
}

/* The first word from `i` on that may have a bit set, or one beyond the last. */
GATE_INLINE __u32 gate_next_word(const struct gate_walk *w, __u32 i)
{
	__u64 bits;
	__u32 s;

	if (GATE_CONFIG.words == 1)
		return i;
	for (s = i / 64u; s < GATE_SUMMARY_WORDS; s++) {
		if (s >= GATE_CONFIG.summaries)
			break;
		bits = gate_and(w, s);
		if (s == i / 64u)
			bits &= ~0ull << (i & 63u);
		if (bits)
			return 64u * s + gate_lowest(bits);
	}
	return GATE_VECTOR_WORDS;
}

/*
 * Moves on to the next entry to be looked at. 1: there it is; 0: not yet, or the chain is at its
 * end, and then pc is not before it.
 */
GATE_INLINE int gate_seek(struct gate_walk *w)
{
	__u32 i = w->pc / 64u;
	__u64 bits;

	/* Behind the start of a word its bits are worth a look before the short vectors are. */
	if (!(w->pc & 63u))
		i = gate_next_word(w, i);
	bits = gate_and(w, GATE_CONFIG.summaries + i);
	if (i == w->pc / 64u)
		bits &= ~0ull << (w->pc & 63u);
	if (bits)
		w->pc = 64u * i + gate_lowest(bits);
	else
		w->pc = 64u * (i + 1);
	return bits && w->pc < w->end;
}
