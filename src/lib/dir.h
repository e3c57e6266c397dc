/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Directories of the BPF file system, opened one step at a time and never through a symbolic link:
 * a file system that anybody may write to must not lead us to directories that others made.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Opens the directory `name` below `parent`. -ENOENT; -ENOTDIR or -ELOOP when it is something else;
 * -EPERM, logged, when it is not on a BPF file system or others than root and we may change it.
 */
int dir_open(int parent, const char *name);

/* The same for each part of a path such as "a/b", made with mode 0700 where missing if `make`. */
int dir_open_path(int parent, const char *path, bool make);

/* flock(2), LOCK_EX or LOCK_SH, for who holds it only for moments: -EBUSY after half a second. */
int dir_lock(int fd, int how);

struct dir_names {
	char **names; /* sorted, without "." and ".." */
	size_t count;
};

#define _cleanup_names_ _cleanup_(dir_names_release)

/* Names are read before any is worked on: entries may go meanwhile. */
int dir_list(int fd, struct dir_names *out);
void dir_names_release(struct dir_names *n);

/* Removes an entry, with what is in it down to `depth` more levels. Missing is fine. */
int dir_remove(int parent, const char *name, int depth);
