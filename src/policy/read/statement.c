// SPDX-License-Identifier: GPL-2.0-or-later
/* Verdicts, counters, limits and logs; and what is refused by its name. */
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "expression.h"

bool load_immediate(struct rule_reader *rr, const struct attrs *a)
{
	struct attr data = attr_value(a, NFTA_IMMEDIATE_DATA);
	struct statement *s;
	uint32_t verdict;
	size_t i;
	rbit *reg;

	if (attr_u32(a, NFTA_IMMEDIATE_DREG, UINT32_MAX) == NFT_REG_VERDICT) {
		if (!reader_verdict(rr->r, rr->table, a->at[NFTA_IMMEDIATE_DATA], &verdict))
			return false;
		s = rule_add_effect(rr, STATEMENT_VERDICT);
		if (s)
			s->verdict = verdict;
		return true;
	}
	/* For the next expression, which is none of those that only judge. */
	reg = rule_register(rr, a, NFTA_IMMEDIATE_DREG, data.len);
	if (!reg)
		return false;
	for (i = 0; i < 8 * data.len; i++)
		reg[i] = data.data[i / 8] >> i % 8 & 1 ? RBIT_1 : RBIT_0;
	return true;
}

static void add_counter(struct rule_reader *rr, uint32_t index)
{
	struct statement *s = rule_add_effect(rr, STATEMENT_COUNTER);

	if (s)
		s->index = index;
}

bool state_counter(struct rule_reader *rr, const struct attrs *a)
{
	struct ruleset *rs = rr->r->rs;
	struct counter *counter = ARRAY_ADD(rs->counters, rs->n_counters);

	if (!counter) {
		rr->r->no_memory = true;
		return true;
	}
	counter->table = rr->table;
	counter->packets = attr_u64(a, NFTA_COUNTER_PACKETS);
	counter->bytes = attr_u64(a, NFTA_COUNTER_BYTES);
	add_counter(rr, (uint32_t)rs->n_counters - 1);
	return true;
}

bool state_objref(struct rule_reader *rr, const struct attrs *a)
{
	uint32_t type = attr_u32(a, NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_UNSPEC), index;

	if (type != NFT_OBJECT_COUNTER) {
		rule_refuse(rr, "an object", "of named objects only counters are known here");
		return true;
	}
	index = reader_counter(rr->r, rr->table, attr_text(a, NFTA_OBJREF_IMM_NAME));
	if (index == UINT32_MAX)
		return false;
	add_counter(rr, index);
	return true;
}

bool state_limit(struct rule_reader *rr, const struct attrs *a)
{
	uint32_t flags = attr_u32(a, NFTA_LIMIT_FLAGS, 0);
	struct ruleset *rs = rr->r->rs;
	uint64_t unit = attr_u64(a, NFTA_LIMIT_UNIT);
	struct statement *s;
	struct limit *limit;

	if (flags & ~(uint32_t)NFT_LIMIT_F_INV || unit > UINT32_MAX || !unit ||
	    attr_u32(a, NFTA_LIMIT_TYPE, 0) > NFT_LIMIT_PKT_BYTES)
		return false;
	limit = ARRAY_ADD(rs->limits, rs->n_limits);
	s = limit ? rule_add_effect(rr, STATEMENT_LIMIT) : NULL;
	if (!s) {
		rr->r->no_memory = true;
		return true;
	}
	s->index = (uint32_t)rs->n_limits - 1;
	limit->rate = attr_u64(a, NFTA_LIMIT_RATE);
	limit->second = unit * 1000000000;
	limit->burst = attr_u32(a, NFTA_LIMIT_BURST, 0);
	limit->bytes = attr_u32(a, NFTA_LIMIT_TYPE, 0) == NFT_LIMIT_PKT_BYTES;
	limit->over = flags & NFT_LIMIT_F_INV;
	return limit->rate;
}

/* What the kernel says of a log statement that says nothing. */
#define LOG_LEVEL 4

