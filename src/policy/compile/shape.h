/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shapes of a set of concatenations: which prefix lengths its elements have.
 */
#pragma once

#include "tuple_table.h"

typedef union gate_tuple_value shape;

struct shapes {
	shape shape[GATE_SHAPES_MAX];
	uint32_t n;
};

/*
 * Whether two elements with different verdicts overlap. nftables takes the one that was added
 * first, the gate that of the first shape, so such a map can't be kept. Returns 1, 0 or -ENOMEM.
 */
int shapes_conflict(const struct shapes *shapes, const struct tuple_table *t, const struct set *s);
