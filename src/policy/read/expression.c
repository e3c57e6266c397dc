// SPDX-License-Identifier: GPL-2.0-or-later
#include "expression.h"

#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "rule_text.h"

void rule_refuse_for(struct rule_reader *rr, const char *statement, const char *why)
{
	const struct ruleset *rs = rr->r->rs;
	const struct rule *rule = &rs->rules[rr->rule];
	const struct chain *chain = &rs->chains[rule->chain];

	reader_refuse(rr->r, rr->rule, "table %s %s, chain %s, rule %zu: %s: %s%s%s",
		      reader_family(rr->r, chain->table), rs->tables[chain->table].name,
		      chain->name, chain->n_rules, statement, why, rule->text[0] ? ", in: " : "",
		      rule->text);
}

void rule_refuse(struct rule_reader *rr, const char *statement, const char *hint)
{
	char why[512];

	snprintf(why, sizeof(why), "not supported; %s", hint);
	rule_refuse_for(rr, statement, why);
}

struct statement *rule_add(struct rule_reader *rr, enum statement_kind kind)
{
	struct rule *rule = &rr->r->rs->rules[rr->rule];
	struct statement *s = ARRAY_ADD(rule->statements, rule->n);

	if (!s) {
		rr->r->no_memory = true;
		return NULL;
	}
	s->kind = kind;
	s->verdict = GATE_VERDICT_CONTINUE;
	return s;
}

static void learn(struct rule_reader *rr, unsigned int field, value v)
{
	if (field == GATE_NFPROTO)
		rr->families &= v == 2 ? FAMILY_IP : v == 10 ? FAMILY_IP6 : 0;
	else if (field == GATE_L4PROTO || field == GATE_IP_PROTOCOL || field == GATE_IP6_NEXTHDR)
		rr->protocol = (int)v;
}

/* Where a port is there, so are type and code of ICMP, which are the same bytes. */
void rule_meets(struct rule_reader *rr, unsigned int field)
{
	rr->pending &= ~(1u << field);
	if (field == GATE_SPORT)
		rr->pending &= ~(GATE_BIT(ICMP_TYPE) | GATE_BIT(ICMP_CODE) | GATE_BIT(ICMPV6_TYPE) |
				 GATE_BIT(ICMPV6_CODE));
}

bool rule_add_spans(struct rule_reader *rr, unsigned int field, const struct span *spans, size_t n,
		    bool negate)
{
	struct statement *s = rule_add(rr, STATEMENT_MATCH);

	rule_meets(rr, field);
	if (!s)
		return false;
	s->match.kind = MATCH_SPANS;
	s->match.negate = negate;
	s->match.key = (struct key){ .n = 1, .field = { (uint8_t)field } };
	if (!n)
		return true;
	s->match.spans = malloc(n * sizeof(*spans));
	if (!s->match.spans) {
		rr->r->no_memory = true;
		return false;
	}
	memcpy(s->match.spans, spans, n * sizeof(*spans));
	s->match.n_spans = n;
	if (!negate && n == 1 && spans->from == spans->to)
		learn(rr, field, spans->from);
	return true;
}

bool rule_add_span(struct rule_reader *rr, unsigned int field, struct span span, bool negate)
{
	return rule_add_spans(rr, field, &span, span.from <= span.to, negate);
}

struct statement *rule_add_effect(struct rule_reader *rr, enum statement_kind kind)
{
	unsigned int field;

	for (field = 0; field < GATE_FIELD_MAX; field++)
		if (rr->pending >> field & 1 &&
		    !rule_add_span(rr, field, (struct span){ 0, field_max(field) }, false))
			return NULL;
	return rule_add(rr, kind);
}

rbit *rule_register(struct rule_reader *rr, const struct attrs *a, unsigned int type, size_t len)
{
	uint32_t n = attr_u32(a, type, UINT32_MAX), byte;

	if (n >= NFT_REG_1 && n <= NFT_REG_4)
		byte = 16 * (n - NFT_REG_1);
	else if (n >= NFT_REG32_00 && n <= NFT_REG32_15)
		byte = 4 * (n - NFT_REG32_00);
	else
		return NULL;
	return len && byte + len <= REGISTER_BYTES ? rr->reg + 8 * byte : NULL;
}

