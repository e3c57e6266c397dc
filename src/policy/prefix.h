/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A range of numbers as prefixes, the fewest there can be, or more of fewer lengths.
 */
#pragma once

#include <stddef.h>

#include "rule.h"

struct prefix {
	value from;
	uint8_t length; /* bits, from the top of the number's */
};

#define PREFIX_STEP_MAX 8u

/* Most that a range of so many bits takes: on either side of its middle, of each length. */
size_t prefixes_most(uint32_t bits, uint32_t step);

/*
 * from <= to, both of so many bits. How many bits a prefix leaves free is a multiple of `step`, up
 * to PREFIX_STEP_MAX, unless it is all of them. Returns how many prefixes it takes.
 */
size_t prefixes_of(struct prefix *out, const struct span *span, uint32_t bits, uint32_t step);
