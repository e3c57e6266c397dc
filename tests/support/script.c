// SPDX-License-Identifier: GPL-2.0-or-later
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "script_match.h"
#include "test.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define LADDER 15 /* chains that jump from each to the next */

static const char *const hooks[] = { "prerouting", "input", "forward", "output", "postrouting" };

/* Statements of a rule that are no matches and no verdict. */
static void print_extra(struct script *r, const struct script_table *t, FILE *f)
{
	static const char *const limits[] = {
		"limit rate 1/day burst 3 packets",
		"limit rate 2/week",
		"limit rate over 1/day burst 4 packets",
		"limit rate 1000000/second burst 100000 packets",
		"limit rate over 1000000/second burst 100000 packets",
		"limit rate 1 bytes/day burst 400 bytes",
		"limit rate over 1 bytes/day burst 300 bytes",
		"limit rate 100 mbytes/second burst 10 mbytes",
	};
	unsigned int way = script_below(&r->random, 100);

	if (way < 8)
		fputs(limits[script_below(&r->random, N(limits))], f);
	else if (way < 14)
		fprintf(f, "log prefix \"%s-%u\"", t->name, script_below(&r->random, 9));
	else if (way < 17)
		fputs("log", f);
	else if (way < 27)
		fputs("counter name \"count\"", f);
	else
		fputs("counter", f);
}

static void print_end(struct script *r, const struct script_table *t,
		      const struct script_context *c, size_t from, FILE *f)
{
	unsigned int way = script_below(&r->random, 100);

	if (way < 18) {
		script_vmap(r, t, c, from, f);
		if (script_chance(&r->random, 30))
			fputs(" counter", f);
	} else if (way < 65) {
		script_print_verdict(r, t, from, f);
	} else if (way < 70) {
		fputs("continue", f);
	}
	if (script_chance(&r->random, 10))
		fprintf(f, " comment \"rule %u\"", script_below(&r->random, 100));
}

static char *make_rule(struct script *r, const struct script_table *t, size_t from)
{
	unsigned int matches = script_below(&r->random, 4);
	bool calm;
	struct script_context c = script_context(r, t);
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	if (matches == 3)
		matches = 1;
	calm = !matches && script_chance(&r->random, 85);
	for (unsigned int i = 0; i < matches; i++) {
		if (script_chance(&r->random, 10)) {
			print_extra(r, t, f);
			fputc(' ', f);
		}
		script_match(r, t, &c, f);
		fputc(' ', f);
	}
	if (!matches || script_chance(&r->random, 80))
		print_extra(r, t, f);
	fputc(' ', f);
	if (!calm)
		print_end(r, t, &c, from, f);
	else if (from < t->n_chains && script_chance(&r->random, 50))
		fprintf(f, "jump %s", t->chains[from].name);
	fclose(f);
	return text;
}

static unsigned int script_of_chain(struct script *r, bool base)
{
	unsigned int way = script_below(&r->random, 1000);

	if (way < 3)
		return 1000 + script_below(&r->random, 1000);
	if (way < 30)
		return 60 + script_below(&r->random, 100);
	return script_below(&r->random, base ? 9 : 5);
}

static void fill_chain(struct script *r, struct script_table *t, size_t i)
{
	struct script_chain *chain = &t->chains[i];
	size_t from = i + 1;

	chain->n = script_of_chain(r, chain->head[0]);
	chain->rules = calloc(chain->n + 1, sizeof(*chain->rules));
	assert_non_null(chain->rules);
	while (from < t->n_chains && t->chains[from].head[0])
		from++;
	for (size_t k = 0; k < chain->n; k++)
		chain->rules[k].text = make_rule(r, t, from);
}

static void make_head(struct script *r, struct script_chain *chain)
{
	static const char *const priorities[] = { "-399",   "raw",    "mangle", "-1",      "filter",
						  "filter", "filter", "1",      "security" };

	snprintf(chain->head, sizeof(chain->head), "type filter hook %s priority %s; policy %s;",
		 hooks[script_below(&r->random, N(hooks))],
		 priorities[script_below(&r->random, N(priorities))],
		 script_chance(&r->random, 75) ? "accept" : "drop");
}

