// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules of a chain stand in the kernel in the order in which they were written. Where there are as
 * many here as there, with the same comments, they are the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "scratch.h"
#include "source.h"

struct lines {
	const struct source *source;
	const struct scratch_rules *loaded;
	const struct source_rule **found; /* of one chain, in the kernel's order */
	struct listing_line *line;
	size_t n;
	bool no_memory;
};

static bool is_of(const struct source_rule *a, const struct scratch_rule *b)
{
	return a->family == b->family && !strcmp(a->table, b->table) && !strcmp(a->chain, b->chain);
}

static bool is_same_chain(const struct scratch_rule *a, const struct scratch_rule *b)
{
	return a->family == b->family && !strcmp(a->table, b->table) && !strcmp(a->chain, b->chain);
}

/* What was inserted last stands first. */
static size_t find(struct lines *l, const struct scratch_rule *chain)
{
	const struct source *s = l->source;
	size_t i, n = 0;

	for (i = s->n_rules; i-- > 0;)
		if (s->rules[i].inserted && is_of(&s->rules[i], chain))
			l->found[n++] = &s->rules[i];
	for (i = 0; i < s->n_rules; i++)
		if (!s->rules[i].inserted && is_of(&s->rules[i], chain))
			l->found[n++] = &s->rules[i];
	return n;
}

static bool has_comment(const struct source_rule *a, const struct scratch_rule *b)
{
	return !a->comment || (b->comment && !strcmp(a->comment, b->comment));
}

/* Rules from..to-1 are those of a chain. */
static void match(struct lines *l, size_t from, size_t to)
{
	const struct scratch_rule *rules = l->loaded->rules;
	struct listing_line *line;
	size_t i;

	if (find(l, &rules[from]) != to - from)
		return;
	for (i = from; i < to; i++)
		if (!has_comment(l->found[i - from], &rules[i]))
			return;
	for (i = from; i < to; i++) {
		line = ARRAY_ADD(l->line, l->n);
		if (line)
			*line = (struct listing_line){ (uint32_t)i, l->found[i - from]->line,
						       l->found[i - from]->file };
		l->no_memory |= !line;
	}
}

static void match_all(struct lines *l)
{
	const struct scratch_rule *rules = l->loaded->rules;
	size_t from, to;

	for (from = 0; from < l->loaded->n && !l->no_memory; from = to) {
		for (to = from + 1; to < l->loaded->n && is_same_chain(&rules[from], &rules[to]);)
			to++;
		match(l, from, to);
	}
}

/* Their names, one behind the other, each with its end. */
static int put_files(int fd, const struct source *s)
{
	char *names = NULL, *p;
	size_t len = 0, i;
	int err;

	for (i = 0; i < s->n_files; i++)
		len += strlen(s->files[i]) + 1;
	names = malloc(len + 1);
	if (!names)
		return -ENOMEM;
	for (i = 0, p = names; i < s->n_files; i++)
		p = stpcpy(p, s->files[i]) + 1;
	err = listing_put(fd, LISTING_FILES, names, len);
	free(names);
	return err;
}

/* Whether it is the only one of its kind that is called so. */
static bool is_only(const struct source *s, const struct source_place *place)
{
	const struct source_place *p;

	for (p = s->places; p < s->places + s->n_places; p++)
		if (p != place && p->is_type >= place->is_type && !strcmp(p->what, place->what))
			return false;
	return true;
}

static int put_places(int fd, const struct source *s)
{
	struct listing_place *place;
	size_t i, len;
	int err = 0;

	for (i = 0; i < s->n_places && !err; i++) {
		if (!is_only(s, &s->places[i]))
			continue;
		len = sizeof(*place) + strlen(s->places[i].what) + 1;
		place = malloc(len);
		if (!place)
			return -ENOMEM;
		*place = (struct listing_place){ s->places[i].line, s->places[i].file };
		memcpy(place + 1, s->places[i].what, len - sizeof(*place));
		err = listing_put(fd, LISTING_PLACE, place, len);
		free(place);
	}
	return err;
}

int lines_put(int fd, const char *path, const struct scratch_rules *loaded)
{
	struct lines l = { .loaded = loaded };
	struct source source;
	int err = 0;

	source_read(&source, path);
	l.source = &source;
	l.found = calloc(source.n_rules + 1, sizeof(*l.found));
	l.no_memory = !l.found || source.no_memory;
	if (!l.no_memory && !source.unsure)
		match_all(&l);
	if (l.no_memory)
		err = -ENOMEM;
	else if (!source.unsure)
		err = put_files(fd, &source);
	if (!err && !source.unsure)
		err = put_places(fd, &source);
	if (!err && l.n)
		err = listing_put(fd, LISTING_LINES, l.line, l.n * sizeof(*l.line));
	free(l.found);
	free(l.line);
	source_release(&source);
	return err;
}
