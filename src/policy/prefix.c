// SPDX-License-Identifier: GPL-2.0-or-later
#include "prefix.h"

#include "fields.h"

/* Low bits that are free in the largest prefix that starts at `from` and ends up to `to`. */
static uint32_t free_bits(value from, value to, uint32_t bits)
{
	uint32_t n = 0;

	while (n < bits && !(from >> n & 1) && fields_max(n + 1) <= to - from)
		n++;
	return n;
}

size_t prefixes_most(uint32_t bits, uint32_t step)
{
	return ((size_t)2 << step) * (bits / step + 1);
}

size_t prefixes_of(struct prefix *out, const struct span *span, uint32_t bits, uint32_t step)
{
	value from = span->from;
	size_t n = 0;
	uint32_t low;

	for (;;) {
		low = free_bits(from, span->to, bits);
		if (low != bits)
			low -= low % step;
		out[n].from = from;
		out[n++].length = (uint8_t)(bits - low);
		if (span->to - from <= fields_max(low))
			return n;
		from += fields_max(low) + 1;
	}
}
