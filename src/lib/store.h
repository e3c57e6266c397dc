/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A directory of pins: where one attachment or hold lives in the BPF file system.
 *
 * Making the directory is the claim on the name; an flock(2) on it, gone with its process however
 * that ends, is the right to change it. A directory that nobody has locked and that is not whole
 * was cut short.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bpffs.h"

#define STORE_PATH_MAX    (BPFFS_PATH_MAX + 256)
#define STORE_ATTACHMENTS "unfrag"
#define STORE_LINK_PREFIX "link-"
#define STORE_HOLDS       "unfrag/_defrag" /* no attachment can have this name */

struct store {
	int base_fd; /* the directory it is in */
	int fd;
	bool is_held; /* locked beyond what store_lock() and store_unlock() stand around */
	char path[STORE_PATH_MAX];
};

#define STORE_INIT \
	{ \
		.base_fd = -1, .fd = -1 \
	}
#define _cleanup_store_ _cleanup_(store_release)

/* Claims base/name and locks it. -EEXIST: the name is in use. Logs any other error. */
int store_create(struct store *out, const char *base, const char *name);

/* Opens it without locking. -ENOENT. */
int store_open(struct store *out, const char *base, const char *name);

/* The right to change it: -EBUSY while another has it, -ENOENT when it is gone meanwhile. */
int store_lock(struct store *s);
void store_unlock(struct store *s);

/* The same right until store_let_go(): whoever locks by this store meanwhile has it. */
int store_hold(struct store *s);
void store_let_go(struct store *s);

/*
 * The right to see it at rest, to be given back with store_unlock(). -EBUSY while a process changes
 * it, -ENOENT when it is gone.
 */
int store_look(struct store *s);

void store_release(struct store *s);

/* Names below may have one slash. -EBADF: what has that name is no pin. */
int store_pin(const struct store *s, int bpf_fd, const char *name);
int store_get(const struct store *s, const char *name);
int store_mkdir(const struct store *s, const char *name);

/* Points the symbolic link `name` to `target`, in one step if it exists. */
int store_point(const struct store *s, const char *name, const char *target);

/* Removes an entry, with all that is in it if it is a directory. Missing is fine. */
int store_remove(const struct store *s, const char *name);

/* Takes away a pinned link at once, and its pin. */
int store_detach_link(const struct store *s, const char *name);

/* Detaches every pinned link: the first half of the next one. */
int store_detach_links(struct store *s);

/* Detaches every pinned link first, then removes all and the directory itself. */
int store_destroy(struct store *s);

/* Calls fn for every entry of base, sorted, until it returns other than 0. */
int store_each(const char *base, int (*fn)(const char *name, void *arg), void *arg);

/* Calls fn for every entry of the store whose name starts with prefix. */
int store_entries(const struct store *s, const char *prefix,
		  int (*fn)(const struct store *s, const char *name, void *arg), void *arg);
