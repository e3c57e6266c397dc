/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Slips: packets that the caller has lent, of one datagram, in the order of their places in it.
 *
 * Slips stand in leaves, five in each; nodes above the leaves say what is where (a B+-tree). Leaves
 * and nodes have the size of a cell of the pool, which is two cache lines. A datagram of up to five
 * fragments is one leaf and nothing else. Nothing is ever taken out but all at once, so a tree only
 * grows; where fragments come in order or reversed its leaves are full.
 *
 *	root   [ -, 16 ]                    the least unit of what is below each but the first
 *	        |    '-----------.
 *	leaves [0 2 4 8 9] --> [16 17 20]   of each slip: where it starts
 */
#pragma once

#include "units.h"

#define LEAF_SLIPS    5u
#define NODE_CHILDREN 20u

/*
 * Levels of nodes: 8,192 slips are fewer than 2,800 leaves, of which all but those at the ends
 * have three slips or more, and nodes ten children likewise.
 */
#define NODE_LEVELS 5u

/* Cells that the longest datagram takes, at the worst. */
#define SLIP_CELLS_MAX 3100u

/* Cells that one more slip takes, at the worst. */
#define SLIP_NEEDS (NODE_LEVELS + 2u)

struct slip {
	const uint8_t *data; /* its part of the datagram, in the caller's packet */
	void *owner;
	uint32_t at, len; /* bytes */
};

struct leaf {
	struct slip slips[LEAF_SLIPS];
	uint32_t n;
	uint32_t next; /* the leaf behind it */
};

struct node {
	uint16_t from[NODE_CHILDREN];
	uint32_t child[NODE_CHILDREN];
	uint32_t n;
	uint32_t next; /* any other of the datagram */
};

union slip_cell {
	struct leaf leaf;
	struct node node;
} __attribute__((aligned(64)));

_Static_assert(sizeof(union slip_cell) == 128, "two cache lines");

/* Where a slip is, or would be put. */
struct place {
	uint32_t leaf; /* 0: the datagram has none */
	uint32_t index;
};

static inline struct leaf *leaf_get(const struct cells *cells, uint32_t i)
{
	return &cells->slips[i].leaf;
}

/* The slip at or behind a place; NULL: the place is the end. */
static inline const struct slip *slip_behind(const struct cells *cells, struct place place)
{
	const struct leaf *leaf = leaf_get(cells, place.leaf);

	if (place.index < leaf->n)
		return &leaf->slips[place.index];
	return leaf->next ? leaf_get(cells, leaf->next)->slips : NULL;
}

/* How bytes from..to meet what is held, and where they belong or the same ones are. */
enum meeting slips_meet(const struct cells *cells, const struct datagram *d, uint32_t from,
			uint32_t to, struct place *place);

/* Cells that a slip at a place may need. */
uint32_t slips_missing(const struct cells *cells, const struct datagram *d, struct place place);

/* Puts a slip where slips_meet() says; there must be cells. */
void slips_put(struct cells *cells, struct datagram *d, struct place place,
	       const struct slip *slip);

/* Takes out the one that was put in last, as the caller is told that it was not kept. */
void slips_undo(struct cells *cells, const struct datagram *d, uint32_t at);

/* The datagram lets go of all: nodes are free at once, slips wait until they are taken back. */
void slips_release(struct cells *cells, struct datagram *d);

/* Takes at most n of those that wait; their cells are free when all in them are taken. */
size_t slips_take_back(struct cells *cells, void **owners, size_t n);
