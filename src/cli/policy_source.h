/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where verbs of policy take rulesets from. */
#pragma once

#include <jansson.h>

#include "policy.h"

/*
 * Reads a file ("-": standard input) for a network namespace (-1: the current one); *listing: what
 * the kernel held of it, or NULL. What there is to say goes to stderr as it is, or into *messages,
 * an array, if that is given. Returns an exit code.
 */
int policy_source_read(struct ruleset *out, struct policy_listing *listing, const char *file,
		       int netns, json_t *messages);

/* Prints what a ruleset has, and the memory that it takes, to the end of a line. */
void policy_source_sum(const struct ruleset *rs, uint64_t memory);
