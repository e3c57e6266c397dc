// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Names of reasons, for libunfrag and for the engine. Each has its own copy, as neither needs the
 * other; who links both gets one of two that are the same.
 */
#include <stddef.h>

#include <unfrag/reason.h>

static const char *const names[] = {
#define X(id, name, text) name,
	UNFRAG_REASONS(X)
#undef X
};

static const char *const texts[] = {
#define X(id, name, text) text,
	UNFRAG_REASONS(X)
#undef X
};

const char *unfrag_reason_name(uint32_t reason)
{
	return reason < UNFRAG_REASON_MAX ? names[reason] : NULL;
}

const char *unfrag_reason_text(uint32_t reason)
{
	return reason < UNFRAG_REASON_MAX ? texts[reason] : NULL;
}
