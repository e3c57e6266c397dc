/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What is remembered of datagrams that had to make room: how much of each was there.
 *
 * When the rest comes too late, that shows which sources send whole datagrams, just as one that
 * becomes whole does, and costs its sender as many fragments. So in the worst of floods an
 * honest source earns its first place in shelter by its first datagrams, though none of them could
 * be kept. And the rest, of which nothing will ever come, takes no place of another.
 *
 * One entry a slot, the latest; a lost memory is a lost chance and nothing else.
 */
#pragma once

#include "units.h"

struct lost {
	uint32_t hash; /* of the key */
	uint16_t held; /* units; 0: an empty slot */
	uint16_t end;  /* the same; 0: unknown */
};

struct losses {
	struct lost *all;
	uint32_t mask;
	uint32_t n; /* slots that are not empty */
};

/* In datagram.lost_end: all of it came, and its source was praised. */
#define LOST_TOLD UINT16_MAX

static inline uint16_t lost_end_of(const struct datagram *d)
{
	return d->end ? (uint16_t)units_of(d->end) : d->lost_end;
}

static inline void lost_remember(struct losses *losses, const struct datagram *d)
{
	struct lost *lost = &losses->all[d->hash & losses->mask];
	uint32_t held = d->held + d->lost_held;

	if (d->lost_end == LOST_TOLD || !held || held > UNITS_MAX)
		return;
	losses->n += !lost->held;
	*lost = (struct lost){ d->hash, (uint16_t)held, lost_end_of(d) };
}

/* Fetches what a datagram of that hash would be looked for in. */
static inline void lost_fetch(const struct losses *losses, uint32_t hash)
{
	if (losses->n)
		__builtin_prefetch(&losses->all[hash & losses->mask]);
}

/* Whether there was one of that hash. */
static inline bool lost_any(const struct losses *losses, uint32_t hash)
{
	const struct lost *lost = &losses->all[hash & losses->mask];

	if (!losses->n) /* mostly, and then the table is in no cache */
		return false;
	return lost->held && lost->hash == hash;
}

/* Whether a datagram that begins now is the rest of one. */
static inline bool lost_recall(struct losses *losses, struct datagram *d)
{
	struct lost *lost = &losses->all[d->hash & losses->mask];

	if (!lost_any(losses, d->hash))
		return false;
	d->lost_held = lost->held;
	d->lost_end = lost->end;
	lost->held = 0;
	losses->n--;
	return true;
}

/* Whether now all of it has come, early and late. True once. */
static inline bool lost_is_whole(struct datagram *d)
{
	uint16_t end = lost_end_of(d);

	if (!d->lost_held || d->lost_end == LOST_TOLD || !end || d->held + d->lost_held != end)
		return false;
	d->lost_end = LOST_TOLD;
	return true;
}
