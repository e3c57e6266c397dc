/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules, chains and sets by name, for complaints and explanations.
 */
#pragma once

#include "rule.h"

struct words {
	char text[320];
};

/* "ip filter": family and name. */
struct words words_of_table(const struct ruleset *rs, uint32_t table);

/* "chain 'inet filter input'" */
struct words words_of_chain(const struct ruleset *rs, uint32_t chain);

/* "rule 'tcp dport 80 accept' of chain 'inet filter input'", a long one cut short. */
struct words words_of_rule(const struct ruleset *rs, uint32_t rule);

/* "set 'inet filter hosts'", "map ...", "the anonymous set" */
struct words words_of_set(const struct ruleset *rs, const struct set *s);

/* "ip", "ip6", "inet" */
const char *words_of_family(uint32_t family);
