/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command, stopped at each single one of its calls that changes anything: killed there, or with
 * that call failing. What must hold after that is for the test to say, in a loop over the calls.
 */
#pragma once

#include "command.h"

/* Loops take every second call, by two processes: most of the time is spent in single commands. */
#define STOP_PARTS 2

/*
 * For verbs with so many calls that all of them take minutes: every third of them, always the same
 * ones. With UNFRAG_EVERY_CALL in the environment all.
 */
unsigned int stop_stride(void);

/* Likewise of verbs that only read and load for hundreds of calls, before call `from`. */
unsigned int stop_stride_of(unsigned int n, unsigned int from);

/* What was seen of a verb over all its calls. */
struct stop_seen {
	unsigned int points; /* calls at which it was stopped */
	unsigned int absent, broken, ready, failed;
};

/* Stops at call n and every STOP_PARTS-th after it, until the verb ends by itself. err 0: kills. */
typedef void (*stop_loop)(void *world, int err, struct stop_seen *s, unsigned int n);

/* Where a loop runs, as of a test: setup and teardown. */
struct stop_world {
	void (*up)(void **world);
	void (*down)(void *world);
};

/* Runs a loop over all calls, each part of it in a process and a world of its own. */
struct stop_seen stop_run(const struct stop_world *world, stop_loop loop, int err);

/* Runs a verb that is stopped at its n-th call. False if it came to its end before, with 0. */
bool stop_at_call(struct command *c, struct stop_seen *s, unsigned int n, int err,
		  const char *const *args);

/* The same of a function, see struct command. */
bool stop_function(struct command *c, struct stop_seen *s, unsigned int n, int err,
		   int (*call)(void *arg), void *arg);

void stop_report(const char *what, const struct stop_seen *s);
