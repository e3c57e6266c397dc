/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The engine inside: all its parts, and the steps that its files do for one another.
 *
 *	make.c      making, ending
 *	reasm.c     taking packets, one or many
 *	fragment.c  the judgement of one fragment
 *	run.c       that of fragments in a row that are a whole datagram
 *	table.c     finding a datagram by its key; time
 *	life.c      a datagram's beginning and its ends
 *	room.c      who makes room for whom
 *	header.c    the header that a whole datagram gets
 *	result.c    what the caller reads
 */
#pragma once

#include <unfrag/reasm.h>

#include "arrival.h"
#include "glance.h"
#include "lost.h"
#include "slip.h"
#include "source.h"

/* Timers that end are handled as calls come: so many a call, and so many more a packet. */
#define EXPIRE_CALL   4u
#define EXPIRE_PACKET 2u

/*
 * An IPv4 identification may be in use again when its source has begun so many datagrams since; and
 * no link brings that many in less time (RFC 4963). Of the 65,536 a quarter, as what a source sends
 * in one piece is not seen here.
 */
#define STALE_DATAGRAMS 16384u
#define STALE_AGE       UINT64_C(1000000) /* ns */

/* Of the datagrams without shelter that one stays longer; they may be a part of all datagrams. */
#define LUCKY_ONE_IN 32u
#define LUCKY_PART   4u

enum { FAMILY_IPV4, FAMILY_IPV6, FAMILIES };

struct unfrag_reasm {
	struct hash_secret secret;
	uint64_t now;   /* never goes back */
	uint64_t shift; /* what the caller's clock lacks, modulo 2^64 */

	struct datagram *datagrams; /* 1..n */
	uint32_t *buckets;
	uint32_t mask;
	uint32_t n;
	uint32_t fresh; /* those from here on were never used */
	uint32_t n_free;
	struct list free;     /* LINK_ROOM */
	struct list complete; /* LINK_ROOM: to be freed at the next call */
	struct list fates;    /* LINK_SOURCE: to be told */
	struct list ages[FAMILIES];
	struct list rooms[ROOM_MAX];
	struct cells cells;
	struct sources sources;
	struct losses losses;
	struct glance glance;

	struct key last_key; /* of those that come alone, often that of the next as well */
	uint64_t last_hash;
	uint8_t last_family;
	struct source_key last_source; /* the same of sources, of all */
	uint64_t last_source_id;

	uint64_t timeouts[FAMILIES];
	uint32_t reserve;       /* records that are kept free for datagrams whose fates wait */
	uint32_t reserve_cells; /* the same for packets that wait to be taken back */
	uint32_t share_cells;
	uint32_t share_datagrams;
	uint32_t shelter_cells;
	uint32_t shelter_datagrams;
	uint32_t cells_sheltered;
	uint32_t n_sheltered;
	uint32_t n_lucky;
	uint64_t luck;
	uint32_t n_open;
	uint32_t n_refused;
	uint8_t policy;
	bool keep_fates;
	bool tiny;
	bool borrow; /* packets are lent, bytes are not copied */

	uint32_t n_back_before; /* cells that waited to be taken back when the call began */
	uint64_t next_number;
	struct unfrag_reasm_stats stats;
	size_t memory;
};

static inline int family_index(uint8_t family)
{
	return family == UNFRAG_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
}

static inline struct datagram *datagram_get(struct unfrag_reasm *r, uint32_t i)
{
	return &r->datagrams[i];
}

static inline struct source *source_of(struct unfrag_reasm *r, const struct datagram *d)
{
	return &r->sources.all[d->source];
}

/* Counts more cells of the datagram with its source and its room. */
static inline void engine_charge(struct unfrag_reasm *r, const struct datagram *d, uint32_t cells)
{
	source_of(r, d)->cells += cells;
	if (d->room == ROOM_SHELTERED)
		r->cells_sheltered += cells;
}

/* ---- table.c; see table.h as well */

void time_set(struct unfrag_reasm *r, uint64_t now);
static inline bool time_is_over(const struct unfrag_reasm *r, const struct datagram *d)
{
	return r->now - d->since >= r->timeouts[family_index(d->family)];
}

/* Handles datagrams whose time is over, at most max. Returns how many. */
size_t time_expire(struct unfrag_reasm *r, size_t max);

/* ---- life.c */

/* A new datagram of that key, without fragments; 0: no room. */
uint32_t datagram_open(struct unfrag_reasm *r, const struct arrival *a, enum unfrag_reason *reason);

/* Takes back an opening: it has no fragments. */
void datagram_cancel(struct unfrag_reasm *r, uint32_t i);

/* Gives it up; from then on its fragments are refused, until its timer ends. */
void datagram_refuse(struct unfrag_reasm *r, uint32_t i, enum unfrag_reason reason);

/* Gives it up, if that is still to do, and forgets it. */
void datagram_end(struct unfrag_reasm *r, uint32_t i, enum unfrag_reason reason);

/* Takes its shelter away. */
void datagram_expose(struct unfrag_reasm *r, uint32_t i);

/* It is whole: the caller may read it until datagrams_recycle(). */
void datagram_complete(struct unfrag_reasm *r, uint32_t i);

/*
 * A new datagram that is whole at once, so that nobody has to find it, with so many cells; 0: no
 * room without a change for others. Then datagram_passed() when all is in it.
 */
uint32_t datagram_pass(struct unfrag_reasm *r, const struct arrival *a, uint32_t cells);
void datagram_passed(struct unfrag_reasm *r, uint32_t i);

void datagrams_recycle(struct unfrag_reasm *r);

bool fate_take(struct unfrag_reasm *r, struct unfrag_reasm_fate *fate);

/* ---- room.c */

/* Makes room, for one datagram of a source or for cells of a datagram. NONE, or why not. */
enum unfrag_reason room_for_datagram(struct unfrag_reasm *r, const struct source *source);
enum unfrag_reason room_for_cells(struct unfrag_reasm *r, uint32_t i, uint32_t cells);

/* Whether a datagram of so many cells finds room, and shelter if it should, that nobody has. */
bool room_is_free(const struct unfrag_reasm *r, const struct source *source, uint32_t cells);

/* ---- fragment.c */

/* Judges a readable fragment; the result is zeroed but for the family. */
void fragment_judge(struct unfrag_reasm *r, const struct arrival *a,
		    struct unfrag_reasm_result *res);

/* ---- run.c */

/*
 * Judges the fragments at the head of some arrivals as one, if they are a whole datagram that needs
 * nothing from others; results as above. Returns how many, or 0.
 */
size_t run_judge(struct unfrag_reasm *r, const struct arrival *a, size_t n,
		 struct unfrag_reasm_result *res);
