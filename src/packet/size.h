/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Sizes in words, in sentences. */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#define SIZE_IN_BYTES 10000u /* from here on a letter is shorter, and as good */

struct size_words {
	char text[32];
};

/* "0 bytes", "1024 bytes", "16.0K", "3.5M": by 1,024, rounded down. */
static inline struct size_words size_in_words(uint64_t bytes)
{
	static const char letters[] = "KMGTPE";
	/* Tenths of the first unit; what has more than three digits before the point goes on. */
	uint64_t tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024;
	struct size_words w;
	unsigned int i = 0;

	if (bytes < SIZE_IN_BYTES) {
		snprintf(w.text, sizeof(w.text), "%" PRIu64 " byte%s", bytes,
			 bytes == 1 ? "" : "s");
		return w;
	}
	while (tenths >= 10000 && letters[i + 1]) {
		tenths /= 1024;
		i++;
	}
	snprintf(w.text, sizeof(w.text), "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10,
		 letters[i]);
	return w;
}
