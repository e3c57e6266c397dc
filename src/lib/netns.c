// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "log.h"

#define NETNS_DIR  "/run/netns/"
#define NETNS_SELF "/proc/thread-self/ns/net"

static int open_path(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return -EINVAL;
	return TAKE_FD(fd);
}

/* A name under /run/netns wins over a process id, as with ip(8). */
static int open_named(const char *which)
{
	char path[512];
	int fd;

	if (snprintf(path, sizeof(path), NETNS_DIR "%s", which) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open_path(path);
	if (fd != -ENOENT || !which[0] || strspn(which, "0123456789") != strlen(which))
		return fd;
	snprintf(path, sizeof(path), "/proc/%s/ns/net", which);
	return open_path(path);
}

int netns_open(const char *which)
{
	int fd;

	if (!which)
		fd = open_path(NETNS_SELF);
	else if (strchr(which, '/'))
		fd = open_path(which);
	else
		fd = open_named(which);
	if (fd >= 0)
		return fd;
	if (!which)
		return log_error(fd, "the own network namespace can't be opened: %s",
				 strerror(-fd));
	if (fd == -ENOENT || fd == -ESRCH)
		return log_error(
			-ENOENT,
			"there is no network namespace '%s' (a name that 'ip netns' lists, "
			"a path or a process id)",
			which);
	if (fd == -EINVAL || fd == -ENOTTY)
		return log_error(-EINVAL, "'%s' is not a network namespace", which);
	return log_error(fd, "network namespace '%s' can't be opened: %s", which, strerror(-fd));
}

int netns_id(int fd, struct netns_id *id)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	id->dev = st.st_dev;
	id->inode = st.st_ino;
	return 0;
}

struct call {
	int fd;
	int (*fn)(void *arg);
	void *arg;
	int result;
};

static void *call_thread(void *arg)
{
	struct call *call = arg;

	if (call->fd == NETNS_NEW ? unshare(CLONE_NEWNET) : setns(call->fd, CLONE_NEWNET))
		call->result = -errno;
	else
		call->result = call->fn(call->arg);
	return NULL;
}

int netns_call(int fd, int (*fn)(void *arg), void *arg)
{
	struct call call = { .fd = fd, .fn = fn, .arg = arg };
	sigset_t all, old;
	pthread_t thread;
	int r;

	if (fd == NETNS_HERE)
		return fn(arg);
	sigfillset(&all);
	r = pthread_sigmask(SIG_SETMASK, &all, &old);
	if (r)
		return -r;
	r = pthread_create(&thread, NULL, call_thread, &call);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return -r;
	pthread_join(thread, NULL);
	return call.result;
}

static bool same(const char *path, const struct netns_id *id)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == id->dev && st.st_ino == id->inode;
}

/* Anything mounted from nsfs: what "ip netns add" makes, and what container engines make. */
static bool find_mount(const struct netns_id *id, char *buf, size_t size)
{
	char line[4096], want[64], *path, *end;
	bool found = false;
	FILE *f = fopen("/proc/thread-self/mountinfo", "re");

	if (!f)
		return false;
	snprintf(want, sizeof(want), " net:[%llu] ", (unsigned long long)id->inode);
	while (!found && fgets(line, sizeof(line), f)) {
		path = strstr(line, want);
		if (!path)
			continue;
		path += strlen(want);
		end = strchr(path, ' ');
		if (!end)
			continue;
		*end = '\0';
		if (!same(path, id))
			continue;
		found = true;
		if (!strncmp(path, NETNS_DIR, strlen(NETNS_DIR)))
			path += strlen(NETNS_DIR);
		snprintf(buf, size, "%s", path);
	}
	fclose(f);
	return found;
}

static bool find_process(const struct netns_id *id, char *buf, size_t size)
{
	_cleanup_dir_ DIR *dir = opendir("/proc");
	char path[64];
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/ns/net", e->d_name);
		if (!same(path, id))
			continue;
		snprintf(buf, size, "pid:%s", e->d_name);
		return true;
	}
	return false;
}

/* A descriptor of one process: a namespace can be kept by that alone. */
static bool find_fd(const char *pid, const char *want, char *buf, size_t size)
{
	char path[64], target[64];
	struct dirent *e;
	ssize_t n;
	_cleanup_dir_ DIR *dir = NULL;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, want))
			continue;
		snprintf(buf, size, "%s/%.20s", path, e->d_name);
		return true;
	}
	return false;
}

static bool find_descriptor(const struct netns_id *id, char *buf, size_t size)
{
	_cleanup_dir_ DIR *dir = opendir("/proc");
	char want[64];
	struct dirent *e;

	snprintf(want, sizeof(want), "net:[%llu]", (unsigned long long)id->inode);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
		    find_fd(e->d_name, want, buf, size))
			return true;
	return false;
}

bool netns_find(const struct netns_id *id, char *buf, size_t size)
{
	snprintf(buf, size, "%s", "");
	if (same(NETNS_SELF, id)) {
		snprintf(buf, size, "current");
		return true;
	}
	return find_mount(id, buf, size) || find_process(id, buf, size) ||
	       find_descriptor(id, buf, size);
}

int unfrag_netns_inode(const char *netns, uint64_t *inode)
{
	_cleanup_close_ int fd = netns_open(netns);
	struct netns_id id = { 0 };
	int r = fd < 0 ? fd : netns_id(fd, &id);

	if (!r)
		*inode = id.inode;
	return r;
}
