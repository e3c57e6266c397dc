/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Network namespaces: found by name, entered by a thread of our own, and named again from what is
 * known of them. The kernel takes the namespace of a link from the calling thread, so a call into
 * another one is made on a thread that lives just for it: the caller's never moves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Identity of a namespace, as fstat(2) of its file gives it. */
struct netns_id {
	uint64_t dev;
	uint64_t inode;
};

/*
 * Opens a namespace: NULL is the caller's, then a name under /run/netns, a path (with a slash), a
 * process id. Returns a file descriptor, or a negative errno with the error logged.
 */
int netns_open(const char *which);

int netns_id(int fd, struct netns_id *id);

#define NETNS_HERE (-1) /* the caller's: no thread, no privilege */
#define NETNS_NEW  (-2) /* a new, empty one that ends with the call */

/*
 * Runs fn inside a namespace, on a thread that lives just for it, and returns what fn returned, or
 * a negative errno when the namespace could not be entered. fd: the namespace, or one of the two
 * above.
 */
int netns_call(int fd, int (*fn)(void *arg), void *arg);

/* The same without words: an open namespace, or a negative errno. */
int netns_open_path(const char *path);

#define NETNS_DIR      "/run/netns/"
#define NETNS_SELF     "/proc/thread-self/ns/net"
#define NETNS_PATH_MAX 256

/*
 * Finds a path of NETNS_PATH_MAX bytes that leads to a namespace; NETNS_SELF if it is the caller's.
 * False, and an empty path, when no process and no name leads to it any more.
 */
bool netns_find(const struct netns_id *id, char *path);

/* What people call it, from that path: "current", a name, "pid:N", or the path itself. */
void netns_name(const char *path, char *buf, size_t size);
