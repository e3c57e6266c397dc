/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random matches, sets and maps of verdicts of a ruleset.
 */
#pragma once

#include "script_value.h"

/* What a rule may look at without contradicting itself, as nftables sees it. */
struct script_context {
	unsigned int l3; /* 4, 6, or 0: either */
	unsigned int l4; /* a protocol, SCRIPT_TH, or 0: any */
};

#define SCRIPT_TH 256u

struct script_context script_context(struct script *r, const struct script_table *t);

/* "ip saddr 10.1.0.1" and the like. */
void script_match(struct script *r, const struct script_table *t, const struct script_context *c,
		  FILE *f);

/* "tcp dport vmap { 53 : accept }" and the like; `from`: chains in front can't be jumped to. */
void script_vmap(struct script *r, const struct script_table *t, const struct script_context *c,
		 size_t from, FILE *f);

/* A new set ('s') or map ('m') of the table. */
void script_object(struct script *r, struct script_table *t, char what);

/* "accept", "jump c3"; never "continue". */
void script_print_verdict(struct script *r, const struct script_table *t, size_t from, FILE *f);
