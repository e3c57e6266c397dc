// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "store.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

#define LINK_PREFIX "link-"

static int join(char *out, size_t size, const char *dir, const char *name)
{
	return snprintf(out, size, "%s/%s", dir, name) < (int)size ? 0 : -ENAMETOOLONG;
}

static int store_path(const char *root, const char *base, const char *name, char *out)
{
	char dir[STORE_PATH_MAX];
	int r = join(dir, sizeof(dir), root, base);

	return r ? r : join(out, STORE_PATH_MAX, dir, name);
}

/* "unfrag", or "unfrag" and "unfrag/_defrag": one mkdir(2) for every part. */
static int make_base(const char *root, const char *base)
{
	char path[STORE_PATH_MAX];
	const char *part;
	int r;

	for (part = base; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (snprintf(path, sizeof(path), "%s/%.*s", root,
			     (int)(part - base + (long)strcspn(part, "/")),
			     base) >= (int)sizeof(path))
			return -ENAMETOOLONG;
		if (mkdir(path, 0700) && errno != EEXIST) {
			r = -errno;
			return log_error(r, "directory '%s' can't be made: %s", path, strerror(-r));
		}
	}
	return 0;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int store_create(struct store *out, const char *base, const char *name)
{
	_cleanup_store_ struct store s = STORE_INIT;
	char root[BPFFS_PATH_MAX];
	int r = bpffs_ensure(root, sizeof(root));

	if (!r)
		r = make_base(root, base);
	if (!r)
		r = store_path(root, base, name, s.path);
	if (r)
		return r;
	if (mkdir(s.path, 0700))
		return -errno;
	s.fd = open_dir(s.path);
	r = s.fd < 0 ? s.fd : store_lock(&s);
	if (r) {
		rmdir(s.path);
		return r;
	}
	*out = s;
	s.fd = -1;
	return 0;
}

int store_open(struct store *out, const char *base, const char *name)
{
	char root[BPFFS_PATH_MAX];
	struct store s = STORE_INIT;
	int r = bpffs_find(root, sizeof(root));

	if (!r)
		r = store_path(root, base, name, s.path);
	if (r)
		return r;
	s.fd = open_dir(s.path);
	if (s.fd < 0)
		return s.fd == -ENOTDIR ? -ENOENT : s.fd;
	*out = s;
	return 0;
}

/* A reader that asks store_is_locked_elsewhere() holds the lock for a moment: outlast it. */
static int lock_patiently(int fd)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	int tries;

	for (tries = 0; tries < 25; tries++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

int store_lock(struct store *s)
{
	struct stat st;
	int r = lock_patiently(s->fd);

	if (r)
		return r;
	if (fstat(s->fd, &st))
		return -errno;
	if (!st.st_nlink) {
		store_unlock(s);
		return -ENOENT;
	}
	return 0;
}

void store_unlock(struct store *s)
{
	flock(s->fd, LOCK_UN);
}

bool store_is_locked_elsewhere(struct store *s)
{
	if (flock(s->fd, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK;
	store_unlock(s);
	return false;
}

void store_release(struct store *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int store_pin(const struct store *s, int bpf_fd, const char *name)
{
	char path[STORE_PATH_MAX];
	int r = join(path, sizeof(path), s->path, name);

	if (!r && bpf_obj_pin(bpf_fd, path))
		r = -errno;
	if (r)
		return log_error(r, "'%s/%s' can't be pinned: %s", s->path, name, strerror(-r));
	return 0;
}

int store_get(const struct store *s, const char *name)
{
	char path[STORE_PATH_MAX];
	int r = join(path, sizeof(path), s->path, name);

	return r ? r : bpf_obj_get(path);
}

int store_mkdir(const struct store *s, const char *name)
{
	int r;

	if (!mkdirat(s->fd, name, 0700))
		return 0;
	r = -errno;
	return log_error(r, "directory '%s/%s' can't be made: %s", s->path, name, strerror(-r));
}

bool store_has(const struct store *s, const char *name)
{
	return !faccessat(s->fd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

int store_point(const struct store *s, const char *name, const char *target)
{
	char temp[256];
	int r = snprintf(temp, sizeof(temp), "new-%s", name) < (int)sizeof(temp) ? 0 :
										   -ENAMETOOLONG;

	if (!r && unlinkat(s->fd, temp, 0) && errno != ENOENT)
		r = -errno;
	if (!r && symlinkat(target, s->fd, temp))
		r = -errno;
	if (!r && renameat(s->fd, temp, s->fd, name))
		r = -errno;
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
	while (n)
		free(names[--n]);
	free(names);
}

static int add_name(char ***names, size_t *n, const char *name)
{
	char **grown = reallocarray(*names, *n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*names = grown;
	grown[*n] = strdup(name);
	if (!grown[*n])
		return -ENOMEM;
	++*n;
	return 0;
}

/* Names are read before any is worked on: entries may go meanwhile. */
static int list_dir(int parent, const char *name, char ***out, size_t *count)
{
	_cleanup_dir_ DIR *dir = NULL;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char **names = NULL;
	struct dirent *e;
	size_t n = 0;
	int r = 0;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while (!r && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = add_name(&names, &n, e->d_name);
	if (r) {
		free_names(names, n);
		return r;
	}
	if (n)
		qsort(names, n, sizeof(*names), compare);
	*out = names;
	*count = n;
	return 0;
}

static int remove_at(int parent, const char *name, int depth)
{
	char **names;
	size_t n, i;
	int fd, r = 0;

	if (!unlinkat(parent, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (depth && !list_dir(parent, name, &names, &n)) {
		for (i = 0; i < n && !r; i++)
			r = remove_at(fd, names[i], depth - 1);
		free_names(names, n);
	}
	close(fd);
	if (!r && unlinkat(parent, name, AT_REMOVEDIR))
		r = -errno;
	return r;
}

int store_remove(const struct store *s, const char *name)
{
	return remove_at(s->fd, name, 2);
}

static int detach_link(const struct store *s, const char *name, void *arg)
{
	_cleanup_close_ int fd = store_get(s, name);
	int r = fd < 0 ? fd : bpf_link_detach(fd);

	(void)arg;
	if (r < 0)
		log_at(UNFRAG_LOG_DEBUG, "'%s/%s' can't be detached: %s", s->path, name,
		       strerror(-r));
	return store_remove(s, name);
}

int store_destroy(struct store *s)
{
	int r = store_entries(s, LINK_PREFIX, detach_link, NULL);

	if (!r)
		r = remove_at(AT_FDCWD, s->path, 3);
	if (r)
		return log_error(r, "'%s' can't be removed: %s", s->path, strerror(-r));
	return 0;
}

int store_entries(const struct store *s, const char *prefix,
		  int (*fn)(const struct store *s, const char *name, void *arg), void *arg)
{
	char **names = NULL;
	size_t n = 0, i;
	int r = list_dir(s->fd, ".", &names, &n);

	if (r)
		return r;
	for (i = 0; i < n && !r; i++)
		if (!strncmp(names[i], prefix, strlen(prefix)))
			r = fn(s, names[i], arg);
	free_names(names, n);
	return r;
}

int store_each(const char *base, int (*fn)(const char *name, void *arg), void *arg)
{
	char root[BPFFS_PATH_MAX], path[STORE_PATH_MAX];
	char **names = NULL;
	size_t n = 0, i;
	int r = bpffs_find(root, sizeof(root));

	if (!r)
		r = join(path, sizeof(path), root, base);
	if (!r)
		r = list_dir(AT_FDCWD, path, &names, &n);
	if (r)
		return r == -ENOENT ? 0 : r;
	for (i = 0; i < n && !r; i++)
		if (names[i][0] != '_')
			r = fn(names[i], arg);
	free_names(names, n);
	return r;
}
