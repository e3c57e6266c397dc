// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Merging a fragment into what is held, stretch by stretch. A stretch is a hole, or the part of one
 * held piece that the newcomer covers; the policy decides over each alone.
 *
 *	held          aaaaaa....bbbb.cc         . hole
 *	newcomer         nnnnnnnnnnnnnn
 *	stretches        |1 | 2 | 3 |4|5        1: tail of a, 3: all of b, 5: head of c
 */
#include "policy.h"

struct merge {
	struct cells *cells;
	struct datagram *d;
	struct span range; /* of the newcomer, in units */
	uint32_t at, len;  /* the same in bytes */
	const uint8_t *data;
	bool own;   /* the unit before the stretch is the newcomer's */
	bool taken; /* anything is */
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void put_stretch(struct merge *m, struct span stretch)
{
	uint32_t from = stretch.from * UNIT;
	uint32_t to = least(stretch.to * UNIT, m->at + m->len);

	bytes_put(m->cells, m->d, from, m->data + (from - m->at), to - from);
	unit_set_start(m->cells, m->d, stretch.from, !m->own);
	m->own = true;
	m->taken = true;
}

static void fill_hole(struct merge *m, struct span stretch)
{
	units_take(m->cells, m->d, stretch);
	put_stretch(m, stretch);
}

/* What is behind the stretch is a piece of its own now. */
static void replace(struct merge *m, struct span stretch, struct span piece)
{
	if (stretch.to < piece.to)
		unit_set_start(m->cells, m->d, stretch.to, true);
	put_stretch(m, stretch);
}

bool policy_merge(struct cells *cells, struct datagram *d, enum unfrag_reasm_policy policy,
		  uint32_t at, const uint8_t *data, uint32_t len)
{
	struct merge m = {
		cells, d, { at / UNIT, units_of(at + len) }, at, len, data, false, false
	};
	struct span rest = m.range, piece;
	uint32_t to;

	for (; rest.from < rest.to; rest.from = to) {
		if (!unit_held(cells, d, rest.from)) {
			to = units_next_held(cells, d, rest);
			fill_hole(&m, (struct span){ rest.from, to });
			continue;
		}
		piece = unit_piece(cells, d, rest.from);
		to = least(piece.to, rest.to);
		if (policy_replaces(policy, piece, m.range))
			replace(&m, (struct span){ rest.from, to }, piece);
		else
			m.own = false;
	}
	return m.taken;
}
