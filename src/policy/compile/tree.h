/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trees as src/gate/layout.h has them, from sorted starts of intervals.
 */
#pragma once

#include "image.h"

/* From `at` on, until the next. */
struct position {
	value at;
	uint32_t value;
};

/*
 * A tree of n > 0 positions, the first of which is at 0, of a field of so many bits. Without
 * values, the first position's value says whether it is in the set, and each next one differs.
 *
 * Returns 0, -E2BIG (more levels than there may be), -ENOMEM. Free lines.
 */
int tree_new(struct image_tree *out, const struct position *positions, size_t n, uint32_t bits,
	     bool values);
