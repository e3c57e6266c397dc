// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all steps of the demo share. The output of a program is kept in a memory file and not in a
 * pipe: nobody has to read along for it to go on, and it can be read when all is over.
 */
#define _GNU_SOURCE
#include "demo_tool.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#define SLICE_MS 100

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

void demo_catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_signal };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool demo_interrupted(void)
{
	return interrupted;
}

static void __attribute__((format(printf, 2, 0)))
talk(const char *prefix, const char *fmt, va_list ap)
{
	fputs(prefix, stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void demo_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	talk("demo: ", fmt, ap);
	va_end(ap);
}

void demo_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	talk("demo: error: ", fmt, ap);
	va_end(ap);
}

int demo_tool_start(struct demo_tool *tool, const struct lab_ns *ns, const char *const argv[])
{
	lab_autoclose int fd = memfd_create("output", MFD_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return -errno;
	pid = lab_ns_spawn(ns, argv, fd);
	if (pid < 0)
		return pid;
	tool->pid = pid;
	tool->out_fd = LAB_TAKE_FD(fd);
	return 0;
}

static int wait_tool(const struct demo_tool *tool, int64_t deadline, bool may_give_up)
{
	for (;;) {
		int left = lab_ms_left(deadline);
		bool give_up = may_give_up && interrupted;
		int slice = give_up ? 0 : left < SLICE_MS ? left : SLICE_MS;
		int status = lab_child_wait(tool->pid, slice);

		if (status != -ETIMEDOUT)
			return status;
		if (give_up)
			return -EINTR;
		if (left == 0)
			return -ETIMEDOUT;
	}
}

int demo_tool_finish(struct demo_tool *tool, int64_t deadline, bool may_give_up, char *out,
		     size_t size)
{
	int status = wait_tool(tool, deadline, may_give_up);
	ssize_t n;

	if (status == -EINTR || status == -ETIMEDOUT)
		lab_child_kill(tool->pid);
	n = pread(tool->out_fd, out, size - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	close(tool->out_fd);
	tool->pid = 0;
	tool->out_fd = -1;
	return status;
}
