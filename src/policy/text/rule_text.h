/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule in nftables' language, written from what it is read as. It stands where nftables can't
 * write the rule itself, and means the same when it is loaded again. Rules with the same text are
 * the same.
 */
#pragma once

#include "rule.h"

/* One line, to be given back with free(); NULL without memory. */
char *rule_text(const struct ruleset *rs, const struct rule *rule);

/*
 * Whether elements of a concatenation stand in the rule itself. nftables writes many of them wrong:
 * up to 1.0.6 at least those behind a field without a type of its own, such as "meta length".
 */
bool rule_has_elements(const struct ruleset *rs, const struct rule *rule);
