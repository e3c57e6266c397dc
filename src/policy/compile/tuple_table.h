/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tuples in the order in which they came, and found by key.
 */
#pragma once

#include "image.h"

#define TUPLES_MAX (4u << 20) /* of one set */

struct tuple_table {
	struct image_tuple *tuples;
	size_t n, room;
	uint32_t *slots; /* number of a tuple + 1; 0: free */
	size_t n_slots;  /* a power of 2 */
};

/*
 * Finds the value of a key, which is zero if the key is new; it stays in place until the next call.
 * Returns NULL without memory.
 */
union gate_tuple_value *tuple_table_put(struct tuple_table *t, const struct gate_tuple *key);

/* NULL: not there. */
const union gate_tuple_value *tuple_table_find(const struct tuple_table *t,
					       const struct gate_tuple *key);
void tuple_table_clear(struct tuple_table *t);
void tuple_table_release(struct tuple_table *t);
