// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "outline.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "region.h"
#include "spell.h"
#include "words.h"

__attribute__((format(printf, 2, 3))) static struct outline_part *add_part(struct outline *o,
									   const char *fmt, ...)
{
	struct outline_part *part = ARRAY_ADD(o->parts, o->n);
	va_list ap;
	int n;

	if (!part)
		return NULL;
	va_start(ap, fmt);
	n = vasprintf(&part->title, fmt, ap);
	va_end(ap);
	if (n >= 0)
		return part;
	part->title = NULL;
	return NULL;
}

/* A line of its own memory; NULL is none. */
static int add_line(struct outline_part *part, char *line)
{
	char **slot = line ? ARRAY_ADD(part->lines, part->n) : NULL;

	if (!slot) {
		free(line);
		return -ENOMEM;
	}
	*slot = line;
	return 0;
}

static char *chain_line(const struct chain *c)
{
	char *line;

	if (!c->is_base)
		return strdup("chain");
	if (asprintf(&line, "type filter hook %s priority %d; policy %s;", spell_hook(c->hook),
		     c->priority, c->policy == GATE_DROP ? "drop" : "accept") < 0)
		return NULL;
	return line;
}

static int add_chain(struct outline *o, const struct ruleset *rs, const struct chain *c)
{
	struct outline_part *part = add_part(o, "table %s, chain %s",
					     words_of_table(rs, c->table).text, c->name);
	int err;
	size_t i;

	if (!part)
		return -ENOMEM;
	part->is_ordered = true;
	err = add_line(part, chain_line(c));
	for (i = 0; i < c->n_rules && !err; i++)
		err = add_line(part, strdup(rs->rules[c->first_rule + i].text));
	return err;
}

/* Elements of sets that no rule uses are numbers of some size. */
static uint32_t field_of(const struct set *set, uint32_t component)
{
	if (set->field[component] < GATE_FIELD_MAX)
		return set->field[component];
	switch (set->bits[component]) {
	case 128:
		return GATE_IP6_SADDR;
	case 32:
		return GATE_IP_SADDR;
	default:
		return set->bits[component] == 16 ? GATE_DPORT : GATE_IP_TTL;
	}
}

static char *element_line(const struct ruleset *rs, const struct set *set, const struct element *e)
{
	char *line = NULL;
	size_t len;
	FILE *out = open_memstream(&line, &len);
	uint32_t i;

	if (!out)
		return NULL;
	for (i = 0; i < set->n; i++)
		fprintf(out, "%s%s", i ? " . " : "",
			spell_span(field_of(set, i), &e->span[i]).text);
	if (set->verdicts)
		fprintf(out, " : %s", spell_verdict(rs, e->verdict).text);
	fclose(out);
	return line;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What touches is one, as it is in force: what they say counts, not how it is written. */
static int add_set(struct outline *o, const struct ruleset *rs, const struct set *set)
{
	struct outline_part *part = add_part(o, "table %s, %s %s",
					     words_of_table(rs, set->table).text,
					     set->verdicts ? "map" : "set", set->name);
	const struct regions written = { set->elements, set->n_elements };
	struct regions all = { NULL, 0 };
	int err = part ? regions_add(&all, &written, set->n) : -ENOMEM;
	size_t i;

	for (i = 0; i < all.n && !err; i++)
		err = add_line(part, element_line(rs, set, &all.items[i]));
	regions_release(&all);
	if (!err && part->n)
		qsort(part->lines, part->n, sizeof(*part->lines), compare_lines);
	return err;
}

int outline_init(struct outline *out, const struct ruleset *rs)
{
	struct outline o = { 0 };
	int err = 0;
	size_t i;

	for (i = 0; i < rs->n_sets && !err; i++)
		if (rs->sets[i].is_named)
			err = add_set(&o, rs, &rs->sets[i]);
	for (i = 0; i < rs->n_counters && !err; i++)
		if (rs->counters[i].name &&
		    !add_part(&o, "table %s, counter %s",
			      words_of_table(rs, rs->counters[i].table).text, rs->counters[i].name))
			err = -ENOMEM;
	for (i = 0; i < rs->n_chains && !err; i++)
		err = add_chain(&o, rs, &rs->chains[i]);
	if (err)
		outline_release(&o);
	else
		*out = o;
	return err;
}

void outline_release(struct outline *o)
{
	size_t i, j;

	for (i = 0; i < o->n; i++) {
		for (j = 0; j < o->parts[i].n; j++)
			free(o->parts[i].lines[j]);
		free(o->parts[i].lines);
		free(o->parts[i].title);
	}
	free(o->parts);
	*o = (struct outline){ 0 };
}
