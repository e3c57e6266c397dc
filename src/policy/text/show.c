// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The text is gone through line by line. What nftables writes has a table's name at the margin,
 * what is in it one tab deep, and rules and what a set is two tabs deep. Comments may have ends of
 * lines in them, so a line counts only if it begins outside quotes.
 */
#define _GNU_SOURCE
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "elements_write.h"
#include "listing.h"
#include "words.h"

#define HANDLE " # handle "
#define COLUMN 72 /* beyond which elements go on in the next line */

enum block {
	BLOCK_NONE,
	BLOCK_SET,
	BLOCK_COUNTER,
	BLOCK_CHAIN,
};

struct walk {
	const struct show *show; /* NULL: only `sets` is wanted */
	const struct ruleset *rs;
	struct show_set *sets;
	FILE *out;
	bool in_quotes;
	bool is_written; /* the rule, whose line goes on within quotes */
	uint32_t table;
	enum block block;
	uint32_t index; /* of the set, counter or chain of the block */
	size_t rule;    /* how many of the chain are done */
	size_t column;
	size_t written; /* elements */
	int err;
};

/* A line of the text, without its end. */
struct line {
	const char *text;
	size_t len;
};

/* Whether what follows is this, which it then begins behind. */
static bool take(struct line *l, const char *what)
{
	size_t n = strlen(what);

	if (l->len < n || memcmp(l->text, what, n))
		return false;
	l->text += n;
	l->len -= n;
	return true;
}

static bool is_name(struct line l, const char *name)
{
	return l.len == strlen(name) && !memcmp(l.text, name, l.len);
}

/* " # handle 12" at the end. */
static struct line without_handle(struct line l)
{
	const size_t n = strlen(HANDLE);
	size_t len = l.len;

	while (len && l.text[len - 1] >= '0' && l.text[len - 1] <= '9')
		len--;
	if (len < l.len && len >= n && !memcmp(l.text + len - n, HANDLE, n))
		l.len = len - n;
	return l;
}

/* "inet filter {" */
static void enter_table(struct walk *w, struct line l)
{
	struct words name;
	uint32_t i;

	if (!take(&l, "table ") || l.len < 2)
		return;
	l.len -= 2;
	w->table = UINT32_MAX;
	for (i = 0; i < w->rs->n_tables; i++) {
		name = words_of_table(w->rs, i);
		if (is_name(l, name.text))
			w->table = i;
	}
}

static void enter_set(struct walk *w, struct line name)
{
	uint32_t i;

	for (i = 0; i < w->rs->n_sets; i++) {
		if (!w->rs->sets[i].is_named || w->rs->sets[i].table != w->table ||
		    !is_name(name, w->rs->sets[i].name))
			continue;
		w->block = BLOCK_SET;
		w->index = i;
	}
}

static void enter_counter(struct walk *w, struct line name)
{
	uint32_t i;

	for (i = 0; i < w->rs->n_counters; i++) {
		if (!w->rs->counters[i].name || w->rs->counters[i].table != w->table ||
		    !is_name(name, w->rs->counters[i].name))
			continue;
		w->block = BLOCK_COUNTER;
		w->index = i;
	}
}

static void enter_chain(struct walk *w, struct line name)
{
	uint32_t i;

	for (i = 0; i < w->rs->n_chains; i++) {
		if (w->rs->chains[i].table != w->table || !is_name(name, w->rs->chains[i].name))
			continue;
		w->block = BLOCK_CHAIN;
		w->index = i;
		w->rule = 0;
	}
}

static void enter_block(struct walk *w, struct line l)
{
	w->block = BLOCK_NONE;
	if (l.len < 2 || memcmp(l.text + l.len - 2, " {", 2))
		return;
	l.len -= 2;
	if (take(&l, "set ") || take(&l, "map "))
		enter_set(w, l);
	else if (take(&l, "counter "))
		enter_counter(w, l);
	else if (take(&l, "chain "))
		enter_chain(w, l);
}

static void put_element(const char *key, const char *verdict, void *arg)
{
	static const char indent[] = ",\n\t\t\t     ";
	struct walk *w = arg;
	size_t len = strlen(key) + (verdict ? strlen(verdict) + 3 : 0);

	if (w->written++) {
		fputs(w->column + len > COLUMN ? indent : ", ", w->out);
		w->column = w->column + len > COLUMN ? 0 : w->column + 2;
	}
	fprintf(w->out, "%s%s%s", key, verdict ? " : " : "", verdict ? verdict : "");
	w->column += len;
}

static void put_elements(struct walk *w)
{
	const struct element_style style = { w->sets[w->index].type, w->sets[w->index].intervals };
	const struct set *set = &w->rs->sets[w->index];
	struct element *elements = NULL;
	size_t n = 0;

	w->err = w->show->elements(w->show->arg, w->index, &elements, &n);
	if (w->err)
		return;
	w->column = 0;
	w->written = 0;
	if (n && w->show->terse) {
		fprintf(w->out, "\t\t# elements: %zu\n", n);
	} else if (n) {
		fputs("\t\telements = { ", w->out);
		elements_write(w->rs, set, &style, elements, n, put_element, w);
		fputs(" }\n", w->out);
	}
	free(elements);
}

static void put_count(const struct walk *w, uint32_t counter)
{
	fprintf(w->out, "packets %" PRIu64 " bytes %" PRIu64,
		(uint64_t)w->show->counters[counter].packets,
		(uint64_t)w->show->counters[counter].bytes);
}

