// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Network namespaces without a name.
 *
 * Linux keeps the namespace per thread, so everything that must happen inside one happens on a
 * short-lived thread: it unshares or enters, does its work, and ends. The caller, who may be a
 * test with threads of its own, never moves. Signals stay blocked on that thread so that a
 * handler of the caller never runs inside the wrong namespace.
 *
 * Processes inside a namespace are the matter of child.c.
 */
#define _GNU_SOURCE
#include "ns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct lab_ns {
	int fd;
	char path[48];
};

struct call {
	int ns_fd;
	int (*fn)(void *arg);
	void *arg;
	int result;
};

static void *call_thread(void *arg)
{
	struct call *call = arg;

	if (call->ns_fd >= 0 && setns(call->ns_fd, CLONE_NEWNET) < 0)
		call->result = -errno;
	else
		call->result = call->fn(call->arg);
	return NULL;
}

static int call_on_thread(int ns_fd, int (*fn)(void *), void *arg)
{
	struct call call = { .ns_fd = ns_fd, .fn = fn, .arg = arg };
	sigset_t all, before;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, call_thread, &call);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return -err;
	pthread_join(thread, NULL);
	return call.result;
}

static int loopback_up(void)
{
	struct ifreq req = { .ifr_name = "lo" };
	lab_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		return -errno;
	req.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return -errno;
	return 0;
}

/* Runs on a thread of its own; leaves the descriptor of a new namespace in *arg. */
static int make_namespace(void *arg)
{
	lab_autoclose int fd = -1;
	int err;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = loopback_up();
	if (err)
		return err;
	*(int *)arg = LAB_TAKE_FD(fd);
	return 0;
}

int lab_ns_new(struct lab_ns **out)
{
	lab_autofree struct lab_ns *ns = calloc(1, sizeof(*ns));
	int err;

	if (!ns)
		return -ENOMEM;
	err = call_on_thread(-1, make_namespace, &ns->fd);
	if (err)
		return err;
	snprintf(ns->path, sizeof(ns->path), "/proc/%d/fd/%d", (int)getpid(), ns->fd);
	*out = LAB_TAKE_PTR(ns);
	return 0;
}

void lab_ns_free(struct lab_ns *ns)
{
	if (!ns)
		return;
	close(ns->fd);
	free(ns);
}

const char *lab_ns_path(const struct lab_ns *ns)
{
	return ns ? ns->path : "/proc/self/ns/net";
}

int lab_ns_fd(const struct lab_ns *ns)
{
	return ns ? ns->fd : -1;
}

int lab_ns_call(const struct lab_ns *ns, int (*fn)(void *), void *arg)
{
	return call_on_thread(lab_ns_fd(ns), fn, arg);
}

struct sysctl_write {
	const char *name;
	const char *value;
};

static int write_sysctl(void *arg)
{
	const struct sysctl_write *req = arg;
	lab_autoclose int fd = -1;
	char path[128];
	int n;

	n = snprintf(path, sizeof(path), "/proc/sys/%s", req->name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, req->value, strlen(req->value)) < 0)
		return -errno;
	return 0;
}

int lab_ns_sysctl(const struct lab_ns *ns, const char *name, const char *value)
{
	struct sysctl_write req = { .name = name, .value = value };

	return lab_ns_call(ns, write_sysctl, &req);
}
