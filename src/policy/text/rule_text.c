// SPDX-License-Identifier: GPL-2.0-or-later
#include "rule_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elements_write.h"
#include "fields.h"
#include "region.h"
#include "register.h"
#include "spell.h"

/* What nftables cannot say stands in the comment. */
static bool is_in_comment(uint32_t field)
{
	return field == GATE_REASSEMBLED || field == GATE_LARGEST || field == GATE_SMALLEST;
}

struct writer {
	FILE *out;
	const struct ruleset *rs;
	const char *transport; /* what "th" is, once it is known */
};

static struct spelling name_of(const struct writer *w, uint32_t field)
{
	struct spelling s;

	if (w->transport && (field == GATE_SPORT || field == GATE_DPORT))
		snprintf(s.text, sizeof(s.text), "%s %s", w->transport,
			 field == GATE_SPORT ? "sport" : "dport");
	else
		snprintf(s.text, sizeof(s.text), "%s", fields_name(field));
	return s;
}

static void put_key(const struct writer *w, const struct key *key)
{
	uint32_t i;

	for (i = 0; i < key->n; i++)
		fprintf(w->out, "%s%s", i ? " . " : "", name_of(w, key->field[i]).text);
}

struct list {
	FILE *out;
	bool braces;
	bool any;
};

static void put_element(const char *key, const char *verdict, void *arg)
{
	struct list *l = arg;

	fprintf(l->out, "%s%s%s%s",
		l->any    ? ", " :
		l->braces ? "{ " :
			    "",
		key, verdict ? " : " : "", verdict ? verdict : "");
	l->any = true;
}

static int compare_elements(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	int order = 0;
	size_t i;

	for (i = 0; i < GATE_TUPLE_FIELDS && !order; i++)
		order = spans_compare(&x->span[i], &y->span[i]);
	return order;
}

/* The kernel has elements of a hash in another order each time. */
static struct element *sorted(const struct set *set)
{
	struct element *elements = calloc(set->n_elements + 1, sizeof(*elements));

	if (!elements)
		return NULL;
	if (set->n_elements)
		memcpy(elements, set->elements, set->n_elements * sizeof(*elements));
	qsort(elements, set->n_elements, sizeof(*elements), compare_elements);
	return elements;
}

static bool put_elements(const struct writer *w, const struct set *set, bool braces)
{
	/* Flags are no numbers that have a range between them. */
	const struct element_style style = { NULL, !fields_has_flags(set->field[0]) || set->n > 1 };
	struct list l = { .out = w->out, .braces = braces };
	struct element *elements = sorted(set);

	if (!elements)
		return false;
	elements_write(w->rs, set, &style, elements, set->n_elements, put_element, &l);
	if (braces)
		fputs(l.any ? " }" : "{ }", w->out);
	free(elements);
	return true;
}

/* All values of a field, which asks for no more than that it is there; or not any of them. */
static void put_all(const struct writer *w, uint32_t field, bool negate)
{
	const bool has_no_range = field == GATE_NFPROTO || field == GATE_IIFNAME ||
				  field == GATE_OIFNAME;
	const uint32_t asked = has_no_range ? GATE_L4PROTO : field;
	const struct span all = { 0, field_max(asked) };

	fprintf(w->out, "%s%s %s", name_of(w, asked).text, negate ? " !=" : "",
		spell_span(asked, &all).text);
}

static struct spelling number(uint32_t field, value v)
{
	struct spelling s;

	if (!fields_has_flags(field))
		return spell_value(field, v);
	snprintf(s.text, sizeof(s.text), "0x%x", (uint32_t)v);
	return s;
}

/* nftables takes a set of one value for the value, which is any of its bits then. */
static bool is_one(const struct match *m)
{
	return m->n_spans == 1 && m->spans->from == m->spans->to;
}

