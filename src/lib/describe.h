/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What attachments and holds have in common when they are looked at: a description, links, a
 * namespace, and what may be wrong with them.
 */
#pragma once

#include <stdbool.h>

#include "about.h"
#include "store.h"

#include <unfrag/unfrag.h>

struct description {
	bool known; /* `about` could be read */
	struct about about;
	uint32_t links;
	enum unfrag_state state;
	char problem[128];
	char netns[256];
};

void describe(struct description *d, const struct store *s);

/* Notes what is wrong; the first problem stays. */
__attribute__((format(printf, 2, 3))) void description_problem(struct description *d,
							       const char *fmt, ...);

/* Settles the state from what was noted. */
void description_finish(struct description *d, struct store *s);
