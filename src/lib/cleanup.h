/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Ownership in sight: variables that give back what they hold when their scope ends, and the two
 * macros that take it out of them. One function can so be checked for leaks without another.
 */
#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn)   __attribute__((cleanup(fn)))
#define _cleanup_close_ _cleanup_(close_p)
#define _cleanup_free_  _cleanup_(free_p)
#define _cleanup_dir_   _cleanup_(closedir_p)

#define TAKE_PTR(ptr) \
	__extension__({ \
		__typeof__(ptr) taken_ = (ptr); \
		(ptr) = NULL; \
		taken_; \
	})

#define TAKE_FD(fd) \
	__extension__({ \
		int taken_ = (fd); \
		(fd) = -1; \
		taken_; \
	})

static inline void close_p(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void free_p(void *p)
{
	free(*(void **)p);
}

static inline void closedir_p(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}