static bool put_spans(const struct writer *w, const struct match *m)
{
	const uint32_t field = m->key.field[0];
	struct set set = { .name = (char *)"", .n = 1, .n_elements = m->n_spans };
	size_t i;
	bool ok;

	set.field[0] = (uint8_t)field;
	set.bits[0] = (uint8_t)fields_bits(field);
	set.elements = calloc(m->n_spans + 1, sizeof(*set.elements));
	if (!set.elements)
		return false;
	for (i = 0; i < m->n_spans; i++)
		set.elements[i].span[0] = m->spans[i];
	fprintf(w->out, "%s%s ", name_of(w, field).text, m->negate ? " !=" : "");
	ok = put_elements(w, &set, m->n_spans > 1 || fields_has_flags(field));
	free(set.elements);
	return ok;
}

static bool put_set(const struct writer *w, const struct match *m)
{
	const struct set *set = &w->rs->sets[m->set];

	if (!set->is_named)
		return put_elements(w, set, true);
	fprintf(w->out, "@%s", set->name);
	return true;
}

static bool put_match(const struct writer *w, const struct match *m)
{
	const uint32_t field = m->key.field[0];

	switch (m->kind) {
	case MATCH_SPANS:
		if (fields_has_flags(field) && is_one(m))
			fprintf(w->out, "%s %s %s", name_of(w, field).text,
				m->negate ? "!=" : "==", number(field, m->spans->from).text);
		else if (m->n_spans)
			return put_spans(w, m);
		else
			put_all(w, field, !m->negate);
		return true;
	case MATCH_MASK:
		fprintf(w->out, "%s & %s %s %s", name_of(w, field).text,
			number(field, m->mask).text,
			m->negate ? "!=" : "==", number(field, m->value).text);
		return true;
	case MATCH_SET:
		put_key(w, &m->key);
		fputs(m->negate ? " != " : " ", w->out);
		return put_set(w, m);
	}
	return true;
}

static void put_limit(const struct writer *w, const struct limit *limit)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {
		{ "week", 604800 }, { "day", 86400 }, { "hour", 3600 },
		{ "minute", 60 },   { "second", 1 },
	};
	const char *things = limit->bytes ? " bytes" : "";
	size_t i = 0;

	while (i + 1 < sizeof(units) / sizeof(*units) &&
	       units[i].seconds * 1000000000 != limit->second)
		i++;
	fprintf(w->out, "limit rate %s%" PRIu64 "%s/%s", limit->over ? "over " : "", limit->rate,
		things, units[i].name);
	if (limit->burst)
		fprintf(w->out, " burst %" PRIu64 "%s", limit->burst,
			limit->bytes ? things : " packets");
}

static bool put_statement(const struct writer *w, const struct statement *s)
{
	switch (s->kind) {
	case STATEMENT_MATCH:
		return put_match(w, &s->match);
	case STATEMENT_COUNTER:
		fputs("counter", w->out);
		if (w->rs->counters[s->index].name)
			fprintf(w->out, " name \"%s\"", w->rs->counters[s->index].name);
		return true;
	case STATEMENT_LIMIT:
		put_limit(w, &w->rs->limits[s->index]);
		return true;
	case STATEMENT_LOG:
		fputs("log", w->out);
		if (w->rs->logs[s->index].prefix[0])
			fprintf(w->out, " prefix \"%s\"", w->rs->logs[s->index].prefix);
		return true;
	case STATEMENT_VERDICT:
		fputs(elements_verdict(w->rs, s->verdict).text, w->out);
		return true;
	case STATEMENT_VMAP:
		put_key(w, &s->match.key);
		fputs(" vmap ", w->out);
		return put_set(w, &s->match);
	}
	return true;
}

#define PROTOCOLS (GATE_BIT(L4PROTO) | GATE_BIT(IP_PROTOCOL) | GATE_BIT(IP6_NEXTHDR))
#define PORTS     (GATE_BIT(SPORT) | GATE_BIT(DPORT))

