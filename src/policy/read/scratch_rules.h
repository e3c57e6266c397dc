/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of a listing, as far as who looks for their text or their place in the file needs to
 * know them. In the order in which the kernel lists them.
 */
#pragma once

#include "listing.h"

struct scratch_rule {
	uint8_t family;
	uint64_t handle; /* within the table */
	const char *table;
	const char *chain;
	const char *comment; /* or NULL */
};

/* A set without a name belongs to the rule that looks it up. */
struct scratch_set {
	size_t rule;
	const char *name;
};

/* All strings are the listing's. */
struct scratch_rules {
	struct scratch_rule *rules;
	struct scratch_set *sets;
	size_t n, n_sets;
};

/* 0, -ENOMEM, or -EINVAL for a listing that is not sound. */
int scratch_rules_init(struct scratch_rules *out, struct attr listing);
void scratch_rules_release(struct scratch_rules *l);
