/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset as parts with lines, in nftables' writing, and how two of them differ: what was removed
 * and what was added, part by part.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rule.h"

struct outline_part {
	char *title; /* "table inet t, chain c" */
	char **lines;
	size_t n;
	bool is_ordered; /* rules are, elements are not: then lines are sorted */
};

struct outline {
	struct outline_part *parts;
	size_t n;
};

/* 0 or -ENOMEM. */
int outline_init(struct outline *out, const struct ruleset *rs);
void outline_release(struct outline *o);

/* A line that only one of them has: `sign` is '-' (in a) or '+' (in b). */
typedef void outline_differs(const char *title, char sign, const char *line, void *arg);

/* Lines of a part come one after the other. Returns whether there is any, or -ENOMEM. */
int outline_compare(const struct outline *a, const struct outline *b, outline_differs *differs,
		    void *arg);
