/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Child processes inside a namespace of the lab: a shell command run to its end, or a server that
 * stays. Every child leads a process group of its own and is killed by the kernel when the thread
 * that started it ends, so start servers from a thread that outlives them. ns NULL means the
 * caller's own namespace.
 *
 * An "exit status" below is 0..255 as the process gave it, or 128 + N if signal N ended it.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "ns.h"

/* No command of lab_ns_run() and lab_ns_output() may take longer; it is killed: -ETIMEDOUT. */
#define LAB_RUN_DEADLINE_MS 60000

/*
 * Runs a command with sh -c and waits. Exit status or -errno. What the command writes is thrown
 * away if it exits 0, else shown on stderr together with the command.
 */
int lab_ns_run(const struct lab_ns *ns, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The same, with the stdout of the command in buf: cut to size - 1 bytes, always terminated. Its
 * stderr is the caller's. Nothing is shown on failure.
 */
int lab_ns_output(const struct lab_ns *ns, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Starts argv[0] (looked up in PATH) and returns its pid, or -errno, that of a failed exec
 * included. Its stdout and stderr go to out_fd, or to /dev/null if that is -1.
 */
pid_t lab_ns_spawn(const struct lab_ns *ns, const char *const argv[], int out_fd);

/* Waits up to ms for the end of a child: exit status, or -ETIMEDOUT (the child still runs). */
int lab_child_wait(pid_t pid, int ms);

/*
 * Ends a child and its process group: SIGTERM, two seconds, SIGKILL. Its exit status, or -errno;
 * with pid <= 0 nothing is done.
 */
int lab_child_stop(pid_t pid);

/* The same without the courtesy: SIGKILL at once. */
int lab_child_kill(pid_t pid);
