/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Structs that callers built against another version may pass: each starts with its size as the
 * caller knows it, and grows at its end only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies what both sides know of *src into *dst (zeroed before). src may be NULL. Returns 0, or
 * -EINVAL when the caller set something that this library does not know.
 */
int opts_get(void *dst, size_t dst_size, const void *src);

/*
 * Copies *src out to *dst as far as dst's size goes, leaves that size in place, and zeroes what
 * only the caller knows.
 */
int opts_put(void *dst, const void *src, size_t src_size);
