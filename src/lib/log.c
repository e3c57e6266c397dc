// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

static unfrag_log_fn log_fn;
static void *log_arg;

void unfrag_set_log(unfrag_log_fn fn, void *arg)
{
	log_fn = fn;
	log_arg = arg;
}

void log_at(enum unfrag_log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!log_fn)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_fn(level, line, log_arg);
}
