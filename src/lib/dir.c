// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

#define LOCK_TRIES 250 /* of 2 ms */
#define OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int check_trust(int fd, const char *name)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return -errno;
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		return log_error(-EPERM, "directory '%s' is not on a BPF file system", name);
	if ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & 022)
		return log_error(-EPERM,
				 "directory '%s' in the BPF file system can be changed by others "
				 "(owner %u, mode %03o); remove it, and mount the file system with "
				 "mode=0700",
				 name, st.st_uid, st.st_mode & 0777);
	return 0;
}

int dir_open(int parent, const char *name)
{
	_cleanup_close_ int fd = openat(parent, name, OPEN_FLAGS);
	int r = fd < 0 ? -errno : check_trust(fd, name);

	return r ? r : TAKE_FD(fd);
}

static int make(int parent, const char *name)
{
	int r;

	if (!mkdirat(parent, name, 0700) || errno == EEXIST)
		return 0;
	r = -errno;
	return log_error(r, "directory '%s' can't be made in the BPF file system: %s", name,
			 strerror(-r));
}

int dir_open_path(int parent, const char *path, bool make_it)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int fd = -1;
	char *part, *rest = copy;
	int next, r;

	if (!copy)
		return -ENOMEM;
	while ((part = strsep(&rest, "/"))) {
		r = make_it ? make(fd < 0 ? parent : fd, part) : 0;
		if (r)
			return r;
		next = dir_open(fd < 0 ? parent : fd, part);
		if (next < 0 && make_it && next != -EPERM)
			next = log_error(
				next, "directory '%s' in the BPF file system can't be opened: %s",
				part, strerror(-next));
		if (next < 0)
			return next;
		close_p(&fd);
		fd = next;
	}
	return TAKE_FD(fd);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int dir_lock(int fd, int how)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	int tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (!flock(fd, how | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

void dir_names_release(struct dir_names *n)
{
	while (n->count)
		free(n->names[--n->count]);
	free(n->names);
}

static int add_name(struct dir_names *n, const char *name)
{
	char **grown = reallocarray(n->names, n->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	n->names = grown;
	grown[n->count] = strdup(name);
	if (!grown[n->count])
		return -ENOMEM;
	n->count++;
	return 0;
}

int dir_list(int fd, struct dir_names *out)
{
	_cleanup_names_ struct dir_names n = { 0 };
	_cleanup_close_ int copy = openat(fd, ".", OPEN_FLAGS);
	_cleanup_dir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return -errno;
	copy = -1; /* closedir's */
	while (!r && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = add_name(&n, e->d_name);
	if (r)
		return r;
	if (n.count)
		qsort(n.names, n.count, sizeof(*n.names), compare);
	*out = n;
	n = (struct dir_names){ 0 };
	return 0;
}

static int remove_all(int fd, int depth)
{
	_cleanup_names_ struct dir_names n = { 0 };
	int r = dir_list(fd, &n);
	size_t i;

	for (i = 0; i < n.count && !r; i++)
		r = dir_remove(fd, n.names[i], depth);
	return r;
}

int dir_remove(int parent, const char *name, int depth)
{
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (!unlinkat(parent, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	/* An empty one goes without a descriptor, of which there may be none left. */
	if (!unlinkat(parent, name, AT_REMOVEDIR))
		return 0;
	fd = dir_open(parent, name);
	if (fd < 0)
		return fd;
	if (depth)
		r = remove_all(fd, depth - 1);
	if (!r && unlinkat(parent, name, AT_REMOVEDIR))
		r = -errno;
	return r;
}
