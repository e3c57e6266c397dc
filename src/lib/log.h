/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the library has to say, handed to the application's callback. An error is logged once, by
 * the function that knows what it means to people; those above only pass the errno on.
 */
#pragma once

#include <unfrag/unfrag.h>

__attribute__((format(printf, 2, 3))) void log_at(enum unfrag_log_level level, const char *fmt,
						  ...);

/*
 * Logs an error and gives its errno back, negative, for `return log_error(-EINVAL, ...)`. The errno
 * is taken first: the callback may change it.
 */
#define log_error(err, ...) \
	__extension__({ \
		int err_ = (err); \
		log_at(UNFRAG_LOG_ERROR, __VA_ARGS__); \
		err_; \
	})
