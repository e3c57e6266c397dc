/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset in nftables' language: as nftables wrote it when it was loaded, with the counters and
 * elements of now. nftables can load what is written.
 */
#pragma once

#include <stdio.h>

#include "policy.h"

struct show {
	const struct ruleset *rs;
	const struct policy_listing *listing; /* that rs was read from */
	const struct gate_counter *counters;  /* by number */
	bool terse;                           /* how many elements, but not which */
	/* A set's elements, to be given back with free(). 0, or what went wrong. */
	int (*elements)(void *arg, uint32_t set, struct element **out, size_t *n);
	void *arg;
};

/* -EINVAL: there is no text in the listing; or what elements() returned. */
int show_write(const struct show *s, FILE *out);

/* What the text says of a set. type "": nothing is known. */
struct show_set {
	bool intervals;
	char type[256];
};

/* By number, to be given back with free(); NULL without memory. */
struct show_set *show_sets(const struct ruleset *rs, const struct policy_listing *listing);
