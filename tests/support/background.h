/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unfrag command while it runs, and what it has said so far. command.h has runs that a test
 * waits for.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct background {
	pid_t pid;
	int err_fd;
	char *out, *err; /* all of it, as it comes; valid to the end of the process */
};

/* Starts TEST_UNFRAG with these arguments, up to NULL; ended by the teardown if not by the test. */
#define background_start(b, ...) background_start_((b), (const char *const[]){ __VA_ARGS__, NULL })
void background_start_(struct background *b, const char *const *args);

/* Whether its stdout (stderr: true) has this by now. */
bool background_has(struct background *b, bool on_stderr, const char *words);

/* Waits until its stdout (stderr: true) has this; asserts that it comes. */
void background_says(struct background *b, bool on_stderr, const char *words);

/* Its exit status, after the signal of this number (0: none); asserts that it ends. */
int background_end(struct background *b, int number);

/* For teardowns: ends what still runs. */
void background_clear(void);
