// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "pcap_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static double ns_of(const struct timeval *tv)
{
	return (double)tv->tv_sec * 1e9 + (double)tv->tv_usec * 1e3;
}

/* stdout goes to `out`; -1: nowhere. Returns the exit status or -errno. */
static int run(char *const argv[], int out, struct pcap_cost *cost)
{
	posix_spawn_file_actions_t actions;
	double begin = bench_now_ns();
	struct rusage usage;
	int rc, status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	else
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		return -rc;
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return -errno;
	cost->clock = bench_now_ns() - begin;
	cost->cpu = ns_of(&usage.ru_utime) + ns_of(&usage.ru_stime);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* The command that was built with this benchmark. */
static int find_command(char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return bench_error(-errno, "no link /proc/self/exe: %s", strerror(errno));
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	if (snprintf(path, size, "%s/../src/cli/unfrag", self) >= (int)size)
		return bench_error(-ENAMETOOLONG, "'%s' is too long a path", self);
	return 0;
}

int pcap_run_ours(const char *in, const char *out, const struct pcap_made *made,
		  struct pcap_cost *cost)
{
	char path[PATH_MAX];
	char *const argv[] = { path, (char *)"pcap", (char *)in, (char *)"-w", (char *)out, NULL };
	struct stat st;
	int rc = find_command(path, sizeof(path));

	if (rc)
		return rc;
	rc = run(argv, -1, cost);
	if (rc)
		return bench_error(rc < 0 ? rc : -EIO, "'%s pcap' ended with %d", path, rc);
	if (stat(out, &st) || (uint64_t)st.st_size != made->out)
		return bench_error(-EIO, "'%s' has not what it should have", out);
	return 0;
}

bool pcap_has_peer(void)
{
	char *const argv[] = { (char *)"tshark", (char *)"--version", NULL };
	struct pcap_cost cost;

	return !run(argv, -1, &cost);
}

/* Lines in a file: tshark prints one for each datagram that it put together. */
static uint64_t count_lines(int fd)
{
	uint64_t lines = 0;
	char buf[4096];
	ssize_t n, i;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++)
			lines += buf[i] == '\n';
	return lines;
}

int pcap_run_peer(const char *in, const struct pcap_made *made, struct pcap_cost *cost)
{
	char *const argv[] = {
		(char *)"tshark",
		(char *)"-n",
		(char *)"-r",
		(char *)in,
		(char *)"-Y",
		(char *)"ip.fragments || ipv6.fragments",
		(char *)"-T",
		(char *)"fields",
		(char *)"-e",
		(char *)"frame.number",
		NULL,
	};
	int fd = memfd_create("tshark", MFD_CLOEXEC), rc;
	uint64_t found;

	if (fd < 0)
		return bench_error(-errno, "memfd_create(2): %s", strerror(errno));
	rc = run(argv, fd, cost);
	found = count_lines(fd);
	close(fd);
	if (rc)
		return bench_error(rc < 0 ? rc : -EIO, "tshark ended with %d", rc);
	if (found != made->datagrams)
		return bench_error(-EIO, "tshark found %llu datagrams of %llu",
				   (unsigned long long)found, (unsigned long long)made->datagrams);
	return 0;
}
