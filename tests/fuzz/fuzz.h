/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzz targets have: where they are entered, what must hold, and how to read single bits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

/* For slow readers: n bits of a packet as a number, the first the most significant. */
static inline uint32_t bits(const uint8_t *p, uint32_t from, uint32_t n)
{
	uint32_t v = 0, i;

	for (i = from; i < from + n; i++)
		v = v * 2 + ((p[i / 8] >> (7 - i % 8)) & 1);
	return v;
}
