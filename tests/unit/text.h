/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts that must agree: files, what commands print, sections of either, and the words in them.
 * Whatever goes wrong here fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void text_freep(char **text);
#define text_auto __attribute__((cleanup(text_freep)))

/* As asprintf(3). */
__attribute__((format(printf, 1, 2))) char *text_format(const char *fmt, ...);

/* A whole file. */
__attribute__((format(printf, 1, 2))) char *text_file(const char *fmt, ...);

/* What a shell command prints, errors included; it must exit with 0. */
__attribute__((format(printf, 1, 2))) char *text_of(const char *fmt, ...);

/* The same, if nobody wants to know. */
__attribute__((format(printf, 1, 2))) void text_run(const char *fmt, ...);

__attribute__((format(printf, 2, 3))) void text_write(const char *text, const char *fmt, ...);

/* What stands behind the first `from`, up to the next `to` or the end. NULL without a `from`. */
char *text_between(const char *text, const char *from, const char *to);

/* These change a text in its place. */
void text_unescape(char *text);     /* "\_" of scdoc becomes "_" */
void text_flatten(char *text);      /* each run of white space becomes one blank; none after "(" */
void text_uncomment(char *text);    /* C without its comments ... */
void text_unpreprocess(char *text); /* ... and without lines of the preprocessor */

/* Fails the test, with both texts, unless `what` stands in `text`. */
__attribute__((format(printf, 2, 3))) void text_expect(const char *text, const char *fmt, ...);

#define LOWER   "abcdefghijklmnopqrstuvwxyz"
#define UPPER   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NUMBERS "0123456789"

/* A set. */
#define WORDS_MAX 200
#define WORD_MAX  72
struct words {
	size_t count;
	char word[WORDS_MAX][WORD_MAX];
};

void words_add(struct words *w, const char *word, size_t len);
bool words_have(const struct words *w, const char *word);

/* Adds every run of these characters that starts with `prefix` and goes on behind it. */
void words_collect(struct words *w, const char *text, const char *prefix, const char *characters);

/* Adds each --option. */
void words_options(struct words *w, const char *text);

/* Adds the function that a declaration (without its semicolon) names. Whether there is one. */
bool words_function(struct words *w, const char *declaration);

/* Adds the members of structs that start with `name`: "struct unfrag_". */
void words_members(struct words *w, const char *header, const char *name);

/* Fails the test unless all words of `want` are in `have`; says which are not. */
void words_expect(const struct words *want, const struct words *have, const char *where);

/*
 * Every function that the header declares is in the manual as it is declared there, and exported by
 * the map, which exports nothing else. All three texts are used up. Returns how many there are.
 */
size_t text_expect_functions(char *manual, char *header, char *map);
