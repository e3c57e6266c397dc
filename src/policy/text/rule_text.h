/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule in nftables' language, written from what it is read as. It stands where nftables can't
 * write the rule itself, and means the same when it is loaded again, in more words: "meta l4proto
 * tcp th dport 80" for "tcp dport 80". Rules with the same text are the same.
 */
#pragma once

#include "rule.h"

/* One line, to be given back with free(); NULL without memory. */
char *rule_text(const struct ruleset *rs, const struct rule *rule);
