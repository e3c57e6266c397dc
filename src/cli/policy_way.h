/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of one packet through a ruleset, printed.
 */
#pragma once

#include <jansson.h>

#include "judgement.h"
#include "words.h"

/* At one hook, just judged: each rule that it came to, and why it went on. */
void way_print(const struct judgement *j, const struct told_packet *p, uint32_t hook);

/* The same as an array of steps. */
json_t *way_json(const struct judgement *j, const struct told_packet *p, uint32_t hook);

/* "rule '...' of chain '...'", or "the policy of chain '...'": what had the last word. */
struct words way_decider(const struct judgement *j);
