/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network namespace that is held by a file descriptor and has no name: it is gone, with all its
 * devices, when the process that made it ends, however it ends.
 *
 * No call here changes the namespace of the caller. Wherever a `struct lab_ns *` is taken, NULL
 * stands for the caller's own namespace.
 */
#pragma once

#include "util.h"

struct lab_ns;

/* Makes a namespace with its loopback up. 0 or -errno; *out is untouched on failure. */
int lab_ns_new(struct lab_ns **out);
void lab_ns_free(struct lab_ns *ns);

/* "/proc/PID/fd/N": other processes reach the namespace by it while this process lives. */
const char *lab_ns_path(const struct lab_ns *ns);

/* The descriptor that holds the namespace; it stays the property of ns. */
int lab_ns_fd(const struct lab_ns *ns);

/*
 * Runs fn(arg) inside ns, on a thread of its own that has all signals blocked, and waits for it.
 * Returns what fn returned, or -errno if it could not be run.
 */
int lab_ns_call(const struct lab_ns *ns, int (*fn)(void *), void *arg);

/* Writes value to /proc/sys/NAME inside ns; name is like "net/ipv4/ip_forward". */
int lab_ns_sysctl(const struct lab_ns *ns, const char *name, const char *value);

static inline void lab_ns_freep(struct lab_ns **ns)
{
	lab_ns_free(*ns);
}

#define lab_auto_ns lab_cleanup(lab_ns_freep)
