// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "array.h"
#include "policy.h"

void policy_say(struct policy_messages *m, const char *fmt, ...)
{
	char *text, **slot;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	slot = ARRAY_ADD(m->text, m->n);
	if (slot)
		*slot = text;
	else
		free(text);
}

void policy_messages_release(struct policy_messages *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		free(m->text[i]);
	free(m->text);
	*m = (struct policy_messages){ 0 };
}

void policy_listing_release(struct policy_listing *listing)
{
	free(listing->data);
	*listing = (struct policy_listing){ 0 };
}