bool state_log(struct rule_reader *rr, const struct attrs *a)
{
	const char *prefix = attr_text(a, NFTA_LOG_PREFIX);
	struct ruleset *rs = rr->r->rs;
	struct statement *s;
	struct log *log;

	if (a->present &
		    ~(1ull << NFTA_LOG_PREFIX | 1ull << NFTA_LOG_LEVEL | 1ull << NFTA_LOG_FLAGS) ||
	    attr_u32(a, NFTA_LOG_LEVEL, LOG_LEVEL) != LOG_LEVEL || attr_u32(a, NFTA_LOG_FLAGS, 0)) {
		rule_refuse(rr, "log with a level, flags or group",
			    "packets go to 'unfrag policy watch'; use log, or log prefix");
		return true;
	}
	if (strlen(prefix) >= GATE_LOG_PREFIX)
		return false;
	log = ARRAY_ADD(rs->logs, rs->n_logs);
	s = log ? rule_add_effect(rr, STATEMENT_LOG) : NULL;
	if (!s) {
		rr->r->no_memory = true;
		return true;
	}
	snprintf(log->prefix, sizeof(log->prefix), "%s", prefix);
	s->index = (uint32_t)rs->n_logs - 1;
	return true;
}

#define KEEP      "the gate only judges packets; keep it in a chain of nftables'"
#define NO_CHANGE "the gate changes no packet; keep it in a nat chain of nftables'"

/* Expressions by the kernel's names, in nftables' words. */
static const struct {
	const char *name;
	const char *statement;
	const char *hint;
} refused[] = {
	{ "masq", "masquerade", NO_CHANGE },
	{ "nat", "snat or dnat", NO_CHANGE },
	{ "redir", "redirect", NO_CHANGE },
	{ "reject", "reject", "the gate sends no packets; use drop" },
	{ "queue", "queue", "use accept or drop, or keep it in a chain of nftables'" },
	{ "notrack", "notrack", KEEP },
	{ "tproxy", "tproxy", KEEP },
	{ "synproxy", "synproxy", KEEP },
	{ "dup", "dup", KEEP },
	{ "fwd", "fwd", KEEP },
	{ "flow_offload", "flow add", KEEP },
	{ "dynset", "add or update of a set", "rules do not change sets; use 'unfrag policy set'" },
	{ "quota", "quota", "use a counter and 'unfrag policy set'" },
	{ "connlimit", "ct count", "use limit rate" },
	{ "last", "last", "use a counter" },
	{ "exthdr", "exthdr or option",
	  "options and extension headers are not looked at; use meta l4proto, or of fragments "
	  "the comment \"unfrag: reassembled\"" },
	{ "fib", "fib", "use iifname and sets of addresses" },
	{ "rt", "rt", "use oifname" },
	{ "socket", "socket", "use addresses and ports" },
	{ "osf", "osf", "use addresses and ports" },
	{ "tunnel", "tunnel", "use iifname" },
	{ "xfrm", "ipsec", "use iifname" },
	{ "numgen", "numgen", "use limit rate" },
	{ "hash", "jhash or symhash", "use prefixes of addresses" },
	{ "inner", "a header inside a tunnel", "use the fields of the outer one" },
	{ "match", "a match of iptables", "write it in nftables' own language" },
	{ "target", "a target of iptables", "write it in nftables' own language" },
};

/* All of them have their register's number first, if they have one. */
static void forget_register(struct rule_reader *rr, const struct attrs *a)
{
	rbit *reg;
	size_t i;

	for (i = 0; i < 8; i++) {
		reg = rule_register(rr, a, (unsigned int)i, 4);
		if (reg)
			reg[0] = RBIT_REFUSED;
	}
}

void refuse_expression(struct rule_reader *rr, const char *name, const struct attrs *a)
{
	size_t i;

	if (!strcmp(name, "exthdr") && a->at[NFTA_EXTHDR_SREG].data) {
		rule_refuse(rr, "a change of an option", KEEP);
		return;
	}
	forget_register(rr, a);
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (!strcmp(refused[i].name, name)) {
			rule_refuse(rr, refused[i].statement, refused[i].hint);
			return;
		}
	rule_refuse(rr, name, "not known here; keep it in a chain of nftables'");
}
