/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Case 2: Allen's 13 relations of two fragments and the 409 of three, and the fragments of a
 * datagram in which one of them occurs.
 *
 *	unit      0       1 ... 5       6         each of 8 bytes
 *	          header  the relation  the end   holes are filled: only the relation counts
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RELATION_POINTS 6 /* end points are 0..5 */
#define RELATIONS       (13 + 409)
#define RELATION_PIECES (3 + RELATION_POINTS + 2)

struct interval {
	int from, to;
};

struct relation {
	int n;
	struct interval of[3];
};

struct relation_piece {
	int off, len;
	bool more;
	uint8_t data[8 * RELATION_POINTS];
};

/* RELATIONS of them; those of two come first. */
const struct relation *relations_all(void);

/* Orders of arrival. The first relation_orders() of them are all that there are of a relation. */
extern const int relation_order[6][3];
int relation_orders(const struct relation *rel);

/*
 * The fragments of a relation, in an order; then what fills its holes, then the end, then the
 * header. Where they overlap they bring the same bytes, or each its own. Returns how many.
 */
int relation_pieces(const struct relation *rel, const int *order, bool same_bytes,
		    struct relation_piece *pieces);
