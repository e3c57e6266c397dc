/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rulesets made by hand, without nftables. Make tables and sets first, then chains, then rules,
 * chain by chain. Memory that is short fails the test.
 */
#pragma once

#include "image.h"
#include <test.h>

/* Numbers of what was made. */
uint32_t rules_table(struct ruleset *rs, uint32_t family);
uint32_t rules_base(struct ruleset *rs, uint32_t table, uint32_t hook, int32_t priority,
		    uint32_t policy);
uint32_t rules_chain(struct ruleset *rs, uint32_t table);
uint32_t rules_rule(struct ruleset *rs, uint32_t chain);
uint32_t rules_counter(struct ruleset *rs);
uint32_t rules_log(struct ruleset *rs);
uint32_t rules_limit(struct ruleset *rs, const struct limit *limit);

/* A set for keys of these fields. */
uint32_t rules_set(struct ruleset *rs, const struct key *key, bool verdicts, bool is_named);
void rules_element(struct ruleset *rs, uint32_t set, const struct span *spans, uint32_t verdict);

#define RULES_KEY(...) \
	{ \
		.n = sizeof((const uint8_t[]){ __VA_ARGS__ }), .field = { __VA_ARGS__ } \
	}

/* Statements of the last rule. Spans are copied. */
void rules_spans(struct ruleset *rs, uint32_t field, bool negate, const struct span *spans,
		 size_t n);
void rules_is(struct ruleset *rs, uint32_t field, value from, value to); /* in one span */
void rules_mask(struct ruleset *rs, uint32_t field, bool negate, value mask, value is);
void rules_in(struct ruleset *rs, const struct key *key, bool negate, uint32_t set);
void rules_verdict(struct ruleset *rs, uint32_t action, uint32_t chain);
void rules_continue(struct ruleset *rs);
void rules_vmap(struct ruleset *rs, const struct key *key, uint32_t set);
uint32_t rules_count(struct ruleset *rs); /* with a counter of its own; returns it */
void rules_tell(struct ruleset *rs);      /* with a log of its own */
void rules_limited(struct ruleset *rs, const struct limit *limit);
