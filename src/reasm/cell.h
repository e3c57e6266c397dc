/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Cells: where the bytes of datagrams are, at their place from the moment they come.
 *
 * A datagram's fragmentable part is cut into stretches of CELL_BYTES; a stretch has a cell as soon
 * as it has data. A cell says of each unit of 8 bytes whether it is held, and whether a piece, a
 * fragment or what is left of one, starts there. So nothing is ever searched or sorted: where a
 * fragment goes is its offset, whatever came before, and the cost of one depends on its own length
 * alone. Cells are all of one size, so any that is freed serves any need.
 *
 *	units    0 1 2 3 4 5 6 7        two fragments, 0..2 and 5, and a third, 3..4, adjacent
 *	held     1 1 1 1 1 1 0 0
 *	starts   1 0 0 1 0 1 0 0        the end of a piece is the next start, or the next hole
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "datagram.h"

#ifndef CELL_WORDS
#define CELL_WORDS 2
#endif
#define UNIT       8u
#define WORD_UNITS 64u
#define CELL_UNITS (WORD_UNITS * CELL_WORDS)
#define CELL_BYTES (UNIT * CELL_UNITS)

/* Units and cells of the longest datagram: 65,535 bytes. */
#define UNITS_MAX 8192u
#define CELLS_MAX (UNITS_MAX / CELL_UNITS)

struct cell {
	uint64_t held[CELL_WORDS];
	uint64_t starts[CELL_WORDS];
	uint8_t data[CELL_BYTES];
};

_Static_assert(CELLS_MAX - CELLS_NEAR <= CELL_BYTES / 4, "a table fits a cell");

/* The pool. Cells are numbered from 1; those from `fresh` on were never used. */
union slip_cell;

struct cells {
	struct cell *all;
	union slip_cell *slips; /* in their place where packets are lent; see slip.h */
	uint32_t *next;         /* of each: the next one of its datagram, or the next free one */
	uint32_t free;
	uint32_t fresh;
	uint32_t n;
	uint32_t n_free;
	uint32_t back_first, back_last; /* leaves whose slips wait to be taken back */
	uint32_t n_back;
	uint32_t releases; /* how often a datagram let go of slips */
};

static inline uint32_t pool_take(struct cells *cells)
{
	uint32_t number = cells->free;

	if (number)
		cells->free = cells->next[number];
	else
		number = cells->fresh++;
	cells->n_free--;
	return number;
}

static inline void pool_give(struct cells *cells, uint32_t number)
{
	cells->next[number] = cells->free;
	cells->free = number;
	cells->n_free++;
}

static inline struct cell *cell_get(const struct cells *cells, uint32_t i)
{
	return &cells->all[i];
}

/* Where the table has the number of a cell that the record has not. */
static inline uint8_t *table_place(const struct cells *cells, const struct datagram *d,
				   uint32_t index)
{
	return cell_get(cells, d->table)->data + (size_t)(index - CELLS_NEAR) * sizeof(uint32_t);
}

/* The number of the cell with bytes from index * CELL_BYTES on; 0: it has none. */
static inline uint32_t cell_number(const struct cells *cells, const struct datagram *d,
				   uint32_t index)
{
	uint32_t number;

	if (index < CELLS_NEAR)
		return d->near[index];
	if (!d->table)
		return 0;
	memcpy(&number, table_place(cells, d, index), sizeof(number));
	return number;
}

static inline struct cell *cell_at(const struct cells *cells, const struct datagram *d,
				   uint32_t index)
{
	uint32_t number = cell_number(cells, d, index);

	return number ? cell_get(cells, number) : NULL;
}

/* The same where it is known that there is one. */
static inline struct cell *cell_there(const struct cells *cells, const struct datagram *d,
				      uint32_t index)
{
	return cell_get(cells, cell_number(cells, d, index));
}

/* Cells that bytes from..to lack, the one for the table included. */
uint32_t cells_missing(const struct cells *cells, const struct datagram *d, uint32_t from,
		       uint32_t to);

/* Gives the datagram the cells it lacks for bytes from..to; there must be as many free. */
void cells_provide(struct cells *cells, struct datagram *d, uint32_t from, uint32_t to);

/* One more cell for something else; it is the datagram's as well. */
uint32_t cell_take(struct cells *cells, struct datagram *d);

/* Frees all cells of the datagram in one step. */
void cells_release(struct cells *cells, struct datagram *d);
