/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A set of entries with one lock: finding one by its tag, a part of its hash, and ending datagrams
 * whose time is over. Runs under the lock, and calls nothing.
 */
#pragma once

#include "fragment.h"

/* A datagram that ended, and what its source is to be told of it. */
struct guard_gone {
	__u64 charge;
	__u32 source;
	__u8 valid;
	__u8 praise;
};

#define GUARD_REAP 4 /* datagrams whose time is over that one look at a set may end */

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

#pragma GCC unroll 4
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

/* The way of a fragment's datagram, or GUARD_WAYS. */
GUARD_INLINE __u32 datagrams_find(const struct guard_datagrams *set, const struct guard_fragment *f)
{
	__u32 match = tags_match(set->tags, guard_tag(f->hash)) & set->used;
	__u32 way = bits_lowest(match);

	return match && key_is(&set->d[way].key, &f->key) ? way : GUARD_WAYS;
}

/* A way for one more datagram, or GUARD_WAYS. */
GUARD_INLINE __u32 datagrams_place(const struct guard_datagrams *set,
				   const struct guard_fragment *f)
{
	if (!~set->used)
		return GUARD_WAYS;
	if (!f->good && bits_count(set->strangers) >= GUARD_STRANGER_WAYS)
		return GUARD_WAYS;
	return bits_lowest(~set->used);
}
