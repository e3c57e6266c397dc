/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Sources: who holds how much, and in what standing.
 *
 * Standing is what a source has earned: one for each datagram that became whole, less one for each
 * that had its chance and did not. So many of its datagrams are sheltered at a time, the latest,
 * where one that begins without a first fragment takes no other's place: it may be the rest of a
 * datagram that was lost. All others are exposed: they go first when memory is short. So a place of
 * shelter for a fragment that never gets a mate costs a whole datagram.
 *
 * What made room and whose rest comes later counts as well; see lost.h.
 *
 * Of those without shelter one in LUCKY_ONE_IN stays longer, so that in the worst of floods, too, a
 * newcomer whose datagrams take their time can earn a first place.
 *
 * A source with standing is remembered while it has nothing open, as long as there is room: there
 * are twice as many sources as datagrams, so half of them can't be taken by open datagrams.
 */
#pragma once

#include "datagram.h"

#define STANDING_MAX 4096u

struct source {
	uint64_t id;
	uint32_t chain;     /* the next in its bucket */
	uint32_t open;      /* datagrams */
	uint32_t sheltered; /* of those */
	uint32_t cells;     /* of those */
	uint32_t standing;
	uint32_t opened;     /* datagrams ever, modulo 2^32 */
	struct list exposed; /* LINK_SOURCE: those that are not sheltered, and those that are */
	struct list sheltering;
	struct link idle;
};

/* Numbered from 1; those from `fresh` on were never used. */
struct sources {
	struct source *all;
	uint32_t *buckets;
	uint32_t mask;
	uint32_t n;
	uint32_t fresh;
	uint32_t free;
	uint32_t known;
	uint32_t last;    /* the one got last; 0: forgotten since */
	uint32_t resting; /* the youngest idle one, which often is needed again at once, or 0 */
	struct list idle; /* nothing open but in good standing, the longest so first; the others */
};

/* The number of the source, which is known from then on. */
uint32_t source_get(struct sources *sources, uint64_t id);

/* One that had nothing open is idle no more. */
void source_wake(struct sources *sources, uint32_t number);

/* The one that was got last, again; 0: it is not known any more. */
static inline uint32_t source_get_last(struct sources *sources)
{
	uint32_t number = sources->last;

	if (number && number == sources->resting)
		sources->resting = 0;
	else if (number && !sources->all[number].open)
		source_wake(sources, number);
	return number;
}

/* Remembers or forgets one that has nothing open. */
void source_rest(struct sources *sources, uint32_t number);

/* To be called when a source may have nothing open any more. */
static inline void source_put(struct sources *sources, uint32_t number)
{
	const struct source *source = &sources->all[number];

	if (source->open)
		return;
	if (source->standing && !sources->resting)
		sources->resting = number;
	else
		source_rest(sources, number);
}

/* Words for how its datagrams end. */
static inline void source_praise(struct source *source)
{
	if (source->standing < STANDING_MAX)
		source->standing++;
}

static inline void source_blame(struct source *source)
{
	if (source->standing)
		source->standing--;
}

static inline struct list *source_list(struct source *source, enum room room)
{
	return room == ROOM_SHELTERED ? &source->sheltering : &source->exposed;
}
