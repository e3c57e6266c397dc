/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow by one. Room doubles when the number is a power of two, so none is kept. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for one more item, cleared, in the array whose address is at `slot`. */
static inline bool array_room(void *slot, size_t n, size_t size)
{
	void *old, *p;

	memcpy(&old, slot, sizeof(old));
	p = old;
	if (!(n & (n - 1))) {
		p = reallocarray(old, n ? 2 * n : 1, size);
		if (!p)
			return false;
		memcpy(slot, &p, sizeof(p));
	}
	memset((char *)p + n * size, 0, size);
	return true;
}

/* The new last item, or NULL without memory. */
#define ARRAY_ADD(array, n) (array_room(&(array), (n), sizeof(*(array))) ? &(array)[(n)++] : NULL)
