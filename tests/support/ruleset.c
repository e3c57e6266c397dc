// SPDX-License-Identifier: GPL-2.0-or-later
#include "ruleset.h"

#include <inttypes.h>

static const char *const names[] = {
#define GATE_FIELD(name, bits, text) [GATE_##name] = (text),
	GATE_FIELDS(GATE_FIELD)
#undef GATE_FIELD
		[GATE_FIELD_MAX] = "nothing",
};

static void print_value(FILE *out, value v)
{
	uint64_t high = (uint64_t)(v >> 64), low = (uint64_t)v;

	if (high)
		fprintf(out, "%" PRIx64 "%016" PRIx64, high, low);
	else
		fprintf(out, "%" PRIx64, low);
}

static void print_span(FILE *out, struct span span)
{
	print_value(out, span.from);
	if (span.from == span.to)
		return;
	fputc('-', out);
	print_value(out, span.to);
}

static void print_verdict(FILE *out, const struct ruleset *rs, uint32_t verdict)
{
	static const char *const words[] = { "next",  "accept", "drop", "jump ",
					     "goto ", "return", "vmap" };

	if (verdict == GATE_VERDICT_CONTINUE) {
		fputs("continue", out);
		return;
	}
	fputs(words[verdict >> 24], out);
	if (verdict >> 24 == GATE_JUMP || verdict >> 24 == GATE_GOTO)
		fputs(rs->chains[verdict & 0xffffff].name, out);
}

static void print_key(FILE *out, const struct key *key)
{
	uint32_t i;

	for (i = 0; i < key->n; i++)
		fprintf(out, "%s%s", i ? " . " : "", names[key->field[i]]);
}

static void print_match(FILE *out, const struct match *m)
{
	size_t i;

	print_key(out, &m->key);
	switch (m->kind) {
	case MATCH_SPANS:
		fprintf(out, m->negate ? " not in " : " in ");
		for (i = 0; i < m->n_spans; i++) {
			fputs(i ? "," : "", out);
			print_span(out, m->spans[i]);
		}
		break;
	case MATCH_MASK:
		fputs(" & ", out);
		print_value(out, m->mask);
		fputs(m->negate ? " != " : " == ", out);
		print_value(out, m->value);
		break;
	case MATCH_SET:
		fprintf(out, "%s set %u", m->negate ? " not in" : " in", m->set);
	}
}

static void print_statement(FILE *out, const struct ruleset *rs, const struct statement *s)
{
	switch (s->kind) {
	case STATEMENT_MATCH:
		print_match(out, &s->match);
		break;
	case STATEMENT_COUNTER:
		fprintf(out, "counter %u", s->index);
		break;
	case STATEMENT_LIMIT:
		fprintf(out, "limit %u", s->index);
		break;
	case STATEMENT_LOG:
		fprintf(out, "log %u", s->index);
		break;
	case STATEMENT_VERDICT:
		print_verdict(out, rs, s->verdict);
		break;
	case STATEMENT_VMAP:
		print_key(out, &s->match.key);
		fprintf(out, " vmap %u", s->match.set);
	}
}

void ruleset_print_rule(FILE *out, const struct ruleset *rs, size_t rule)
{
	const struct rule *r = &rs->rules[rule];
	size_t i;

	for (i = 0; i < r->n; i++) {
		fputs(i ? "; " : "", out);
		print_statement(out, rs, &r->statements[i]);
	}
}

void ruleset_print_set(FILE *out, const struct ruleset *rs, size_t set)
{
	const struct set *s = &rs->sets[set];
	size_t i;
	uint32_t j;

	for (j = 0; j < s->n; j++)
		fprintf(out, "%s%s", j ? " . " : "", names[s->field[j]]);
	fputc(':', out);
	for (i = 0; i < s->n_elements; i++) {
		fputs(i ? ", " : " ", out);
		for (j = 0; j < s->n; j++) {
			fputs(j ? " . " : "", out);
			print_span(out, s->elements[i].span[j]);
		}
		if (s->verdicts) {
			fputs(" : ", out);
			print_verdict(out, rs, s->elements[i].verdict);
		}
	}
}

void ruleset_print(FILE *out, const struct ruleset *rs)
{
	size_t i, j;

	for (i = 0; i < rs->n_sets; i++) {
		fprintf(out, "set %zu '%s' ", i, rs->sets[i].name);
		ruleset_print_set(out, rs, i);
		fputc('\n', out);
	}
	for (i = 0; i < rs->n_limits; i++)
		fprintf(out, "limit %zu %" PRIu64 "/%" PRIu64 " burst %" PRIu64 "%s%s\n", i,
			rs->limits[i].rate, rs->limits[i].second, rs->limits[i].burst,
			rs->limits[i].bytes ? " bytes" : "", rs->limits[i].over ? " over" : "");
	for (i = 0; i < rs->n_counters; i++)
		fprintf(out, "counter %zu '%s' %" PRIu64 " %" PRIu64 "\n", i,
			rs->counters[i].name ? rs->counters[i].name : "", rs->counters[i].packets,
			rs->counters[i].bytes);
	for (i = 0; i < rs->n_logs; i++)
		fprintf(out, "log %zu '%s'\n", i, rs->logs[i].prefix);
	for (i = 0; i < rs->n_chains; i++) {
		fprintf(out, "chain %s %s", rs->tables[rs->chains[i].table].name,
			rs->chains[i].name);
		if (rs->chains[i].is_base)
			fprintf(out, " hook %u priority %d order %u policy %u", rs->chains[i].hook,
				rs->chains[i].priority, rs->chains[i].order, rs->chains[i].policy);
		fputc('\n', out);
		for (j = 0; j < rs->chains[i].n_rules; j++) {
			fputc('\t', out);
			ruleset_print_rule(out, rs, rs->chains[i].first_rule + j);
			fprintf(out, "\t\t# %s\n", rs->rules[rs->chains[i].first_rule + j].text);
		}
	}
}
