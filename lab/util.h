/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every file of the lab needs and that is no object: cleanup at the end of a scope, taking a
 * pointer or descriptor out of that cleanup, and a clock for deadlines.
 *
 * The lab is test equipment: namespaces, wires, packets and sockets. It depends on libc and on the
 * ip command alone, so that a test which uses it can't be fooled by the library under test.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define lab_cleanup(fn) __attribute__((cleanup(fn)))

/* The value of a pointer (or descriptor), which is left NULL (or -1) so that cleanup skips it. */
#define LAB_TAKE_PTR(p) \
	({ \
		__typeof__(p) lab_taken_ = (p); \
		(p) = NULL; \
		lab_taken_; \
	})
#define LAB_TAKE_FD(fd) \
	({ \
		int lab_taken_ = (fd); \
		(fd) = -1; \
		lab_taken_; \
	})

static inline void lab_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void lab_freep(void *p)
{
	void **ptr = (void **)p;

	free(*ptr);
}

#define lab_autoclose lab_cleanup(lab_closep)
#define lab_autofree  lab_cleanup(lab_freep)

/* Milliseconds of a clock that never steps back. */
static inline int64_t lab_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Milliseconds until a deadline of lab_now_ms(), never below zero: fit for poll(). */
static inline int lab_ms_left(int64_t deadline)
{
	int64_t left = deadline - lab_now_ms();

	return left > 0 ? (int)left : 0;
}
