// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What leads to a network namespace: a mount, a process in it, or a descriptor that some process
 * holds. Where nothing does, only a pinned link keeps it alive.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "netns.h"

static bool leads_to(const char *path, const struct netns_id *id)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == id->dev && st.st_ino == id->inode;
}

/* Up to the next blank; blanks and backslashes in a path are written as octal numbers. */
static void copy_mount_point(const char *at, char *path)
{
	unsigned int octal;
	size_t n;
	int used;

	for (n = 0; n < NETNS_PATH_MAX - 1 && *at && *at != ' '; n++) {
		if (sscanf(at, "\\%3o%n", &octal, &used) == 1 && used == 4) {
			path[n] = (char)octal;
			at += used;
		} else {
			path[n] = *at++;
		}
	}
	path[n] = '\0';
}

/* Anything mounted from nsfs: what "ip netns add" makes, and what container engines make. */
static bool find_mount(const struct netns_id *id, char *path)
{
	char line[4096], want[64], *at;
	bool found = false;
	FILE *f = fopen("/proc/thread-self/mountinfo", "re");

	if (!f)
		return false;
	snprintf(want, sizeof(want), " net:[%llu] ", (unsigned long long)id->inode);
	while (!found && fgets(line, sizeof(line), f)) {
		at = strstr(line, want);
		if (!at)
			continue;
		copy_mount_point(at + strlen(want), path);
		found = leads_to(path, id);
	}
	fclose(f);
	return found;
}

/* Calls fn for every process until it returns true. */
static bool each_process(bool (*fn)(const struct netns_id *id, const char *pid, char *path),
			 const struct netns_id *id, char *path)
{
	_cleanup_dir_ DIR *dir = opendir("/proc");
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && fn(id, e->d_name, path))
			return true;
	return false;
}

static bool process_is_in(const struct netns_id *id, const char *pid, char *path)
{
	snprintf(path, NETNS_PATH_MAX, "/proc/%.20s/ns/net", pid);
	return leads_to(path, id);
}

static bool process_holds(const struct netns_id *id, const char *pid, char *path)
{
	_cleanup_dir_ DIR *dir = NULL;
	char fds[64], want[64], target[64];
	struct dirent *e;
	ssize_t n;

	snprintf(want, sizeof(want), "net:[%llu]", (unsigned long long)id->inode);
	snprintf(fds, sizeof(fds), "/proc/%.20s/fd", pid);
	dir = opendir(fds);
	while (dir && (e = readdir(dir))) {
		n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		snprintf(path, NETNS_PATH_MAX, "%s/%.20s", fds, e->d_name);
		if (!strcmp(target, want) && leads_to(path, id))
			return true;
	}
	return false;
}

bool netns_find(const struct netns_id *id, char *path)
{
	snprintf(path, NETNS_PATH_MAX, NETNS_SELF);
	if (leads_to(path, id) || find_mount(id, path) || each_process(process_is_in, id, path) ||
	    each_process(process_holds, id, path))
		return true;
	path[0] = '\0';
	return false;
}

void netns_name(const char *path, char *buf, size_t size)
{
	int pid, end = 0;

	if (!strcmp(path, NETNS_SELF))
		snprintf(buf, size, "current");
	else if (!strncmp(path, NETNS_DIR, strlen(NETNS_DIR)))
		snprintf(buf, size, "%s", path + strlen(NETNS_DIR));
	else if (sscanf(path, "/proc/%d/ns/net%n", &pid, &end) == 1 && end && !path[end])
		snprintf(buf, size, "pid:%d", pid);
	else
		snprintf(buf, size, "%s", path);
}