static void leave_block(struct walk *w)
{
	if (w->show && w->block == BLOCK_SET) {
		put_elements(w);
	} else if (w->show && w->block == BLOCK_COUNTER) {
		fputs("\t\t", w->out);
		put_count(w, w->index);
		fputc('\n', w->out);
	}
	w->block = BLOCK_NONE;
}

/* What a set is: "flags constant,interval", "type ipv4_addr : verdict" */
static void note_set(struct walk *w, struct line l)
{
	struct show_set *set = &w->sets[w->index];

	if (take(&l, "flags "))
		set->intervals = memmem(l.text, l.len, "interval", strlen("interval"));
	else if (take(&l, "type ") || take(&l, "typeof "))
		snprintf(set->type, sizeof(set->type), "%.*s",
			 (int)(l.len > strlen(" : verdict") && w->rs->sets[w->index].verdicts ?
				       l.len - strlen(" : verdict") :
				       l.len),
			 l.text);
}

/* The next anonymous counter of a rule from its statement *at on. */
static bool next_counter(const struct ruleset *rs, const struct rule *rule, size_t *at,
			 uint32_t *counter)
{
	const struct statement *s;

	while (*at < rule->n) {
		s = &rule->statements[(*at)++];
		if (s->kind != STATEMENT_COUNTER || rs->counters[s->index].name)
			continue;
		*counter = s->index;
		return true;
	}
	return false;
}

/* Whether the word at i is "counter" and no name follows. */
static bool is_counter(struct line l, size_t i)
{
	struct line rest = { l.text + i, l.len - i };

	if ((i && l.text[i - 1] != ' ' && l.text[i - 1] != '\t') || !take(&rest, "counter"))
		return false;
	return !rest.len || (rest.text[0] == ' ' && !take(&rest, " name "));
}

/* Its text is the line that nftables wrote, or another where that can't be loaded again. */
static void put_rule(struct walk *w, const struct rule *rule)
{
	const struct line l = { rule->text, strlen(rule->text) };
	bool in_quotes = false;
	uint32_t counter;
	size_t i, at = 0;

	fputs("\t\t", w->out);
	for (i = 0; i < l.len; i++) {
		if (!in_quotes && is_counter(l, i) && next_counter(w->rs, rule, &at, &counter)) {
			fputs("counter ", w->out);
			put_count(w, counter);
			i += strlen("counter") - 1;
			continue;
		}
		in_quotes ^= l.text[i] == '"';
		fputc(l.text[i], w->out);
	}
}

/* The rule that a line of a chain begins; NULL: it says what the chain is. */
static const struct rule *rule_of(struct walk *w, struct line l)
{
	const struct chain *chain = &w->rs->chains[w->index];

	if (take(&l, "type ") || take(&l, "comment ") || w->rule >= chain->n_rules)
		return NULL;
	return &w->rs->rules[chain->first_rule + w->rule++];
}

static const struct rule *what_is_in(struct walk *w, struct line l)
{
	if (w->block == BLOCK_SET)
		note_set(w, l);
	return w->block == BLOCK_CHAIN ? rule_of(w, l) : NULL;
}

/* What a line says of where it stands. The rule that it is, or NULL. */
static const struct rule *place(struct walk *w, struct line l)
{
	if (!take(&l, "\t"))
		enter_table(w, l);
	else if (take(&l, "\t"))
		return what_is_in(w, l);
	else if (is_name(l, "}"))
		leave_block(w);
	else
		enter_block(w, l);
	return NULL;
}

static void on_line(struct walk *w, struct line l)
{
	const struct rule *rule = NULL;

	if (!w->in_quotes) {
		rule = place(w, l);
		w->is_written = rule;
	}
	if (!w->show || w->err || (w->in_quotes && w->is_written))
		return;
	if (rule)
		put_rule(w, rule);
	else
		fwrite(l.text, 1, l.len, w->out);
	fputc('\n', w->out);
}

static int go(struct walk *w, const struct policy_listing *listing)
{
	struct attr text = listing_find((struct attr){ listing->data, listing->len }, LISTING_TEXT);
	const char *at = (const char *)text.data, *end, *stop;
	struct line l;

	if (!text.data)
		return -EINVAL;
	end = at + text.len;
	for (; at < end && !w->err; at = stop + 1) {
		stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop)
			stop = end;
		l = without_handle((struct line){ at, (size_t)(stop - at) });
		on_line(w, l);
		for (; at < stop; at++)
			w->in_quotes ^= *at == '"';
	}
	return w->err;
}

struct show_set *show_sets(const struct ruleset *rs, const struct policy_listing *listing)
{
	struct show_set *sets = calloc(rs->n_sets + 1, sizeof(*sets));
	struct walk w = { .rs = rs, .sets = sets, .table = UINT32_MAX };

	if (sets)
		go(&w, listing);
	return sets;
}

int show_write(const struct show *s, FILE *out)
{
	struct walk w = { .show = s, .rs = s->rs, .out = out, .table = UINT32_MAX };
	int err;

	w.sets = calloc(s->rs->n_sets + 1, sizeof(*w.sets));
	if (!w.sets)
		return -ENOMEM;
	err = go(&w, s->listing);
	free(w.sets);
	return err;
}
