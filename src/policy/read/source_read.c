// SPDX-License-Identifier: GPL-2.0-or-later
/* Files and their tokens, as libnftables takes them apart. */
#define _GNU_SOURCE
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "array.h"
#include "source.h"

#define DEPTH_MAX    16u /* of includes, as nftables has it */
#define INCLUDE_PATH "/etc"

static void read_file(struct source *s, const char *path);

static bool is_word(int c)
{
	return c > ' ' && !strchr("{};\"#,:$@=()[]<>!&|^\\", c);
}

struct buffer {
	char *text;
	size_t n;
};

static bool add_char(struct source *s, struct buffer *b, int c)
{
	char *slot = ARRAY_ADD(b->text, b->n);

	s->no_memory |= !slot;
	if (slot)
		*slot = (char)c;
	return slot;
}

/* Up to what is no part of it, which is read next. */
static void read_word(struct source *s, FILE *in, int c)
{
	struct buffer b = { NULL, 0 };

	for (; is_word(c) && add_char(s, &b, c); c = getc_unlocked(in))
		;
	ungetc(c, in);
	if (add_char(s, &b, '\0'))
		source_take(s, TOKEN_WORD, b.text);
	free(b.text);
}

static void read_string(struct source *s, FILE *in)
{
	struct buffer b = { NULL, 0 };
	uint32_t lines = 0;
	int c;

	while ((c = getc_unlocked(in)) != EOF && c != '"' && add_char(s, &b, c))
		lines += c == '\n';
	if (c == EOF)
		s->unsure = true;
	if (add_char(s, &b, '\0'))
		source_take(s, TOKEN_STRING, b.text);
	s->line += lines;
	free(b.text);
}

/*
 * Leaves the end of the line, unless nothing else is in it: to some versions such a line is as if
 * it were not, to others it ends a statement that began in the lines before.
 */
static void skip_comment(struct source *s, FILE *in, bool is_alone)
{
	int c;

	s->unsure |= is_alone && s->n_words && !s->braces;
	while ((c = getc_unlocked(in)) != EOF && c != '\n')
		;
	if (c == '\n' && is_alone)
		s->line++;
	else
		ungetc(c, in);
}

/* True: it takes the end of its line away. */
static bool escape(struct source *s, FILE *in)
{
	int c = getc_unlocked(in);

	if (c == '\n') {
		s->line++;
		return true;
	}
	ungetc(c, in);
	source_take(s, TOKEN_OTHER, NULL);
	return false;
}

static bool has_wildcard(const char *path)
{
	return strpbrk(path, "*?[");
}

static bool is_regular(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* Reads what a pattern finds; false: nothing. */
static bool find(struct source *s, const char *pattern, bool read)
{
	bool found = false;
	glob_t all;
	size_t i;

	if (glob(pattern, GLOB_NOESCAPE | GLOB_MARK, NULL, &all))
		return false;
	for (i = 0; i < all.gl_pathc; i++) {
		if (all.gl_pathv[i][strlen(all.gl_pathv[i]) - 1] == '/')
			continue;
		found = true;
		if (read)
			read_file(s, all.gl_pathv[i]);
	}
	globfree(&all);
	return found;
}

/* Versions differ in which directories they look into; none differ if one has it. */
static void search(struct source *s, const char *name)
{
	const char *slash = strrchr(s->path, '/');
	char *paths[2] = { NULL, NULL };
	bool found[2];

	if (asprintf(&paths[0], INCLUDE_PATH "/%s", name) < 0 ||
	    asprintf(&paths[1], "%.*s/%s", slash ? (int)(slash - s->path) : 1,
		     slash ? s->path : ".", name) < 0) {
		s->no_memory = true;
	} else {
		found[0] = find(s, paths[0], false);
		found[1] = find(s, paths[1], false);
		if (found[0] && found[1])
			s->unsure = true;
		else if (found[0] || found[1])
			find(s, paths[found[1]], true);
		else
			s->unsure |= !has_wildcard(name);
	}
	free(paths[0]);
	free(paths[1]);
}

static void include(struct source *s)
{
	char *name = s->include;

	s->include = NULL;
	if (name[0] != '/' && strncmp(name, "./", 2) != 0 && strncmp(name, "../", 3) != 0)
		search(s, name);
	else if (!find(s, name, true))
		s->unsure |= !has_wildcard(name);
	free(name);
}

static void read_mark(struct source *s, int c)
{
	switch (c) {
	case '\n':
	case ';':
		source_take(s, TOKEN_END, NULL);
		s->line += c == '\n';
		break;
	case '{':
		source_take(s, TOKEN_OPEN, NULL);
		break;
	case '}':
		source_take(s, TOKEN_CLOSE, NULL);
		break;
	case ' ':
	case '\t':
	case '\r':
		break;
	default:
		source_take(s, TOKEN_OTHER, NULL);
	}
}

/* Returns whether there is nothing but space in the line so far. */
static bool read_token(struct source *s, FILE *in, int c, bool is_alone)
{
	if (c == '#') {
		skip_comment(s, in, is_alone);
		return is_alone;
	}
	if (c == '\\')
		return escape(s, in);
	if (c == '"')
		read_string(s, in);
	else if (is_word(c))
		read_word(s, in, c);
	else
		read_mark(s, c);
	return c == '\n' || (is_alone && (c == ' ' || c == '\t'));
}

static void read_tokens(struct source *s, FILE *in)
{
	bool is_alone = true;
	int c;

	while (!s->unsure && !s->no_memory && (c = getc_unlocked(in)) != EOF) {
		is_alone = read_token(s, in, c, is_alone);
		if (s->include)
			include(s);
	}
}

static void read_file(struct source *s, const char *path)
{
	const uint32_t file = s->file, line = s->line;
	FILE *in = is_regular(path) && s->depth < DEPTH_MAX ? fopen(path, "re") : NULL;
	char **slot = in ? ARRAY_ADD(s->files, s->n_files) : NULL;

	if (slot)
		*slot = strdup(path);
	if (!in) {
		s->unsure = true;
		return;
	}
	s->no_memory |= !slot || !*slot;
	s->file = (uint32_t)s->n_files - 1;
	s->line = 1;
	s->depth++;
	read_tokens(s, in);
	/* What goes on in another file goes on here, too: nobody writes that. */
	s->unsure |= s->depth > 1 && source_is_amid(s);
	s->depth--;
	s->file = file;
	s->line = line;
	fclose(in);
}

void source_read(struct source *s, const char *path)
{
	*s = (struct source){ .path = path };
	read_file(s, path);
	source_take(s, TOKEN_END, NULL);
	s->unsure |= s->block != BLOCK_TOP || s->include;
}