static const struct {
	const char *name;
	bool (*read)(struct rule_reader *rr, const struct attrs *a);
} expressions[] = {
	{ "payload", load_payload },
	{ "meta", load_meta },
	{ "ct", load_ct },
	{ "immediate", load_immediate },
	{ "bitwise", change_bitwise },
	{ "byteorder", change_byteorder },
	{ "cmp", compare_cmp },
	{ "range", compare_range },
	{ "lookup", compare_lookup },
	{ "counter", state_counter },
	{ "objref", state_objref },
	{ "limit", state_limit },
	{ "log", state_log },
};

static void read_expression(struct rule_reader *rr, struct attr in)
{
	struct attrs a, data;
	const char *name;
	size_t i;

	attrs_parse(&a, in);
	name = attr_text(&a, NFTA_EXPR_NAME);
	attrs_parse(&data, a.at[NFTA_EXPR_DATA]);
	for (i = 0; i < sizeof(expressions) / sizeof(*expressions); i++) {
		if (strcmp(expressions[i].name, name))
			continue;
		if (a.broken || data.broken || !expressions[i].read(rr, &data))
			rule_refuse(rr, name, "the kernel describes it in a way not known here");
		return;
	}
	refuse_expression(rr, name, &data);
}

static void read_expressions(struct rule_reader *rr, struct attr rest)
{
	struct attr one;
	unsigned int type;
	bool broken = false;

	while (!rr->r->no_memory && attr_next(&rest, &type, &one, &broken))
		read_expression(rr, one);
	if (broken)
		rule_refuse(rr, "its description",
			    "the kernel describes it in a way not known here");
	/*
	 * What is loaded last decides nothing, but if it is not there the rule ends before a
	 * verdict.
	 */
}

static struct rule *add_rule(struct reader *r, uint32_t chain, const struct attrs *a)
{
	struct rule *rule = ARRAY_ADD(r->rs->rules, r->rs->n_rules);
	struct chain *c = &r->rs->chains[chain];
	struct attr text;

	if (!rule) {
		r->no_memory = true;
		return NULL;
	}
	if (!c->n_rules++)
		c->first_rule = r->rs->n_rules - 1;
	rule->chain = chain;
	rule->handle = attr_u64(a, NFTA_RULE_HANDLE);
	text = listing_text_next(&r->texts, rule->handle);
	rule->text = text.len ? strndup((const char *)text.data, text.len) : strdup("");
	r->no_memory |= !rule->text;
	return rule;
}

#define RULE_KNOWN \
	(1ull << NFTA_RULE_TABLE | 1ull << NFTA_RULE_CHAIN | 1ull << NFTA_RULE_HANDLE | \
	 1ull << NFTA_RULE_EXPRESSIONS | 1ull << NFTA_RULE_POSITION | 1ull << NFTA_RULE_USERDATA | \
	 1ull << NFTA_RULE_PAD)

static void read_rule(struct rule_reader *rr, struct rule *rule, const struct attrs *a)
{
	const char *comment = listing_comment(a->at[NFTA_RULE_USERDATA]);

	if (a->present & ~RULE_KNOWN)
		rule_refuse(rr, "a rule of iptables", "write it in nftables' own language");
	if (comment) {
		rule->comment = reader_copy(rr->r, comment);
		rule_add_comment(rr, comment);
	}
	if (!rr->r->no_memory)
		read_expressions(rr, a->at[NFTA_RULE_EXPRESSIONS]);
}

/* What nftables can't write. */
static void write_text(struct reader *r, struct rule *rule)
{
	char *text;

	if (rule->text[0] && !rule_has_elements(r->rs, rule))
		return;
	text = rule_text(r->rs, rule);
	if (text) {
		free(rule->text);
		rule->text = text;
	}
	r->no_memory |= !text;
}

void reader_on_rule(struct reader *r, uint8_t family, const struct attrs *a)
{
	uint32_t table = reader_table(r, family, attr_text(a, NFTA_RULE_TABLE)), chain;
	struct rule_reader rr = { .r = r, .rule = r->rs->n_rules, .table = table, .protocol = -1 };
	struct rule *rule;
	const size_t last = r->rs->n_rules - 1;

	chain = table == UINT32_MAX ? UINT32_MAX :
				      reader_chain(r, table, attr_text(a, NFTA_RULE_CHAIN));
	/* Rules of a chain stand together. */
	if (chain == UINT32_MAX ||
	    (r->rs->chains[chain].n_rules && r->rs->rules[last].chain != chain)) {
		r->refused = true;
		return;
	}
	rr.families = r->rs->tables[table].family;
	rule = add_rule(r, chain, a);
	if (rule && !r->no_memory)
		read_rule(&rr, rule, a);
	if (rule && !r->no_memory && !r->refused)
		write_text(r, rule);
}
