/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Sources: who holds how much of the kernel's memory, and how much one may.
 *
 * Standing is what a source has earned: one for each datagram that became whole, less one for each
 * that did not. So many of its datagrams are sheltered at a time. What a fragment may use of all
 * memory depends on that:
 *
 *	0     2/8     4/8    5/8         7/8    8/8
 *	|------|-------|------|-----------|------|
 *	        a stranger's   its later   a sheltered datagram's first, and later ones
 *	        first fragment ones
 *
 * and of what is left below its mark one source may hold `share` percent, so that a flood from one
 * leaves the rest to others, and from many leaves all but half to those in standing. `floor` bytes
 * it may hold in any case, below its mark. Where a stranger's mark is, between 2/8 and 4/8, its
 * datagram's lot says: so in a flood a newcomer's chance is the same at all times.
 *
 * A source with nothing open and no standing makes room for a newcomer. One in standing does not,
 * until that is older than `forget`: keys that have shown nothing push nobody out. When a set is
 * full of those, newcomers of that set share one account.
 */
#pragma once

#include "set.h"

GUARD_INLINE __u32 source_ref(__u32 set, __u32 way)
{
	return set << 8 | way;
}

/* A way that is always one of the array's. */
GUARD_INLINE __u32 source_way(__u32 ref)
{
	__u32 way = ref & 63u;

	return way > GUARD_WAYS ? GUARD_WAYS : way;
}

GUARD_INLINE int source_is(const struct guard_source *s, const struct guard_fragment *f)
{
	return s->key[0] == f->source[0] && s->key[1] == f->source[1] && s->family == f->family;
}

GUARD_INLINE void source_begin(struct guard_source *s, const struct guard_fragment *f)
{
	s->key[0] = f->source[0];
	s->key[1] = f->source[1];
	s->family = f->family;
	s->used = 0;
	s->refused = 0;
	s->seen = 0;
	s->open = 0;
	s->standing = 0;
}

GUARD_INLINE int source_is_forgotten(const struct guard_source *s, const struct guard_fragment *f,
				     const struct guard_config *c)
{
	return f->now > s->seen && f->now - s->seen > c->forget;
}

/* A way for a newcomer: a free one, else one that is idle, else one whose standing is too old. */
GUARD_INLINE __u32 source_place(struct guard_sources *set, const struct guard_fragment *f,
				const struct guard_config *c, __u32 turn)
{
	__u32 free = ~set->busy & ~set->good & tags_match(set->tags, 0);
	__u32 idle = ~set->busy & ~set->good, good = ~set->busy & set->good, way;

	if (free)
		return bits_lowest(free);
	if (idle)
		return (bits_lowest(bits_rotate(idle, turn)) + turn) & (GUARD_WAYS - 1);
	way = (bits_lowest(bits_rotate(good, turn)) + turn) & (GUARD_WAYS - 1);
	if (good && source_is_forgotten(&set->s[way], f, c))
		return way;
	return GUARD_WAYS;
}

/* The way of a source that is known, or GUARD_WAYS. */
GUARD_INLINE __u32 source_known(const struct guard_sources *set, const struct guard_fragment *f)
{
	__u32 match = tags_match(set->tags, guard_tag(f->source_hash)), way, i;

#pragma GCC unroll 2
	for (i = 0; i < GUARD_SAME_TAG; i++) {
		if (!match)
			break;
		way = bits_lowest(match);
		match &= match - 1;
		if (source_is(&set->s[way], f))
			return way;
	}
	return GUARD_WAYS;
}

/* The same of any source, which is known from then on; or the common account. */
GUARD_INLINE __u32 source_find(struct guard_sources *set, const struct guard_fragment *f,
			       const struct guard_config *c)
{
	__u32 way = source_known(set, f);

	if (way < GUARD_WAYS)
		return way;
	way = source_place(set, f, c, (__u32)f->now);
	if (way >= GUARD_WAYS)
		return GUARD_WAYS;
	way &= GUARD_WAYS - 1;
	set->tags[way] = guard_tag(f->source_hash);
	set->good &= ~(1u << way);
	source_begin(&set->s[way], f);
	return way;
}

GUARD_INLINE void source_note(struct guard_sources *set, __u32 way)
{
	__u32 bit;

	if (way >= GUARD_WAYS) {
		set->crowd = set->s[GUARD_WAYS].open;
		return;
	}
	way &= GUARD_WAYS - 1;
	bit = 1u << way;
	set->busy = set->s[way].open ? set->busy | bit : set->busy & ~bit;
	set->good = set->s[way].standing ? set->good | bit : set->good & ~bit;
}

/* How far all memory may be used for a fragment. first: it begins a datagram. */
GUARD_INLINE __s64 source_mark(const struct guard_config *c, const struct guard_fragment *f,
			       __u8 first)
{
	return (__s64)(c->memory[f->family & 1] / 8 * (f->good ? 8u - first : 5u - first));
}

/* The same, with the lot of the datagram. */
GUARD_INLINE __s64 source_lot(const struct guard_config *c, const struct guard_fragment *f,
			      __u8 first)
{
	if (f->good || !first)
		return source_mark(c, f, first);
	return f->lot;
}

/* Whether a source that holds `held` may hold so much more. NONE, or why not. */
GUARD_INLINE __u32 source_may(const struct guard_config *c, const struct guard_fragment *f,
			      __u8 first, __s64 used, __s64 held, __s64 charge)
{
	__s64 left = source_mark(c, f, first) - used, share;

	if (used + charge > source_lot(c, f, first))
		return UNFRAG_REASON_MEMORY;
	share = (__s64)((__u64)left / 100 * c->share);
	if (share < (__s64)c->floor)
		share = c->floor;
	return held + charge > share ? UNFRAG_REASON_SHARE : UNFRAG_REASON_NONE;
}

/* Whether its standing shelters one more datagram. */
GUARD_INLINE __u8 source_shelters(struct guard_source *s, const struct guard_fragment *f,
				  const struct guard_config *c)
{
	if (s->standing && source_is_forgotten(s, f, c))
		s->standing = 0;
	return s->standing > s->open;
}

GUARD_INLINE void source_hear(struct guard_source *s, __u8 praise, __u64 now)
{
	if (!praise) {
		s->standing -= s->standing > 0;
		return;
	}
	s->seen = now;
	s->standing += s->standing < GUARD_STANDING_MAX;
}
