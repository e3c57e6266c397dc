// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "opts.h"

#include <errno.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int opts_get(void *dst, size_t dst_size, const void *src)
{
	const char *bytes = src;
	size_t size, i;

	memset(dst, 0, dst_size);
	if (!src)
		return 0;
	memcpy(&size, src, sizeof(size));
	if (size < sizeof(size))
		return -EINVAL;
	for (i = dst_size; i < size; i++)
		if (bytes[i])
			return -EINVAL;
	memcpy(dst, src, least(size, dst_size));
	return 0;
}

int opts_put(void *dst, const void *src, size_t src_size)
{
	size_t size;

	memcpy(&size, dst, sizeof(size));
	if (size < sizeof(size))
		return -EINVAL;
	memcpy((char *)dst + sizeof(size), (const char *)src + sizeof(size),
	       least(size, src_size) - sizeof(size));
	if (size > src_size)
		memset((char *)dst + src_size, 0, size - src_size);
	return 0;
}
