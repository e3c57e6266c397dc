// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Who makes room for whom when memory is short.
 *
 * First, a source that has its share makes room for itself, its oldest datagram first. Then the
 * oldest exposed datagram goes, whoever needs the room: lone fragments are nearly always the oldest
 * there, as whole datagrams are gone within moments. Lucky ones go when there are too many of them,
 * or no exposed ones are left. Sheltered ones go only for sheltered ones, and may have half of all,
 * so newcomers always find the rest. Who can't be given room so is turned away, and nothing
 * that is held suffers.
 *
 * Each datagram that goes frees at least one cell, so the loops end after as many steps as cells
 * are needed. Cells of lent packets are free only when those are taken back; a reserve is for that.
 */
#include "engine.h"

/* The oldest in a room, the one that asks not counted. */
static uint32_t oldest(const struct unfrag_reasm *r, enum room room, uint32_t asks)
{
	uint32_t i = r->rooms[room].first;

	return i && i == asks ? r->datagrams[i].link[LINK_ROOM].next : i;
}

static bool is_older(const struct unfrag_reasm *r, uint32_t a, uint32_t b)
{
	return a && (!b || r->datagrams[a].number < r->datagrams[b].number);
}

/* A source's own, of which it can spare the exposed ones first. */
static uint32_t oldest_of_source(const struct unfrag_reasm *r, const struct source *source,
				 uint32_t asks)
{
	uint32_t i = source->exposed.first;

	if (i && i == asks)
		i = r->datagrams[i].link[LINK_SOURCE].next;
	if (!i)
		i = source->sheltering.first;
	if (i && i == asks)
		i = r->datagrams[i].link[LINK_SOURCE].next;
	return i;
}

/* Records of refused datagrams are room as well, but when it is their turn. */
static uint32_t victim_for_record(const struct unfrag_reasm *r)
{
	uint32_t exposed = oldest(r, ROOM_EXPOSED, 0), refused = oldest(r, ROOM_REFUSED, 0);

	if (is_older(r, refused, exposed))
		return refused;
	return exposed ? exposed : oldest(r, ROOM_LUCKY, 0);
}

static uint32_t victim_for_cells(const struct unfrag_reasm *r, uint32_t asks)
{
	bool sheltered = r->datagrams[asks].room == ROOM_SHELTERED;
	uint32_t i = oldest(r, ROOM_EXPOSED, asks);

	if (!i)
		i = oldest(r, ROOM_LUCKY, asks);
	if (!i && sheltered)
		i = oldest(r, ROOM_SHELTERED, asks);
	return i;
}

static bool has_too_many_lucky(const struct unfrag_reasm *r)
{
	return r->n_lucky > r->n / LUCKY_PART;
}

static bool exceeds_share(const struct unfrag_reasm *r, const struct source *source, uint32_t cells)
{
	return source->cells + cells > r->share_cells;
}

/* Those that wait to be taken back are counted: nobody has to go for them. */
static bool lacks_cells(const struct unfrag_reasm *r, uint32_t cells)
{
	return r->cells.n_free + r->cells.n_back < cells + r->reserve_cells;
}

static bool shelter_is_free(const struct unfrag_reasm *r, const struct source *source,
			    uint32_t cells)
{
	return source->sheltered < source->standing && r->n_sheltered < r->shelter_datagrams &&
	       r->cells_sheltered + cells <= r->shelter_cells;
}

bool room_is_free(const struct unfrag_reasm *r, const struct source *source, uint32_t cells)
{
	if (source->open >= r->share_datagrams || exceeds_share(r, source, cells))
		return false;
	if (has_too_many_lucky(r) || r->n_free <= r->reserve)
		return false;
	if (r->cells.n_free < cells || lacks_cells(r, cells))
		return false;
	return !source->standing || shelter_is_free(r, source, cells);
}

enum unfrag_reason room_for_datagram(struct unfrag_reasm *r, const struct source *source)
{
	uint32_t i;

	if (source->open > r->share_datagrams)
		datagram_end(r, oldest_of_source(r, source, 0), UNFRAG_REASON_SHARE);
	if (has_too_many_lucky(r))
		datagram_end(r, oldest(r, ROOM_LUCKY, 0), UNFRAG_REASON_EVICTED);
	if (r->n_free > r->reserve)
		return UNFRAG_REASON_NONE;
	i = victim_for_record(r);
	if (i)
		datagram_end(r, i, UNFRAG_REASON_EVICTED);
	return r->n_free ? UNFRAG_REASON_NONE : UNFRAG_REASON_MEMORY;
}

static enum unfrag_reason room_in_share(struct unfrag_reasm *r, uint32_t i, uint32_t cells)
{
	const struct source *source = source_of(r, datagram_get(r, i));
	uint32_t victim;

	while (exceeds_share(r, source, cells)) {
		victim = oldest_of_source(r, source, i);
		if (!victim)
			return UNFRAG_REASON_SHARE;
		datagram_end(r, victim, UNFRAG_REASON_SHARE);
	}
	return UNFRAG_REASON_NONE;
}

/* The oldest lose it, so that one that has none finds room for the longest datagram. */
static void keep_shelter_small(struct unfrag_reasm *r, uint32_t i, uint32_t cells)
{
	uint32_t other;

	if (datagram_get(r, i)->room != ROOM_SHELTERED)
		return;
	while (r->cells_sheltered + cells > r->shelter_cells) {
		other = oldest(r, ROOM_SHELTERED, i);
		if (!other)
			return;
		datagram_expose(r, other);
	}
}

enum unfrag_reason room_for_cells(struct unfrag_reasm *r, uint32_t i, uint32_t cells)
{
	uint32_t victim;

	keep_shelter_small(r, i, cells);
	if (room_in_share(r, i, cells))
		return UNFRAG_REASON_SHARE;
	while (lacks_cells(r, cells)) {
		victim = victim_for_cells(r, i);
		if (!victim)
			return UNFRAG_REASON_MEMORY;
		datagram_end(r, victim, UNFRAG_REASON_EVICTED);
	}
	return r->cells.n_free < cells ? UNFRAG_REASON_MEMORY : UNFRAG_REASON_NONE;
}
