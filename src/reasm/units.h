/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Questions about the units of 8 bytes of one datagram, and their answers: which are held, and
 * where the pieces are that they came in. Ranges are from..to, the end not in it, and not empty.
 */
#pragma once

#include "cell.h"

struct span {
	uint32_t from, to;
};

/* How a range meets what is held. */
enum meeting {
	MEETS_NOTHING,
	MEETS_SAME,  /* exactly one piece, from its first unit to its last */
	MEETS_OTHER, /* held in part, or held as other pieces */
};

static inline uint32_t units_of(uint32_t bytes)
{
	return (bytes + UNIT - 1) / UNIT;
}

enum meeting units_meet(const struct cells *cells, const struct datagram *d, struct span range);

/* Takes a range in which nothing is held as one piece; it must have its cells. */
void units_take(struct cells *cells, struct datagram *d, struct span range);

bool unit_held(const struct cells *cells, const struct datagram *d, uint32_t unit);
bool unit_starts(const struct cells *cells, const struct datagram *d, uint32_t unit);

/* Sets whether a piece starts at a unit that is held. */
void unit_set_start(struct cells *cells, const struct datagram *d, uint32_t unit, bool start);

/* The piece that a held unit belongs to. */
struct span unit_piece(const struct cells *cells, const struct datagram *d, uint32_t unit);

/* The first unit held in a range, or its end. */
uint32_t units_next_held(const struct cells *cells, const struct datagram *d, struct span range);

/* Bytes from `at` on as they are held, against others. */
bool bytes_equal(const struct cells *cells, const struct datagram *d, uint32_t at,
		 const uint8_t *data, uint32_t len);
void bytes_put(struct cells *cells, struct datagram *d, uint32_t at, const uint8_t *data,
	       uint32_t len);
