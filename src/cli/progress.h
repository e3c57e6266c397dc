/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is going on, for people who wait: from a second on a line on stderr, if that is a terminal.
 * It is gone before anything else is said, and when the command ends, also by Ctrl-C.
 *
 * Verbs that may take longer start it and say which step comes next, wherever that is known; they
 * end it before they print what came of it. Without a start steps are not told.
 */
#pragma once

/* SIGINT, SIGTERM, SIGHUP and SIGQUIT do what they did before, but are taken by a thread. */
void progress_start(void);

/* Until the next step, or until something else is said. What is too long for the line is cut. */
__attribute__((format(printf, 1, 2))) void progress_step(const char *fmt, ...);

/* A step: a file ("-": standard input) is read. Who types it sees that. */
void progress_reading(const char *file);

/* Takes the line away, before something else is said. */
void progress_hide(void);

/* Nothing is told any more; signals are as before the start. */
void progress_end(void);
