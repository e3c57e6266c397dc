/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of a set as nftables reads them.
 */
#pragma once

#include "spell.h"

struct element_style {
	const char *type; /* as nftables writes the set's, for a set that no rule uses; or NULL */
	bool intervals;   /* the set may have ranges; else each value is an element of its own */
};

/* Of a set without verdicts `verdict` is NULL. */
typedef void element_fn(const char *key, const char *verdict, void *arg);

/* Calls fn with each of n elements of a set; one may have to be written as several. */
void elements_write(const struct ruleset *rs, const struct set *set,
		    const struct element_style *style, const struct element *elements, size_t n,
		    element_fn *fn, void *arg);

/* "accept", "jump c" */
struct spelling elements_verdict(const struct ruleset *rs, uint32_t verdict);
