/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Datagrams: whether a fragment fits what came before of the same one.
 *
 * A datagram is two bitmaps with a bit for each unit of 8 bytes: what is held, and where fragments
 * start. That tells a duplicate from an overlap, in whatever order fragments come; the bytes
 * themselves are the kernel's. All here runs under the lock of the set, and calls nothing.
 *
 *	units    0 1 2 3 4 5 6 7        fragments 0..2, 3..4 and 5
 *	held     1 1 1 1 1 1 0 0        3..4 again: a duplicate
 *	starts   1 0 0 1 0 1 0 0        2..4, or 3..3: an overlap
 */
#pragma once

#include "fragment.h"

/* What became of a fragment at its datagram. */
enum datagram_answer {
	DATAGRAM_ABSENT = 256, /* there is none yet; below: a reason */
	DATAGRAM_MORE,         /* taken in */
	DATAGRAM_WHOLE,        /* taken in, and nothing is missing now */
	DATAGRAM_PASS,         /* not to be tracked: a rule that is switched off */
};

/* A datagram that ended, and what its source is to be told of it. */
struct guard_gone {
	__u64 charge;
	__u32 source;
	__u8 valid;
	__u8 praise;
};

#define GUARD_REAP 2 /* datagrams whose time is over that one look at a set may end */

GUARD_INLINE __u32 guard_tag(__u64 hash)
{
	__u32 tag = (__u32)(hash >> 32);

	return tag ? tag : 1;
}

/* The ways with that tag. */
GUARD_INLINE __u32 tags_match(const __u32 *tags, __u32 tag)
{
	__u32 mask = 0, i;

#pragma GCC unroll 32
	for (i = 0; i < GUARD_WAYS; i++)
		mask |= (__u32)bits_equal(tags[i], tag) << i;
	return mask;
}

GUARD_INLINE __u32 datagrams_over(const struct guard_datagrams *set, __u32 deadline)
{
	__u32 mask = 0, i;

#pragma GCC unroll 32
	for (i = 0; i < GUARD_WAYS; i++)
		mask |= (__u32)bits_after(deadline, set->since[i]) << i;
	return mask & set->used;
}

GUARD_INLINE void datagram_end(struct guard_datagrams *set, __u32 way, struct guard_gone *gone,
			       __u8 praise)
{
	struct guard_datagram *d = &set->d[way & (GUARD_WAYS - 1)];
	__u32 keep = ~(1u << (way & (GUARD_WAYS - 1)));

	gone->charge = d->charge;
	gone->source = d->source;
	gone->praise = praise;
	gone->valid = 1;
	set->used &= keep;
	set->strangers &= keep;
	set->tags[way & (GUARD_WAYS - 1)] = 0;
}

/* Ends datagrams whose time is over, at most GUARD_REAP. deadline: ticks; later ones live. */
GUARD_INLINE void datagrams_reap(struct guard_datagrams *set, __u32 deadline,
				 struct guard_gone *gone)
{
	__u32 over = datagrams_over(set, deadline), i;

#pragma GCC unroll 2
	for (i = 0; i < GUARD_REAP; i++) {
		if (!over)
			return;
		datagram_end(set, bits_lowest(over), &gone[i], 0);
		over &= over - 1;
	}
}

