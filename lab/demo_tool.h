/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all steps of the demo share: talk on stderr, the wish of the person at the keyboard to stop,
 * and real programs run as children with their output kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "child.h"

/* A line of progress, and a line that says why the demo can't go on. No newline needed. */
void demo_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void demo_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* SIGINT, SIGTERM and SIGHUP only leave a mark, so that everything is put away in order. */
void demo_catch_signals(void);
bool demo_interrupted(void);

struct demo_tool {
	pid_t pid;
	int out_fd;
};

/* Starts argv in ns with stdout and stderr kept. 0 or -errno (-ENOENT: no such program). */
int demo_tool_start(struct demo_tool *tool, const struct lab_ns *ns, const char *const argv[]);

/*
 * Waits for the end of the program until a deadline of lab_now_ms(), or until demo_interrupted()
 * if it may be given up; then it is killed. Its output goes to out, terminated. Exit status,
 * -ETIMEDOUT, -EINTR or -errno.
 */
int demo_tool_finish(struct demo_tool *tool, int64_t deadline, bool may_give_up, char *out,
		     size_t size);
