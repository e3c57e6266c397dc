/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule asks of each field before it does anything.
 */
#pragma once

#include "rule.h"

/* Of one field: sorted and disjoint. None: no value will do. */
struct profile_field {
	uint32_t field;
	struct span *spans;
	size_t n;
};

struct profile {
	struct profile_field *fields; /* by number */
	size_t n;
	uint32_t mask;  /* which */
	bool is_exact;  /* there is nothing else that it asks for */
	bool is_final;  /* then it ends its chain, whatever else it does on the way */
	bool is_active; /* it does something */
	uint32_t empty; /* field of which no value will do; GATE_FIELD_MAX: none */
};

/* 0 or -ENOMEM; release it. */
int profile_init(struct profile *p, const struct ruleset *rs, uint32_t rule);
void profile_release(struct profile *p);

/* Whether all packets that meet what `inner` asks for meet what `outer` does; false if in doubt. */
bool profile_covers(const struct profile *outer, const struct profile *inner);
