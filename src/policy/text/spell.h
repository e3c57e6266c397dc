/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values, matches and verdicts in words, much as nftables writes them.
 */
#pragma once

#include "rule.h"

struct spelling {
	char text[512];
};

/* More behind what is spelled; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) void spelling_add(struct spelling *s, const char *fmt, ...);

/* "10.0.0.1", "53", "syn,ack" */
struct spelling spell_value(uint32_t field, value v);

/* "10.0.0.0-10.0.0.255", or the value if it is only one */
struct spelling spell_span(uint32_t field, const struct span *span);

/* "ip saddr . th dport" */
struct spelling spell_key(const struct key *key);

/* Why a match does not hold: "th dport is 53, not 80-90, 443" */
struct spelling spell_failure(const struct ruleset *rs, const struct match *m,
			      const struct gate_values *v);

/* Why a verdict map has nothing: "map 'm' has no element for th dport 53" */
struct spelling spell_unknown(const struct ruleset *rs, const struct match *m,
			      const struct gate_values *v);

/* "accept", "jump to chain 'ip filter tcp'" */
struct spelling spell_verdict(const struct ruleset *rs, uint32_t verdict);

/* The number of a protocol by its name or number; -1: neither. */
int spell_protocol_number(const char *name);

/* The number of a type of icmp (1) or icmpv6 (58) by nftables' name for it; -1: it is none. */
int spell_icmp_type_number(int protocol, const char *name);

/* "prerouting" and so on; NULL beyond them. The number by name: -1 if it is none. */
const char *spell_hook(uint32_t hook);
int spell_hook_number(const char *name);

/* Bits of "tcp flags" and "ct state" by their names, separated by commas; -1: one is unknown. */
int spell_flags_number(uint32_t field, const char *names);
