/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers with units, as options have them and as tables show them.
 *
 * Each of the first four reads all of `text`, and returns false where that is none of its kind, is
 * 0, or does not fit; then *out is untouched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "4096", "16K", "16M", "1G": bytes, by 1,024. A "B" or "iB" may follow the letter. */
bool quantity_size(const char *text, uint64_t *out);

/* "250ms", "3s", "10m", "1h": milliseconds. A number alone is no time. */
bool quantity_time(const char *text, uint64_t *out);

/* "50" or "50%", up to 100. */
bool quantity_percent(const char *text, uint32_t *out);

/* "8192". */
bool quantity_number(const char *text, uint32_t *out);

/*
 * For tables: "0", "1000", "16.0K", "3.5M", four digits at most, into QUANTITY_MAX bytes. Returns
 * buf. In sentences bytes are called so: size.h.
 */
#define QUANTITY_MAX 32
const char *quantity_of_size(uint64_t bytes, char *buf);

/* "250ms", "3s", "10m": the largest unit that it is a whole number of. */
const char *quantity_of_time(uint64_t ms, char *buf);
