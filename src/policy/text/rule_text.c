// SPDX-License-Identifier: GPL-2.0-or-later
#include "rule_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elements_write.h"
#include "fields.h"
#include "spell.h"

/* What nftables cannot say stands in the comment. */
static bool is_in_comment(uint32_t field)
{
	return field == GATE_REASSEMBLED || field == GATE_LARGEST || field == GATE_SMALLEST;
}

/* Of these "FIELD VALUE" means that any of the bits is set. */
static bool has_flags(uint32_t field)
{
	return field == GATE_TCP_FLAGS || field == GATE_CT_STATE;
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

static int compare_spans(const struct span *a, const struct span *b)
{
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

static int compare_elements(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	int order = 0;
	size_t i;

	for (i = 0; i < GATE_TUPLE_FIELDS && !order; i++)
		order = compare_spans(&x->span[i], &y->span[i]);
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

static bool put_elements(FILE *out, const struct ruleset *rs, const struct set *set, bool braces)
{
	/* Flags are no numbers that have a range between them. */
	const struct element_style style = { NULL, !has_flags(set->field[0]) || set->n > 1 };
	struct list l = { .out = out, .braces = braces };
	struct element *elements = sorted(set);

	if (!elements)
		return false;
	elements_write(rs, set, &style, elements, set->n_elements, put_element, &l);
	if (braces)
		fputs(l.any ? " }" : "{ }", out);
	free(elements);
	return true;
}

/* No value at all: not any of all there are. */
static void put_never(FILE *out, uint32_t field)
{
	const struct span all = { 0, fields_max(fields_bits(field)) };

	fprintf(out, "%s != %s", fields_name(field), spell_span(field, &all).text);
}

static struct spelling number(uint32_t field, value v)
{
	struct spelling s;

	if (!has_flags(field))
		return spell_value(field, v);
	snprintf(s.text, sizeof(s.text), "0x%x", (uint32_t)v);
	return s;
}

/* nftables takes a set of one value for the value, which is any of its bits then. */
static bool is_one(const struct match *m)
{
	return m->n_spans == 1 && m->spans->from == m->spans->to;
}

static bool put_spans(FILE *out, const struct ruleset *rs, const struct match *m)
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
	fprintf(out, "%s%s ", fields_name(field), m->negate ? " !=" : "");
	ok = put_elements(out, rs, &set, m->n_spans > 1 || has_flags(field));
	free(set.elements);
	return ok;
}

static bool put_set(FILE *out, const struct ruleset *rs, const struct match *m)
{
	const struct set *set = &rs->sets[m->set];

	if (!set->is_named)
		return put_elements(out, rs, set, true);
	fprintf(out, "@%s", set->name);
	return true;
}

static bool put_match(FILE *out, const struct ruleset *rs, const struct match *m)
{
	const uint32_t field = m->key.field[0];

	switch (m->kind) {
	case MATCH_SPANS:
		if (has_flags(field) && is_one(m))
			fprintf(out, "%s %s %s", fields_name(field),
				m->negate ? "!=" : "==", number(field, m->spans->from).text);
		else if (m->n_spans)
			return put_spans(out, rs, m);
		else if (m->negate) /* asks for no more than that it is there */
			fprintf(out, "%s %s", fields_name(field),
				spell_span(field,
					   &(struct span){ 0, fields_max(fields_bits(field)) })
					.text);
		else
			put_never(out, field);
		return true;
	case MATCH_MASK:
		fprintf(out, "%s & %s %s %s", fields_name(field), number(field, m->mask).text,
			m->negate ? "!=" : "==", number(field, m->value).text);
		return true;
	case MATCH_SET:
		fprintf(out, "%s%s ", spell_key(&m->key).text, m->negate ? " !=" : "");
		return put_set(out, rs, m);
	}
	return true;
}

static void put_limit(FILE *out, const struct limit *limit)
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
	fprintf(out, "limit rate %s%" PRIu64 "%s/%s", limit->over ? "over " : "", limit->rate,
		things, units[i].name);
	if (limit->burst)
		fprintf(out, " burst %" PRIu64 "%s", limit->burst,
			limit->bytes ? things : " packets");
}

static bool put_statement(FILE *out, const struct ruleset *rs, const struct statement *s)
{
	switch (s->kind) {
	case STATEMENT_MATCH:
		return put_match(out, rs, &s->match);
	case STATEMENT_COUNTER:
		fputs("counter", out);
		if (rs->counters[s->index].name)
			fprintf(out, " name \"%s\"", rs->counters[s->index].name);
		return true;
	case STATEMENT_LIMIT:
		put_limit(out, &rs->limits[s->index]);
		return true;
	case STATEMENT_LOG:
		fputs("log", out);
		if (rs->logs[s->index].prefix[0])
			fprintf(out, " prefix \"%s\"", rs->logs[s->index].prefix);
		return true;
	case STATEMENT_VERDICT:
		fputs(elements_verdict(rs, s->verdict).text, out);
		return true;
	case STATEMENT_VMAP:
		fprintf(out, "%s vmap ", spell_key(&s->match.key).text);
		return put_set(out, rs, &s->match);
	}
	return true;
}

char *rule_text(const struct ruleset *rs, const struct rule *rule)
{
	const struct statement *s = rule->statements;
	const char *space = "";
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool ok = out;

	for (; ok && s < rule->statements + rule->n; s++) {
		if (s->kind == STATEMENT_MATCH && is_in_comment(s->match.key.field[0]))
			continue;
		fputs(space, out);
		space = " ";
		ok = put_statement(out, rs, s);
	}
	if (ok && rule->comment)
		fprintf(out, "%scomment \"%s\"", space, rule->comment);
	if (out && fclose(out))
		ok = false;
	if (ok)
		return text;
	free(text);
	return NULL;
}
