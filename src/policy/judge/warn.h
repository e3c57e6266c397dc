/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a ruleset has in vain. Only what is certain is told: another rule may still be in vain.
 */
#pragma once

#include "complaint.h"
#include "rule.h"

enum warning_kind {
	WARNING_NEVER,  /* the rule's conditions on `field` contradict each other */
	WARNING_TAKEN,  /* the rule `other` of the same chain decides about all that it matches */
	WARNING_UNUSED, /* no rule leads to the chain */
	WARNING_KIND_MAX,
};

struct warning {
	enum warning_kind kind;
	uint32_t rule; /* or chain */
	uint32_t other;
	uint32_t field; /* enum gate_field */
};

/* Of a ruleset that image_new() takes. 0 or -ENOMEM. Free *out. */
int warnings_find(struct warning **out, size_t *n, const struct ruleset *rs);

/* "FILE:LINE" of what is in vain; NULL: that is not certain. */
const char *warning_place(const struct ruleset *rs, const struct warning *w);

/* In words, as a complaint that is none. */
void warning_say(struct complaint *out, const struct ruleset *rs, const struct warning *w);
