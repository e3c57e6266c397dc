/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random rulesets, and packets aimed at the bounds of what they ask for.
 *
 * All values come from a few numbers for each width, and their neighbours, so that rules overlap
 * and packets meet them. Jumps lead to chains made later, so they end.
 */
#pragma once

#include <frag.h>

#include "rules.h"

#define RANDOM_FIELDS 6

struct random_rules {
	struct lab_random random;
	uint8_t field[RANDOM_FIELDS]; /* that rules look at, at least */
	uint32_t hook;                /* at which most base chains are */
};

/* Into a zeroed ruleset. */
void random_rules(struct random_rules *r, struct ruleset *rs);
void random_values(struct random_rules *r, struct gate_values *v);
