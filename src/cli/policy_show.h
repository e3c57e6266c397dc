/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset in force that is to be shown.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "instance.h"

#include <unfrag/unfrag.h>

struct policy_shown {
	struct unfrag_attachment_info info;
	struct instance *instance;
	struct gate_counter *counters; /* of its ruleset, by number */
};

/* What a set has now, to be given back with free(); arg: struct policy_shown. Errors are said. */
int policy_shown_elements(void *arg, uint32_t set, struct element **out, size_t *n);

/* With the elements of sets, or only how many. NULL: something is wrong, and said if not memory. */
json_t *policy_shown_json(struct policy_shown *s, const char *name, bool elements);
