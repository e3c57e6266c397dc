// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "store.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "dir.h"
#include "front.h"
#include "log.h"
#include "names.h"

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

/* The directory that stores of one kind are in, and the path of one of them. */
static int open_base(const char *root, const char *base, const char *name, bool make, char *path)
{
	_cleanup_close_ int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = root_fd < 0 ? -errno : 0;

	if (r)
		return log_error(r, "'%s' can't be opened: %s", root, strerror(-r));
	r = store_path(root, base, name, path);
	return r ? r : dir_open_path(root_fd, base, make);
}

static int still_there(struct store *s)
{
	struct stat st;
	int r = fstat(s->fd, &st) ? -errno : 0;

	if (!r && !st.st_nlink)
		r = -ENOENT;
	if (r)
		store_unlock(s);
	return r;
}

/*
 * Made and locked in one step, as others see it: both are done under the lock of the directory that
 * it is in, which those pass through who want to lock or look.
 */
static int make_locked(struct store *s, const char *name)
{
	int r = dir_lock(s->base_fd, LOCK_EX);

	if (!r && mkdirat(s->base_fd, name, 0700))
		r = -errno;
	if (r)
		return r;
	s->fd = dir_open(s->base_fd, name);
	r = s->fd < 0 ? s->fd : dir_lock(s->fd, LOCK_EX);
	if (r)
		unlinkat(s->base_fd, name, AT_REMOVEDIR);
	return r;
}

static int pass_through(const struct store *s)
{
	int r = dir_lock(s->base_fd, LOCK_SH);

	flock(s->base_fd, LOCK_UN);
	return r;
}

int store_create(struct store *out, const char *base, const char *name)
{
	_cleanup_store_ struct store s = STORE_INIT;
	char root[BPFFS_PATH_MAX];
	int r = bpffs_ensure(root, sizeof(root));

	if (r)
		return r;
	s.base_fd = open_base(root, base, name, true, s.path);
	if (s.base_fd < 0)
		return s.base_fd;
	r = make_locked(&s, name);
	flock(s.base_fd, LOCK_UN);
	if (r)
		return r == -EEXIST ? r :
				      log_error(r, "directory '%s' can't be made: %s", s.path,
						strerror(-r));
	*out = s;
	s = (struct store)STORE_INIT;
	return 0;
}

int store_open(struct store *out, const char *base, const char *name)
{
	_cleanup_store_ struct store s = STORE_INIT;
	char root[BPFFS_PATH_MAX];
	int r = bpffs_find(root, sizeof(root));

	if (r)
		return r;
	s.base_fd = open_base(root, base, name, false, s.path);
	if (s.base_fd < 0)
		return s.base_fd;
	s.fd = dir_open(s.base_fd, name);
	if (s.fd < 0)
		return s.fd == -ENOTDIR || s.fd == -ELOOP ? -ENOENT : s.fd;
	*out = s;
	s = (struct store)STORE_INIT;
	return 0;
}

int store_lock(struct store *s)
{
	int r = s->is_held ? still_there(s) : pass_through(s);

	if (s->is_held)
		return r;
	if (!r)
		r = dir_lock(s->fd, LOCK_EX);
	return r ? r : still_there(s);
}

void store_unlock(struct store *s)
{
	if (!s->is_held)
		flock(s->fd, LOCK_UN);
}

int store_hold(struct store *s)
{
	int r = s->is_held ? -EDEADLK : store_lock(s);

	if (!r)
		s->is_held = true;
	return r;
}

void store_let_go(struct store *s)
{
	s->is_held = false;
	store_unlock(s);
}

int store_look(struct store *s)
{
	int r = s->is_held ? 0 : pass_through(s);

	if (!s->is_held && !r && flock(s->fd, LOCK_SH | LOCK_NB))
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	return r ? r : still_there(s);
}

void store_release(struct store *s)
{
	close_p(&s->fd);
	close_p(&s->base_fd);
	*s = (struct store)STORE_INIT;
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

	if (!r)
		r = bpf_obj_get(path);
	return r == -EACCES ? -EBADF : r;
}

int store_mkdir(const struct store *s, const char *name)
{
	int r;

	if (!mkdirat(s->fd, name, 0700))
		return 0;
	r = -errno;
	return log_error(r, "directory '%s/%s' can't be made: %s", s->path, name, strerror(-r));
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

int store_remove(const struct store *s, const char *name)
{
	return dir_remove(s->fd, name, 2);
}

/*
 * The pin goes first: cut short after that, the link ends with this process, and what is left tells
 * that it is not whole. A pin of a link that was detached would look like that of a live one.
 */
int store_detach_link(const struct store *s, const char *name)
{
	_cleanup_close_ int fd = store_get(s, name);
	int r = store_remove(s, name);

	if (r)
		return r;
	/* At once: what close(2) starts is done later, by a worker. */
	r = fd < 0 ? fd : bpf_link_detach(fd);
	if (r < 0)
		log_at(UNFRAG_LOG_DEBUG, "'%s/%s' can't be detached: %s", s->path, name,
		       strerror(-r));
	return 0;
}

static int detach_link(const struct store *s, const char *name, void *arg)
{
	(void)arg;
	return store_detach_link(s, name);
}

int store_detach_links(struct store *s)
{
	return store_entries(s, STORE_LINK_PREFIX, detach_link, NULL);
}

int store_destroy(struct store *s)
{
	int r = store_detach_links(s);

	/* Packets may still be inside; the slot that they are about to use must outlast them. */
	front_settle();
	if (!r)
		r = dir_remove(s->base_fd, strrchr(s->path, '/') + 1, 3);
	if (r)
		return log_error(r, "'%s' can't be removed: %s", s->path, strerror(-r));
	return 0;
}

int store_entries(const struct store *s, const char *prefix,
		  int (*fn)(const struct store *s, const char *name, void *arg), void *arg)
{
	_cleanup_names_ struct dir_names n = { 0 };
	int r = dir_list(s->fd, &n);
	size_t i;

	for (i = 0; i < n.count && !r; i++)
		if (!strncmp(n.names[i], prefix, strlen(prefix)))
			r = fn(s, n.names[i], arg);
	return r;
}

int store_each(const char *base, int (*fn)(const char *name, void *arg), void *arg)
{
	_cleanup_names_ struct dir_names n = { 0 };
	char root[BPFFS_PATH_MAX], path[STORE_PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r = bpffs_find(root, sizeof(root));
	size_t i;

	fd = r ? r : open_base(root, base, "", false, path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = dir_list(fd, &n);
	/* What can't be a name of ours is none of ours. */
	for (i = 0; i < n.count && !r; i++)
		if (name_valid(n.names[i]))
			r = fn(n.names[i], arg);
	return r;
}
