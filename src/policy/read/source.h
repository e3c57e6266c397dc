/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where rules stand in a file: a light look at the text that libnftables loaded, which knows
 * blocks, statements, strings, comments and includes, and of statements only whose rule they are.
 * Whenever it does not know for certain it says nothing.
 *
 *   source_read.c  files, includes and tokens
 *   source.c       blocks and statements
 *   lines.c        which of the rules that were loaded they are
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scratch_rules.h"

enum token {
	TOKEN_WORD,
	TOKEN_STRING, /* in quotes */
	TOKEN_OTHER,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_END, /* of a statement */
};

/* A rule as it is written. */
struct source_rule {
	uint8_t family; /* NFPROTO_... */
	char *table;
	char *chain;
	char *comment; /* in quotes; NULL: none, or not known */
	uint32_t file;
	uint32_t line;
	bool inserted; /* in front of all that were there */
};

/* A block of what is no rule. */
struct source_place {
	char *what; /* as messages have it: "table ip t, chain c" */
	uint32_t file;
	uint32_t line;
	bool is_type; /* of a chain: where its hook is */
};

#define SOURCE_WORDS 8u /* of a statement, as many as are looked at */

struct source_word {
	char *text; /* NULL: no word that could be a name */
	enum token kind;
};

enum source_block { BLOCK_TOP, BLOCK_TABLE, BLOCK_CHAIN };

struct source {
	char **files;
	struct source_rule *rules;
	struct source_place *places;
	size_t n_files, n_rules, n_places;
	bool unsure; /* nothing is known at all */
	bool no_memory;

	/* Where it is. */
	const char *path; /* of the first file */
	uint32_t file, line, depth;
	enum source_block block;
	bool alone; /* a chain's block without its table's around it */
	uint8_t family;
	char *table, *chain;

	/* The statement so far. */
	uint32_t braces, n_words, begin;
	struct source_word words[SOURCE_WORDS];
	bool after_comment;
	char *comment;
	char *include; /* asked for: a file to be read before what follows */
};

/* What is in a file and those that it includes. Check for no_memory and unsure. */
void source_read(struct source *s, const char *path);
void source_release(struct source *s);

/* One token more; `text` of words and strings. */
void source_take(struct source *s, enum token token, const char *text);

/* Whether a statement has begun. */
bool source_is_amid(const struct source *s);

/*
 * Puts LISTING_FILES, LISTING_LINES of all rules of which they are known, and LISTING_PLACE of what
 * has one block only. 0 or -errno.
 */
int lines_put(int fd, const char *path, const struct scratch_rules *loaded);
