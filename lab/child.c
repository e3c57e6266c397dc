// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Child processes inside a namespace of the lab.
 *
 * One function forks: it enters the namespace in the child, asks the kernel to kill the child
 * with its parent, and reports a failure between fork and exec through a close-on-exec pipe, so
 * that "no such program" is an errno of the call and not an exit status to be guessed at. All
 * waiting is on a pidfd or a pipe with a deadline. Every child leads a process group of its own,
 * so that a Ctrl-C is the parent's to handle, and stopping a shell stops what it started.
 */
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STOP_DEADLINE_MS 2000
#define COMMAND_MAX      8192
#define SHOWN_MAX        16384

struct spawn {
	int ns_fd;
	const char *const *argv;
	int out_fd;    /* stdout of the child; -1: /dev/null */
	int err_fd;    /* stderr of the child; -1: as stdout */
	int report_fd; /* close-on-exec, takes an errno */
	pid_t parent;
};

/* Between fork and exec: async-signal-safe calls only. */
static int child_setup(const struct spawn *sp)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out = sp->out_fd >= 0 ? sp->out_fd : null;
	sigset_t none;

	if (null < 0)
		return -errno;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (getppid() != sp->parent)
		return -ESRCH;
	if (setpgid(0, 0) < 0)
		return -errno;
	if (sp->ns_fd >= 0 && setns(sp->ns_fd, CLONE_NEWNET) < 0)
		return -errno;
	if (dup2(null, STDIN_FILENO) < 0)
		return -errno;
	if (sp->err_fd != STDERR_FILENO &&
	    dup2(sp->err_fd >= 0 ? sp->err_fd : out, STDERR_FILENO) < 0)
		return -errno;
	if (dup2(out, STDOUT_FILENO) < 0)
		return -errno;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

static void __attribute__((noreturn)) child_main(const struct spawn *sp)
{
	int err = child_setup(sp);

	if (!err) {
		execvp(sp->argv[0], (char *const *)sp->argv);
		err = -errno;
	}
	if (write(sp->report_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

static pid_t spawn(struct spawn *sp)
{
	lab_autoclose int read_end = -1;
	int ends[2], err = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_end = ends[0];
	sp->report_fd = ends[1];
	sp->parent = getpid();
	pid = fork();
	if (pid == 0)
		child_main(sp);
	if (pid < 0)
		err = -errno;
	close(ends[1]);
	if (err)
		return err;
	do
		n = read(read_end, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return pid;
	waitpid(pid, NULL, 0);
	return n == sizeof(err) ? err : -EIO;
}

pid_t lab_ns_spawn(const struct lab_ns *ns, const char *const argv[], int out_fd)
{
	struct spawn sp = {
		.ns_fd = lab_ns_fd(ns),
		.argv = argv,
		.out_fd = out_fd,
		.err_fd = -1,
	};

	return spawn(&sp);
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int lab_child_wait(pid_t pid, int ms)
{
	struct pollfd pfd = { .events = POLLIN };
	int64_t deadline = lab_now_ms() + ms;
	lab_autoclose int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int status, n;

	if (fd < 0)
		return -errno;
	pfd.fd = fd;
	do
		n = poll(&pfd, 1, lab_ms_left(deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return exit_status(status);
}

int lab_child_kill(pid_t pid)
{
	if (pid <= 0)
		return 0;
	kill(-pid, SIGKILL);
	return lab_child_wait(pid, STOP_DEADLINE_MS);
}

int lab_child_stop(pid_t pid)
{
	int status;

	if (pid <= 0)
		return 0;
	kill(-pid, SIGTERM);
	status = lab_child_wait(pid, STOP_DEADLINE_MS);
	return status == -ETIMEDOUT ? lab_child_kill(pid) : status;
}

/* Reads to the end of the pipe; what does not fit in buf is read and dropped. */
static int drain(int fd, char *buf, size_t size, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char rest[1024];
	size_t used = 0;
	ssize_t n;

	for (;;) {
		bool full = used + 1 >= size;

		n = poll(&pfd, 1, lab_ms_left(deadline));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ETIMEDOUT;
		n = read(fd, full ? rest : buf + used, full ? sizeof(rest) : size - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!full)
			used += (size_t)n;
		buf[used] = '\0';
		if (n == 0)
			return 0;
	}
}

static int run_shell(const struct lab_ns *ns, const char *command, char *buf, size_t size,
		     int err_fd)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	struct spawn sp = { .ns_fd = lab_ns_fd(ns), .argv = argv, .err_fd = err_fd };
	int64_t deadline = lab_now_ms() + LAB_RUN_DEADLINE_MS;
	lab_autoclose int read_end = -1;
	int ends[2], err;
	pid_t pid;

	if (!size)
		return -EINVAL;
	buf[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_end = ends[0];
	sp.out_fd = ends[1];
	pid = spawn(&sp);
	close(ends[1]);
	if (pid < 0)
		return pid;
	err = drain(read_end, buf, size, deadline);
	if (!err)
		err = lab_child_wait(pid, lab_ms_left(deadline));
	if (err == -ETIMEDOUT)
		lab_child_stop(pid);
	return err;
}

static int __attribute__((format(printf, 3, 0)))
format_command(char *command, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(command, size, fmt, ap);

	return n >= 0 && (size_t)n < size ? 0 : -E2BIG;
}

int lab_ns_run(const struct lab_ns *ns, const char *fmt, ...)
{
	char command[COMMAND_MAX], shown[SHOWN_MAX];
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = format_command(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (err)
		return err;
	err = run_shell(ns, command, shown, sizeof(shown), -1);
	if (err < 0)
		fprintf(stderr, "lab: '%s': %s\n%s", command, strerror(-err), shown);
	else if (err)
		fprintf(stderr, "lab: '%s': exit status %d\n%s", command, err, shown);
	return err;
}

int lab_ns_output(const struct lab_ns *ns, char *buf, size_t size, const char *fmt, ...)
{
	char command[COMMAND_MAX];
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = format_command(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (err)
		return err;
	return run_shell(ns, command, buf, size, STDERR_FILENO);
}