static const struct layer {
	uint32_t by; /* fields that tell it */
	uint32_t value;
	uint32_t fields;       /* those that imply it */
	const char *transport; /* what "th" is then */
} layers[] = {
	{ GATE_BIT(NFPROTO), NFPROTO_IPV4, GATE_ONLY_IPV4, NULL },
	{ GATE_BIT(NFPROTO), NFPROTO_IPV6, GATE_ONLY_IPV6, NULL },
	{ PROTOCOLS, IPPROTO_TCP, PORTS | GATE_BIT(TCP_FLAGS), "tcp" },
	{ PROTOCOLS, IPPROTO_UDP, PORTS, "udp" },
	{ PROTOCOLS, IPPROTO_UDPLITE, PORTS, "udplite" },
	{ PROTOCOLS, IPPROTO_SCTP, PORTS, "sctp" },
	{ PROTOCOLS, IPPROTO_DCCP, PORTS, "dccp" },
};

/* "meta nfproto ipv4", "meta l4proto tcp": what other fields may imply. */
static bool is_layer(const struct statement *s)
{
	return s->kind == STATEMENT_MATCH && s->match.kind == MATCH_SPANS && !s->match.negate &&
	       is_one(&s->match) && statement_asks(s, GATE_BIT(NFPROTO) | GATE_BIT(L4PROTO));
}

/* NULL: one that nothing implies. */
static const struct layer *layer_of(const struct statement *s)
{
	size_t i;

	for (i = 0; i < sizeof(layers) / sizeof(*layers); i++)
		if (statement_asks(s, layers[i].by) && s->match.spans->from == layers[i].value)
			return &layers[i];
	return NULL;
}

/* The layer that statement i is and the next statement but layers implies, as it is written. */
static const struct layer *implied_layer(const struct rule *rule, size_t i)
{
	const struct statement *s = &rule->statements[i];
	const struct layer *layer = is_layer(s) ? layer_of(s) : NULL;
	size_t j;

	if (!layer)
		return NULL;
	for (j = 0; j < i; j++)
		if (statement_asks(&rule->statements[j], layer->by))
			return NULL;
	for (j = i + 1; j < rule->n; j++)
		if (!is_layer(&rule->statements[j]))
			return statement_asks(&rule->statements[j], layer->fields) ? layer : NULL;
	return NULL;
}

static bool put_statements(struct writer *w, const struct rule *rule)
{
	const struct layer *layer;
	const struct statement *s;
	const char *space = "";
	size_t i;

	for (i = 0; i < rule->n; i++) {
		s = &rule->statements[i];
		if (s->kind == STATEMENT_MATCH && is_in_comment(s->match.key.field[0]))
			continue;
		layer = implied_layer(rule, i);
		if (layer) {
			if (layer->transport)
				w->transport = layer->transport;
			continue;
		}
		fputs(space, w->out);
		space = " ";
		if (!put_statement(w, s))
			return false;
	}
	if (rule->comment)
		fprintf(w->out, "%scomment \"%s\"", space, rule->comment);
	return true;
}

char *rule_text(const struct ruleset *rs, const struct rule *rule)
{
	char *text = NULL;
	size_t len;
	struct writer w = { .out = open_memstream(&text, &len), .rs = rs };
	bool ok = w.out && put_statements(&w, rule);

	if (w.out && fclose(w.out))
		ok = false;
	if (ok)
		return text;
	free(text);
	return NULL;
}

bool rule_has_elements(const struct ruleset *rs, const struct rule *rule)
{
	const struct statement *s;
	size_t i;

	for (i = 0; i < rule->n; i++) {
		s = &rule->statements[i];
		if ((s->kind == STATEMENT_VMAP ||
		     (s->kind == STATEMENT_MATCH && s->match.kind == MATCH_SET)) &&
		    s->match.key.n > 1 && !rs->sets[s->match.set].is_named)
			return true;
	}
	return false;
}
