/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which counters and limits of one ruleset are those of another: what is to be carried over when
 * one comes after the other.
 */
#pragma once

#include "rule.h"

#define PAIRS_NONE UINT32_MAX

/* By number in the new ruleset: the number in the old one, or PAIRS_NONE. */
struct pairs {
	uint32_t *counters;
	uint32_t *limits;
};

/* 0 or -ENOMEM. */
int pairs_find(struct pairs *out, const struct ruleset *next, const struct ruleset *old);
void pairs_release(struct pairs *p);