GUARD_INLINE int key_is(const struct guard_key *a, const struct guard_key *b)
{
	return !((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
		 (a->word[3] ^ b->word[3]) | (a->word[4] ^ b->word[4]) | (a->word[5] ^ b->word[5]));
}

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
	return words[w & (GUARD_WORDS - 1)] >> (unit & 63u) & 1u;
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

/* Bytes beyond the end, or a second end that differs. */
GUARD_INLINE int datagram_breaks_end(const struct guard_datagram *d, const struct guard_fragment *f)
{
	__u32 to = f->off + f->len;

	if (d->end && (to > d->end || (!f->more && to != d->end)))
		return 1;
	return !f->more && to < d->top;
}

GUARD_INLINE int datagram_breaks_ecn(const struct guard_datagram *d, const struct guard_fragment *f)
{
	__u32 seen = d->ecn | 1u << (f->ecn & 3u);

	return (seen & 1u) && seen != 1u;
}

/* Many fragments for few bytes: each costs the kernel hundreds, whatever is in it. */
GUARD_INLINE int datagram_is_small(const struct guard_datagram *d, const struct guard_fragment *f,
				   const struct guard_config *c)
{
	__u64 n = (__u64)d->fragments + 1;

	return n > c->small_after && d->bytes + f->len < n * c->small_mean;
}

/* What ends the datagram, or NONE. */
GUARD_INLINE __u32 datagram_offence(const struct guard_datagram *d, const struct guard_fragment *f,
				    const struct guard_config *c, const struct guard_meeting *m)
{
	if (datagram_breaks_end(d, f))
		return UNFRAG_REASON_END;
	if (m->any)
		return UNFRAG_REASON_OVERLAP;
	if (datagram_breaks_ecn(d, f))
		return UNFRAG_REASON_ECN;
	if (datagram_is_small(d, f, c))
		return UNFRAG_REASON_SMALL;
	return UNFRAG_REASON_NONE;
}

GUARD_INLINE void datagram_take(struct guard_datagram *d, const struct guard_fragment *f)
{
	__u32 to = f->off + f->len;

	datagram_mark(d, f->off / GUARD_UNIT, (to - 1) / GUARD_UNIT);
	if (to > d->top)
		d->top = to;
	if (!f->more)
		d->end = to;
	d->bytes += f->len;
	d->fragments++;
	d->charge += f->charge;
	d->ecn |= 1u << (f->ecn & 3u);
	d->unsure |= f->unsure;
}

/* A fragment of a datagram that is there. */
GUARD_INLINE __u32 datagram_judge(struct guard_datagram *d, const struct guard_fragment *f,
				  const struct guard_config *c)
{
	__u32 first = f->off / GUARD_UNIT, last = (f->off + f->len - 1) / GUARD_UNIT, reason;
	struct guard_meeting m = { 0 };

	if (d->state != GUARD_OPEN)
		return UNFRAG_REASON_REFUSED;
	datagram_meet(d, first, last, &m);
	if (datagram_has(d, first, last, &m) && !datagram_breaks_end(d, f))
		return guard_is_off(c, UNFRAG_REASON_DUPLICATE) ? DATAGRAM_PASS :
								  UNFRAG_REASON_DUPLICATE;
	reason = datagram_offence(d, f, c, &m);
	if (reason && !guard_is_off(c, reason)) {
		d->state = GUARD_REFUSED;
		return reason;
	}
	/* Past a rule that is switched off the kernel decides, and the guard can't tell how. */
	d->unsure |= reason != UNFRAG_REASON_NONE;
	datagram_take(d, f);
	return d->end && d->bytes == d->end && !d->unsure ? DATAGRAM_WHOLE : DATAGRAM_MORE;
}

GUARD_INLINE void datagram_begin(struct guard_datagram *d, const struct guard_fragment *f,
				 __u32 source, __u32 charge, __u8 good)
{
	__u32 i;

	for (i = 0; i < GUARD_WORDS; i++) {
		guard_opaque(i); /* or it becomes a call of memset(), which BPF has not */
		d->held[i & (GUARD_WORDS - 1)] = 0;
		d->starts[i & (GUARD_WORDS - 1)] = 0;
	}
	d->key = f->key;
	d->source = source;
	d->state = GUARD_OPEN;
	d->good = good;
	d->end = 0;
	d->top = 0;
	d->bytes = 0;
	d->fragments = 0;
	d->ecn = 0;
	d->unsure = 0;
	d->charge = 0;
	datagram_take(d, f);
	d->charge = charge;
}
