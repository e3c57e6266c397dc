// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * All of it works on words of 64 units: 128 of them are the longest datagram, and a fragment of
 * 1,480 bytes meets four at most. That bounds every loop here.
 */
#include "units.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The bits of a range that are in one word. */
static uint64_t range_bits(struct span range, uint32_t word)
{
	uint32_t base = word * WORD_UNITS;
	uint64_t bits = ~UINT64_C(0);

	if (range.from > base)
		bits <<= range.from - base;
	if (range.to < base + WORD_UNITS)
		bits &= ~UINT64_C(0) >> (base + WORD_UNITS - range.to);
	return bits;
}

static uint64_t held_word(const struct cells *cells, const struct datagram *d, uint32_t word)
{
	const struct cell *cell = cell_at(cells, d, word / CELL_WORDS);

	return cell ? cell->held[word % CELL_WORDS] : 0;
}

/* Units at which a piece ends or another begins: holes and starts. */
static uint64_t edge_word(const struct cells *cells, const struct datagram *d, uint32_t word)
{
	const struct cell *cell = cell_at(cells, d, word / CELL_WORDS);

	return cell ? ~cell->held[word % CELL_WORDS] | cell->starts[word % CELL_WORDS] :
		      ~UINT64_C(0);
}

static bool units_any_held(const struct cells *cells, const struct datagram *d, struct span range)
{
	uint32_t last = (range.to - 1) / WORD_UNITS, word;

	for (word = range.from / WORD_UNITS; word <= last; word++)
		if (held_word(cells, d, word) & range_bits(range, word))
			return true;
	return false;
}

/* The first edge in a range, or its end. */
static uint32_t next_edge(const struct cells *cells, const struct datagram *d, struct span range)
{
	uint32_t word;
	uint64_t bits;

	if (range.from >= range.to)
		return range.to;
	for (word = range.from / WORD_UNITS; word <= (range.to - 1) / WORD_UNITS; word++) {
		bits = edge_word(cells, d, word) & range_bits(range, word);
		if (bits)
			return word * WORD_UNITS + (uint32_t)__builtin_ctzll(bits);
	}
	return range.to;
}

/* The last start at or before a held unit. */
static uint32_t last_start(const struct cells *cells, const struct datagram *d, uint32_t unit)
{
	struct span range = { 0, unit + 1 };
	uint32_t word = unit / WORD_UNITS;
	const struct cell *cell;
	uint64_t bits;

	do {
		cell = cell_at(cells, d, word / CELL_WORDS);
		bits = cell ? cell->starts[word % CELL_WORDS] & range_bits(range, word) : 0;
		if (bits)
			return word * WORD_UNITS + 63 - (uint32_t)__builtin_clzll(bits);
	} while (word--);
	return 0;
}

bool unit_held(const struct cells *cells, const struct datagram *d, uint32_t unit)
{
	return held_word(cells, d, unit / WORD_UNITS) >> unit % WORD_UNITS & 1;
}

bool unit_starts(const struct cells *cells, const struct datagram *d, uint32_t unit)
{
	const struct cell *cell = cell_at(cells, d, unit / CELL_UNITS);

	return cell && cell->starts[unit / WORD_UNITS % CELL_WORDS] >> unit % WORD_UNITS & 1;
}

void unit_set_start(struct cells *cells, const struct datagram *d, uint32_t unit, bool start)
{
	struct cell *cell = cell_there(cells, d, unit / CELL_UNITS);
	uint64_t bit = UINT64_C(1) << unit % WORD_UNITS;

	if (start)
		cell->starts[unit / WORD_UNITS % CELL_WORDS] |= bit;
	else
		cell->starts[unit / WORD_UNITS % CELL_WORDS] &= ~bit;
}

struct span unit_piece(const struct cells *cells, const struct datagram *d, uint32_t unit)
{
	struct span piece = { last_start(cells, d, unit), 0 };

	piece.to = next_edge(cells, d, (struct span){ unit + 1, UNITS_MAX });
	return piece;
}

uint32_t units_next_held(const struct cells *cells, const struct datagram *d, struct span range)
{
	uint32_t word;
	uint64_t bits;

	for (word = range.from / WORD_UNITS; word <= (range.to - 1) / WORD_UNITS; word++) {
		bits = held_word(cells, d, word) & range_bits(range, word);
		if (bits)
			return word * WORD_UNITS + (uint32_t)__builtin_ctzll(bits);
	}
	return range.to;
}

enum meeting units_meet(const struct cells *cells, const struct datagram *d, struct span range)
{
	if (!units_any_held(cells, d, range))
		return MEETS_NOTHING;
	if (unit_starts(cells, d, range.from) &&
	    next_edge(cells, d, (struct span){ range.from + 1, UNITS_MAX }) == range.to)
		return MEETS_SAME;
	return MEETS_OTHER;
}

void units_take(struct cells *cells, struct datagram *d, struct span range)
{
	uint32_t last = (range.to - 1) / WORD_UNITS, word;

	for (word = range.from / WORD_UNITS; word <= last; word++)
		cell_there(cells, d, word / CELL_WORDS)->held[word % CELL_WORDS] |=
			range_bits(range, word);
	unit_set_start(cells, d, range.from, true);
	d->held += range.to - range.from;
}

bool bytes_equal(const struct cells *cells, const struct datagram *d, uint32_t at,
		 const uint8_t *data, uint32_t len)
{
	uint32_t to = at + len, n;

	for (; at < to; at += n, data += n) {
		n = least(CELL_BYTES - at % CELL_BYTES, to - at);
		if (memcmp(cell_there(cells, d, at / CELL_BYTES)->data + at % CELL_BYTES, data, n))
			return false;
	}
	return true;
}

void bytes_put(struct cells *cells, struct datagram *d, uint32_t at, const uint8_t *data,
	       uint32_t len)
{
	uint32_t to = at + len, n;

	for (; at < to; at += n, data += n) {
		n = least(CELL_BYTES - at % CELL_BYTES, to - at);
		copy_bytes(cell_there(cells, d, at / CELL_BYTES)->data + at % CELL_BYTES, data, n);
	}
}
