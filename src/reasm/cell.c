// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Giving cells to datagrams and taking them back. Freed cells are used again first, the latest
 * before all others, as they are in the cache; memory that was never needed is never touched.
 */
#include "cell.h"

uint32_t cells_missing(const struct cells *cells, const struct datagram *d, uint32_t from,
		       uint32_t to)
{
	uint32_t last = (to - 1) / CELL_BYTES, missing = 0, i;

	for (i = from / CELL_BYTES; i <= last; i++)
		missing += !cell_number(cells, d, i);
	return missing + (last >= CELLS_NEAR && !d->table);
}

uint32_t cell_take(struct cells *cells, struct datagram *d)
{
	uint32_t number = pool_take(cells);

	cells->next[number] = d->chain_first;
	if (!d->chain_first)
		d->chain_last = number;
	d->chain_first = number;
	d->n_cells++;
	return number;
}

static uint32_t take_empty(struct cells *cells, struct datagram *d)
{
	uint32_t number = cell_take(cells, d);
	struct cell *cell = cell_get(cells, number);

	memset(cell, 0, offsetof(struct cell, data));
	return number;
}

static void provide_far(struct cells *cells, struct datagram *d, uint32_t index)
{
	uint8_t *place;
	uint32_t number;

	if (!d->table) {
		d->table = cell_take(cells, d);
		memset(cell_get(cells, d->table)->data, 0, CELLS_MAX * sizeof(number));
	}
	place = table_place(cells, d, index);
	memcpy(&number, place, sizeof(number));
	if (number)
		return;
	number = take_empty(cells, d);
	memcpy(place, &number, sizeof(number));
}

void cells_provide(struct cells *cells, struct datagram *d, uint32_t from, uint32_t to)
{
	uint32_t last = (to - 1) / CELL_BYTES, i;

	for (i = from / CELL_BYTES; i <= last; i++) {
		if (i >= CELLS_NEAR)
			provide_far(cells, d, i);
		else if (!d->near[i])
			d->near[i] = take_empty(cells, d);
	}
}

void cells_release(struct cells *cells, struct datagram *d)
{
	if (!d->n_cells)
		return;
	cells->next[d->chain_last] = cells->free;
	cells->free = d->chain_first;
	cells->n_free += d->n_cells;
	d->n_cells = 0;
	d->chain_first = 0;
	d->chain_last = 0;
	d->table = 0;
	d->header_cell = 0;
	memset(d->near, 0, sizeof(d->near));
}
