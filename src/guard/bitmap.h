/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What of a datagram has come, in units of 8 bytes: a bit says that a unit is held, another that a
 * fragment starts there. That tells a duplicate from an overlap, in whatever order fragments come;
 * the bytes themselves are the kernel's. Ranges are first..last, both in them.
 *
 *	units    0 1 2 3 4 5 6 7        fragments 0..2, 3..4 and 5
 *	held     1 1 1 1 1 1 0 0        3..4 again: a duplicate
 *	starts   1 0 0 1 0 1 0 0        2..4, or 3..3: an overlap
 *
 * Runs under the lock of a set, and calls nothing.
 */
#pragma once

#include "bits.h"
#include "layout.h"

/* What a range of units meets, as all words of it together. */
struct guard_meeting {
	__u64 any;    /* units that are held */
	__u64 lack;   /* units that are not */
	__u64 inside; /* starts behind its first unit */
};

/* The bits of word w that the units first..last have. */
GUARD_INLINE __u64 word_mask(__u32 w, __u32 first, __u32 last)
{
	__u64 low = (first & 63u) * bits_equal(w, first / 64u);
	__u64 cut = (63u - (last & 63u)) * bits_equal(w, last / 64u);

	return ~0ULL << low & ~0ULL >> cut;
}

GUARD_INLINE void datagram_meet(const struct guard_datagram *d, __u32 first, __u32 last,
				struct guard_meeting *m)
{
	__u64 mask, start;
	__u32 i, w;

	for (i = 0; i < GUARD_WORDS; i++) {
		w = first / 64u + i;
		if (w > last / 64u)
			break;
		w &= GUARD_WORDS - 1;
		mask = word_mask(w, first, last);
		start = bits_equal(w, first / 64u) << (first & 63u);
		m->any |= d->held[w] & mask;
		m->lack |= ~d->held[w] & mask;
		m->inside |= d->starts[w] & mask & ~start;
	}
}

GUARD_INLINE void datagram_mark(struct guard_datagram *d, __u32 first, __u32 last)
{
	__u32 i, w;

	for (i = 0; i < GUARD_WORDS; i++) {
		w = first / 64u + i;
		if (w > last / 64u)
			break;
		w &= GUARD_WORDS - 1;
		d->held[w] |= word_mask(w, first, last);
	}
	d->starts[first / 64u & (GUARD_WORDS - 1)] |= 1ULL << (first & 63u);
}

GUARD_INLINE int unit_is(const __u64 *words, __u32 unit)
{
	__u32 w = unit / 64u;

	guard_opaque(w); /* or the mask goes, which a verifier needs to see */
	return (int)(words[w & (GUARD_WORDS - 1)] >> (unit & 63u) & 1u);
}

/* Exactly one fragment that was taken in before. */
GUARD_INLINE int datagram_has(const struct guard_datagram *d, __u32 first, __u32 last,
			      const struct guard_meeting *m)
{
	if (m->lack || m->inside || !unit_is(d->starts, first))
		return 0;
	return last + 1 >= GUARD_UNITS || !unit_is(d->held, last + 1) ||
	       unit_is(d->starts, last + 1);
}
