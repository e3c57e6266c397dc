/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rulesets in words that tests can compare, each part in a form of its own. */
#pragma once

#include <stdio.h>

#include "policy.h"
#include "test.h"

/*
 * A rule: "ip saddr 10.0.0.0-10.255.255.255 (hex) ; counter 0 ; drop". Each statement in turn:
 *	FIELD in FROM-TO,...	FIELD not in ...	FIELD & MASK == VALUE	... != VALUE
 *	FIELD . FIELD in set N	FIELD vmap N	counter N	log N	limit N	VERDICT
 * Numbers in hexadecimal, without leading zeros.
 */
void ruleset_print_rule(FILE *out, const struct ruleset *rs, size_t rule);

/* A set: "FIELD . FIELD: FROM-TO . FROM-TO[ : VERDICT], ..." in the order it has. */
void ruleset_print_set(FILE *out, const struct ruleset *rs, size_t set);

/* All of it, a line for each part. */
void ruleset_print(FILE *out, const struct ruleset *rs);
