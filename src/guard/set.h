/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A set of entries: finding one by its tag, and ending datagrams whose time is over. All tags of a
 * set stand in one cache line and are compared four at a time. They are read without the lock to
 * find what may be the right one; whoever changes it takes the lock and looks again.
 */
#pragma once

#include "fragment.h"

/* A datagram that ended, and what its source is to be told of it. */
struct guard_gone {
	__u32 charge;
	__u32 account;
	__u8 valid;
	__u8 praise;
};

#define GUARD_REAP 4 /* datagrams whose time is over that one look at a set may end */

/* Entries of one tag that are looked at; of more in one set the rest is not found. */
#define GUARD_SAME_TAG 2

/* Of 15 bits: see tags_have(). */
GUARD_INLINE __u16 guard_tag(__u64 hash)
{
	__u16 tag = (__u16)(hash >> 49);

	return tag ? tag : 1;
}

/* Four of the tags of a set, which stand at a multiple of 8 bytes. */
GUARD_INLINE __u64 tags_lanes(const __u16 *tags, __u32 i)
{
	__u64 lanes;

	__builtin_memcpy(&lanes, __builtin_assume_aligned(&tags[4 * i], sizeof(lanes)),
			 sizeof(lanes));
	return lanes;
}

/* The ways that may have that tag, at least those that do. */
GUARD_INLINE __u32 tags_match(const __u16 *tags, __u16 tag)
{
	__u64 wanted = tag * GUARD_LANE_ONES, lanes;
	__u32 mask = 0, i;

#pragma GCC unroll 8
	for (i = 0; i < GUARD_WAYS / 4; i++) {
		lanes = tags_lanes(tags, i);
		mask |= bits_gather(bits_zero_lanes(lanes ^ wanted)) << 4 * i;
	}
	return mask;
}

/*
 * Whether any way has that tag: what tags_match() finds, at a third of its price. No lane has its
 * top bit, so only a zero among them can borrow one.
 */
GUARD_INLINE int tags_have(const __u16 *tags, __u16 tag)
{
	__u64 wanted = tag * GUARD_LANE_ONES, differ, any = 0;
	__u32 i;

#pragma GCC unroll 8
	for (i = 0; i < GUARD_WAYS / 4; i++) {
		differ = tags_lanes(tags, i) ^ wanted;
		any |= differ - GUARD_LANE_ONES;
	}
	return (any & GUARD_LANE_TOPS) != 0;
}

GUARD_INLINE __u32 index_over(const struct guard_index *set, __u32 deadline)
{
	__u32 mask = 0, i;

#pragma GCC unroll 32
	for (i = 0; i < GUARD_WAYS; i++)
		mask |= (__u32)bits_after(deadline, set->since[i]) << i;
	return mask & set->used;
}

GUARD_INLINE void index_end(struct guard_index *set, __u32 way, struct guard_gone *gone,
			    __u8 praise)
{
	__u32 keep;

	way &= GUARD_WAYS - 1;
	keep = ~(1u << way);
	gone->charge = set->charge[way];
	gone->account = set->account[way];
	gone->praise = praise;
	gone->valid = 1;
	set->used &= keep;
	set->strangers &= keep;
	set->refused &= keep;
	set->tags[way] = 0;
}

/* Ends datagrams whose time is over, at most GUARD_REAP. deadline: ticks; later ones live. */
GUARD_INLINE void index_reap(struct guard_index *set, __u32 deadline, struct guard_gone *gone)
{
	__u32 over = index_over(set, deadline), i;

#pragma GCC unroll 4
	for (i = 0; i < GUARD_REAP; i++) {
		if (!over)
			return;
		index_end(set, bits_lowest(over), &gone[i], 0);
		over &= over - 1;
	}
}

/* Whether a way can be had for one more datagram. */
GUARD_INLINE int index_has_room(const struct guard_index *set, __u8 good)
{
	return ~set->used && (good || bits_count(set->strangers) < GUARD_STRANGER_WAYS);
}

GUARD_INLINE void index_begin(struct guard_index *set, __u32 way, const struct guard_fragment *f)
{
	__u32 bit;

	way &= GUARD_WAYS - 1;
	bit = 1u << way;
	set->tags[way] = guard_tag(f->hash);
	set->since[way] = (__u32)(f->now >> GUARD_TICK_SHIFT);
	set->account[way] = f->account;
	set->charge[way] = f->opening;
	set->used |= bit;
	set->strangers = f->good ? set->strangers & ~bit : set->strangers | bit;
}

GUARD_INLINE int key_is(const struct guard_key *a, const struct guard_key *b)
{
	return !((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
		 (a->word[3] ^ b->word[3]) | (a->word[4] ^ b->word[4]) | (a->word[5] ^ b->word[5]));
}
