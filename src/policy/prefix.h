/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A range of numbers as prefixes, the fewest there can be.
 */
#pragma once

#include <stddef.h>

#include "rule.h"

/* At most so many for a range of so many bits. */
#define PREFIXES_MAX (2 * 128)

struct prefix {
	value from;
	uint8_t length; /* bits, from the top of the number's */
};

/* from <= to, both of so many bits. Returns how many. */
size_t prefixes_of(struct prefix out[PREFIXES_MAX], const struct span *span, uint32_t bits);
