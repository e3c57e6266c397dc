// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "netns.h"

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

int netns_open_path(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

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
	fd = netns_open_path(path);
	if (fd != -ENOENT || !which[0] || strspn(which, "0123456789") != strlen(which))
		return fd;
	snprintf(path, sizeof(path), "/proc/%s/ns/net", which);
	return netns_open_path(path);
}

int netns_open(const char *which)
{
	int fd;

	if (!which)
		fd = netns_open_path(NETNS_SELF);
	else if (strchr(which, '/'))
		fd = netns_open_path(which);
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

int unfrag_netns_inode(const char *netns, uint64_t *inode)
{
	_cleanup_close_ int fd = netns_open(netns);
	struct netns_id id = { 0 };
	int r = fd < 0 ? fd : netns_id(fd, &id);

	if (!r)
		*inode = id.inode;
	return r;
}
