// SPDX-License-Identifier: GPL-2.0-or-later
#include "trouble.h"

#include <stdarg.h>
#include <stdio.h>

int trouble(struct trouble *t, int err, const char *fmt, ...)
{
	va_list ap;

	if (t->text[0])
		return err;
	va_start(ap, fmt);
	vsnprintf(t->text, sizeof(t->text), fmt, ap);
	va_end(ap);
	return err;
}
