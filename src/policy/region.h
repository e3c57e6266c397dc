/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of a set as regions of values: what they cover together, more of it, less of it. In a
 * row of one component they are sorted and disjoint; in others they may overlap.
 */
#pragma once

#include "rule.h"

struct regions {
	struct element *items;
	size_t n;
};

void regions_release(struct regions *r);

/* By their starts, and then by their ends: less than, equal to or greater than 0. */
int spans_compare(const struct span *a, const struct span *b);

/* Sorts, and joins what overlaps or touches and has the same verdict. 0 or -ENOMEM. */
int regions_join(struct regions *r, uint32_t components);

/* What is in `more` comes to it. */
int regions_add(struct regions *r, const struct regions *more, uint32_t components);

/*
 * Takes away what is in `less`. -ENOENT: some of it is not there; *missing is the first such item's
 * number in `less`, and nothing is changed. Both joined.
 */
int regions_take(struct regions *r, const struct regions *less, uint32_t components,
		 size_t *missing);
