/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unfrag command at a terminal, with what it reads from standard input given by the test: it
 * waits for as long as the test wants.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct terminal {
	unsigned short columns; /* to be set before; 0: not told */
	bool is_pipe;           /* likewise: output goes to a pipe, and there is no terminal */
	pid_t pid;
	int in, out;
	char said[16384]; /* so far, on both streams */
	size_t n;
};

/* Starts TEST_UNFRAG with these arguments, up to NULL. */
#define terminal_start(t, ...) terminal_start_((t), (const char *const[]){ __VA_ARGS__, NULL })
void terminal_start_(struct terminal *t, const char *const *args);

/* Waits until it has said this; asserts that it comes. */
void terminal_says(struct terminal *t, const char *words);

/* A key, as Ctrl-C ("\3"). */
void terminal_press(struct terminal *t, const char *key);

/* Gives it text to read, or none (NULL), and no more after it. */
void terminal_feed(struct terminal *t, const char *text);

/* Reads what it says up to its end. The exit status, or 128 + N after signal N. */
int terminal_end(struct terminal *t);
