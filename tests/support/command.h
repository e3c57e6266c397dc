/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs of the unfrag command: what it says, how it ends, and what it leaves when one of its system
 * calls is its last or fails.
 *
 * Calls are watched by a seccomp filter that hands them over before the kernel looks at them. It
 * holds for every thread of the command, so calls made on the library's short-lived threads count
 * too. Watched is what changes anything that outlives a process: bpf(2), calls that make, name and
 * remove entries of directories, locks, mounts, moves to other namespaces, and pwrite(2), by which
 * sysctls are set.
 */
#pragma once

#include <ns.h>
#include <stdbool.h>
#include <stddef.h>

/* No run may take longer, even on an emulated CPU; it is killed, and the test fails. */
#define COMMAND_DEADLINE_MS 120000

struct command {
	/* What to do; zeroes are fine. */
	const struct lab_ns *ns;           /* where it runs; NULL: the caller's */
	void (*before)(struct command *c); /* in the child, between fork and exec */
	int (*call)(void *arg);            /* what runs in place of the command, for its result */
	void *arg;
	const char *stdout_path; /* opened for writing; "": closed; NULL: to `out` */
	unsigned int stop_at;    /* 1..: at this watched call, before it is made ... */
	int stop_errno;          /* ... it fails so, or if 0 the command is killed */
	bool watch;              /* count calls; set by stop_at too */

	/* What became of it. */
	int status;         /* exit status, or 128 + N if signal N ended it */
	unsigned int calls; /* watched calls that were begun */
	int last_call;      /* number of the call at which it was stopped, or -1 */
	int last_bpf;       /* and what bpf(2) was to do */
	char out[16384];    /* cut if longer, always terminated */
	char err[16384];
	size_t err_len; /* of all that was written to stderr */
};

/* Runs TEST_UNFRAG with these arguments, up to NULL, and waits. Its exit status, c->status. */
int command(struct command *c, ...) __attribute__((sentinel));
int command_v(struct command *c, const char *const *args);

/* Zeroes *c and runs; its output is thrown away unless c is asked for it later. */
#define command_run(c, ...) \
	({ \
		memset((c), 0, sizeof(*(c))); \
		command((c), __VA_ARGS__, NULL); \
	})

/* Asserts what it ended with, and a word on stderr (NULL: stderr is empty). */
#define command_expect(c, want, word) command_expect_((c), (want), (word), __FILE__, __LINE__)
void command_expect_(const struct command *c, int want, const char *word, const char *file,
		     int line);

/* Asserts that text is whole lines, none with a blank at its end. */
void command_expect_lines(const char *text);

/* "bpf(28)", "mkdirat" and so on: what the command was stopped at. Static. */
const char *command_stopped(const struct command *c);