/* Base chains first; only those behind a chain are jumped to, so there are no loops. */
static void make_chains(struct script *r, struct script_table *t)
{
	unsigned int bases = 1 + script_below(&r->random, 4);
	bool ladder = script_chance(&r->random, 4);

	t->n_chains = bases + (ladder ? LADDER : script_below(&r->random, 5));
	for (size_t i = 0; i < t->n_chains; i++) {
		snprintf(t->chains[i].name, sizeof(t->chains[i].name), "c%u",
			 (unsigned int)i & 0xff);
		if (i < bases)
			make_head(r, &t->chains[i]);
	}
}

static void make_counter(struct script *r, struct script_table *t)
{
	struct script_object *o = &t->objects[t->n_objects++];
	size_t size;
	FILE *f = open_memstream(&o->text, &size);

	o->what = 'c';
	snprintf(o->name, sizeof(o->name), "count");
	fprintf(f, "counter count {%s}\n",
		script_chance(&r->random, 30) ? " packets 7 bytes 700 " : " ");
	fclose(f);
}

static bool names(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (text = strchr(text, '@'); text; text = strchr(text + 1, '@'))
		if (!strncmp(text + 1, name, len) && (!text[len + 1] || text[len + 1] == ' '))
			return true;
	return false;
}

static bool is_used(const struct script_table *t, const char *name)
{
	for (size_t i = 0; i < t->n_chains; i++)
		for (size_t k = 0; k < t->chains[i].n; k++)
			if (names(t->chains[i].rules[k].text, name))
				return true;
	return false;
}

static void drop_unused(struct script_table *t)
{
	for (size_t i = 0; i < t->n_objects; i++)
		t->objects[i].off = t->objects[i].what != 'c' && !is_used(t, t->objects[i].name);
}

static void make_table(struct script *r, struct script_table *t)
{
	static const char *const families[] = { "ip", "ip6", "inet", "inet" };
	unsigned int sets = script_below(&r->random, 4), maps = script_below(&r->random, 3);

	t->family = families[script_below(&r->random, N(families))];
	snprintf(t->name, sizeof(t->name), "t%u", (unsigned int)r->n_tables & 0xff);
	make_chains(r, t);
	make_counter(r, t);
	for (unsigned int i = 0; i < sets; i++)
		script_object(r, t, 's');
	for (unsigned int i = 0; i < maps; i++)
		script_object(r, t, 'm');
	for (size_t i = 0; i < t->n_chains; i++)
		fill_chain(r, t, i);
	drop_unused(t);
}

void script_make(struct script *r, const struct script_opts *opts)
{
	unsigned int tables;

	memset(r, 0, sizeof(*r));
	r->seed = opts->seed;
	r->random.state = opts->seed;
	r->ct = opts->ct;
	script_pools(r);
	tables = 1 + script_below(&r->random, SCRIPT_TABLES);
	for (; r->n_tables < tables; r->n_tables++)
		make_table(r, &r->tables[r->n_tables]);
}

static void release_table(struct script_table *t)
{
	for (size_t i = 0; i < t->n_objects; i++)
		free(t->objects[i].text);
	for (size_t i = 0; i < t->n_chains; i++) {
		for (size_t k = 0; k < t->chains[i].n; k++)
			free(t->chains[i].rules[k].text);
		free(t->chains[i].rules);
	}
}

void script_release(struct script *r)
{
	for (size_t i = 0; i < r->n_tables; i++)
		release_table(&r->tables[i]);
	r->n_tables = 0;
}

static void print_table(const struct script_table *t, FILE *f)
{
	fprintf(f, "table %s %s {\n", t->family, t->name);
	for (size_t i = 0; i < t->n_objects; i++)
		if (!t->objects[i].off)
			fprintf(f, "\t%s", t->objects[i].text);
	/* What is jumped to stands in front. */
	for (size_t i = t->n_chains; i-- > 0;) {
		const struct script_chain *c = &t->chains[i];

		if (c->off)
			continue;
		fprintf(f, "\tchain %s {\n", c->name);
		if (c->head[0])
			fprintf(f, "\t\t%s\n", c->head);
		for (size_t k = 0; k < c->n; k++)
			if (!c->rules[k].off)
				fprintf(f, "\t\t%s\n", c->rules[k].text);
		fputs("\t}\n", f);
	}
	fputs("}\n", f);
}

void script_print(const struct script *r, FILE *f)
{
	for (size_t i = 0; i < r->n_tables; i++)
		if (!r->tables[i].off)
			print_table(&r->tables[i], f);
}
