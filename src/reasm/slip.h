/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Slips: packets that the caller has lent, of one datagram, found by their places in it.
 *
 * Slips stand in leaves, up to six in each as they came; nodes above the leaves say what is where
 * (a B+-tree). Leaves and nodes have the size of a cell of the pool, two cache lines. A datagram of
 * up to six fragments is one leaf and nothing else. Nothing is ever taken out but all at once, so
 * a tree only grows; where fragments come in order or reversed its leaves are full.
 *
 *	root   [ 0, 16 ]                    the least unit of what is below each
 *	        |    '-----------.
 *	leaves [2 0 4 9 8 6] --> [17 16 20] of each slip: where it starts
 */
#pragma once

#include "units.h"

#define LEAF_SLIPS    6u
#define NODE_CHILDREN 16u

/*
 * Levels of nodes: 8,192 slips are fewer than 2,800 leaves, of which all but those at the ends
 * have three slips or more, and nodes eight children likewise.
 */
#define NODE_LEVELS 5u

/* Cells that the longest datagram takes, at the worst. */
#define SLIP_CELLS_MAX 3200u

/* Cells that one more slip takes, at the worst. */
#define SLIP_NEEDS (NODE_LEVELS + 2u)

#define NO_UNIT UINT16_MAX /* behind all units */

struct slip {
	const uint8_t *data; /* its part of the datagram, in the caller's packet */
	void *owner;
	uint32_t at, len; /* bytes */
};

/* What a search reads comes first. Those from n on are not cleared. */
struct leaf {
	uint16_t n;
	uint16_t limit;           /* the first unit of the leaf behind it; it may only fall */
	uint32_t next;            /* that leaf */
	uint16_t at[LEAF_SLIPS];  /* units */
	uint16_t len[LEAF_SLIPS]; /* bytes */
	const uint8_t *data[LEAF_SLIPS];
	void *owner[LEAF_SLIPS];
};

struct node {
	uint16_t from[NODE_CHILDREN]; /* NO_UNIT from n on */
	uint32_t child[NODE_CHILDREN];
	uint32_t n;
	uint32_t next; /* any other of the datagram */
};

union slip_cell {
	struct leaf leaf;
	struct node node;
} __attribute__((aligned(64)));

_Static_assert(sizeof(union slip_cell) == 128, "two cache lines");

/* The leaf where a slip belongs, and the slip that is the same. */
struct place {
	uint32_t leaf; /* 0: the datagram has none */
	uint32_t index;
};

static inline struct leaf *leaf_get(const struct cells *cells, uint32_t i)
{
	return &cells->slips[i].leaf;
}

static inline const uint8_t *slip_data(const struct cells *cells, struct place place)
{
	return leaf_get(cells, place.leaf)->data[place.index];
}

/* The search where it is not clear at once that a slip comes last or first. */
enum meeting slips_search(const struct cells *cells, const struct datagram *d, uint32_t from,
			  uint32_t to, struct place *place);

/*
 * How bytes from..to meet what is held, and where they belong or the same ones are. Before that,
 * place->leaf is one that slips_foresee() gave, or 0.
 */
static inline enum meeting slips_meet(const struct cells *cells, const struct datagram *d,
				      uint32_t from, uint32_t to, struct place *place)
{
	if (from >= d->top)
		place->leaf = d->last_leaf;
	else if (to <= d->bottom * UNIT)
		place->leaf = d->first_leaf;
	else
		return slips_search(cells, d, from, to, place);
	return MEETS_NOTHING;
}

/* Cells that a slip at a place may need. */
static inline uint32_t slips_missing(const struct cells *cells, const struct datagram *d,
				     struct place place)
{
	if (!place.leaf)
		return 1;
	return leaf_get(cells, place.leaf)->n < LEAF_SLIPS ? 0 : d->levels + 2u;
}

static inline void leaf_add(struct leaf *leaf, const struct slip *slip)
{
	uint32_t i = leaf->n++;

	leaf->at[i] = (uint16_t)(slip->at / UNIT);
	leaf->len[i] = (uint16_t)slip->len;
	leaf->data[i] = slip->data;
	leaf->owner[i] = slip->owner;
}

/* Gives a datagram its first leaf, without slips; there must be a cell. */
void slips_begin(struct cells *cells, struct datagram *d);

/* Puts a slip into a full leaf, or makes the first leaf; there must be cells. */
void slips_grow(struct cells *cells, struct datagram *d, uint32_t leaf, const struct slip *slip);

/* Puts a slip into the leaf that slips_meet() says; there must be cells. */
static inline void slips_put(struct cells *cells, struct datagram *d, uint32_t number,
			     const struct slip *slip)
{
	struct leaf *leaf = leaf_get(cells, number);

	if (number && leaf->n < LEAF_SLIPS)
		leaf_add(leaf, slip);
	else
		slips_grow(cells, d, number, slip);
	if (slip->at < d->bottom * UNIT || !number)
		d->bottom = (uint16_t)(slip->at / UNIT);
}

/* Takes out the one that was put in last, at a place: the caller is told that it was not kept. */
void slips_undo(struct cells *cells, const struct datagram *d, uint32_t at);

/*
 * Fetches the leaf that a slip will be put into or compared with, and returns it: the search may
 * begin there as long as cells->releases does not change. What begins in a leaf stays there or goes
 * to one that is made later.
 */
uint32_t slips_foresee(const struct cells *cells, const struct datagram *d, uint32_t from);

/* Fetches where the slips of a leaf begin: they will be read next. */
static inline void slips_fetch(const struct leaf *leaf)
{
	uint32_t i;

	for (i = 0; i < leaf->n; i++)
		__builtin_prefetch(leaf->data[i]);
}

/* The data at the start of the datagram, which there must be. */
const uint8_t *slips_first(const struct cells *cells, const struct datagram *d);

/* Copies the slips of a leaf to where they can be read in order. Returns how many. */
uint32_t leaf_in_order(const struct leaf *leaf, struct slip *slips);

/* The datagram lets go of all: nodes are free at once, slips wait until they are taken back. */
void slips_release(struct cells *cells, struct datagram *d);

/* Takes at most n of those that wait; their cells are free when all in them are taken. */
size_t slips_take_back(struct cells *cells, void **owners, size_t n);
