/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matches on one field as spans of its values: what tables can look up.
 */
#pragma once

#include "rule.h"

/* The values of a field with which entries first..end-1 may match. */
struct condition {
	uint32_t first, end, field;
	const struct span *spans; /* sorted and disjoint */
	size_t n;
	struct span *owned; /* NULL: they are the ruleset's */
};

/* Not a named set, a concatenation, or a mask that would be very many spans. */
bool match_is_condition(const struct ruleset *rs, const struct match *m);

/* Fills in field and spans. 0 or -ENOMEM; release it. */
int condition_of(struct condition *out, const struct ruleset *rs, const struct match *m);
void condition_release(struct condition *c);

/* Whether spans are sorted, disjoint and within so many bits. */
bool spans_are_sound(const struct span *spans, size_t n, uint32_t bits);
