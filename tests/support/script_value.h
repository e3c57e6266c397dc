/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values and spans of values of a random ruleset, and chances.
 */
#pragma once

#include "script.h"

struct script_span {
	script_value from;
	script_value to;
};

#define SCRIPT_SPANS 8

bool script_chance(struct lab_random *random, unsigned int percent);
unsigned int script_below(struct lab_random *random, unsigned int limit);

void script_pools(struct script *r);

unsigned int script_bits(enum script_kind kind); /* 0: words */
script_value script_most(enum script_kind kind);

/* A value of the pool; "edge": or the one before or behind it. */
script_value script_pick(const struct script *r, struct lab_random *random, enum script_kind kind);
script_value script_edge(const struct script *r, struct lab_random *random, enum script_kind kind);

/* A span of more than one value if there may be one. */
struct script_span script_range(struct script *r, enum script_kind kind);
struct script_span script_prefix(struct script *r, enum script_kind kind);

/* Up to `most` that are disjoint, in any order; single values unless `intervals`. At least one. */
size_t script_spans(struct script *r, enum script_kind kind, bool intervals,
		    struct script_span *spans, size_t most);

bool script_is_prefix(const struct script_span *s);

void script_print_value(FILE *f, enum script_kind kind, script_value v);
/* As a value, a prefix, or a range. */
void script_print_span(FILE *f, enum script_kind kind, const struct script_span *s);
