// SPDX-License-Identifier: GPL-2.0-or-later
#include "complaint.h"

#include <stdarg.h>
#include <stdio.h>

int complain(struct complaint *c, int err, const char *fmt, ...)
{
	va_list ap;

	if (c->text[0])
		return err;
	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
	return err;
}
