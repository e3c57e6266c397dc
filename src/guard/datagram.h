/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Datagrams: whether a fragment fits what came before of the same one. All here runs under the lock
 * of the set, and calls nothing.
 *
 *	OPEN --> gone: whole, or its time is over
 *	  '----> REFUSED --> gone: its time is over        what still comes is dropped
 */
#pragma once

#include "bitmap.h"
#include "fragment.h"

/* What became of a fragment at its datagram. */
enum datagram_answer {
	DATAGRAM_ABSENT = 256, /* there is none yet; below: a reason */
	DATAGRAM_MORE,         /* taken in */
	DATAGRAM_WHOLE,        /* taken in, and nothing is missing now */
	DATAGRAM_PASS,         /* not to be tracked: a rule that is switched off */
};

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

GUARD_INLINE void datagram_begin(struct guard_datagram *d, const struct guard_fragment *f)
{
	__u32 i;

	for (i = 0; i < GUARD_WORDS; i++) {
		guard_opaque(i); /* or it becomes a call of memset(), which BPF has not */
		d->held[i & (GUARD_WORDS - 1)] = 0;
		d->starts[i & (GUARD_WORDS - 1)] = 0;
	}
	d->key = f->key;
	d->state = GUARD_OPEN;
	d->good = f->good;
	d->end = 0;
	d->top = 0;
	d->bytes = 0;
	d->fragments = 0;
	d->ecn = 0;
	d->unsure = 0;
	datagram_take(d, f);
}
