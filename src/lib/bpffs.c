// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "bpffs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cleanup.h"
#include "dir.h"
#include "log.h"

#define BPFFS_DEFAULT "/sys/fs/bpf"
static bool is_bpffs(const char *path)
{
	struct statfs st;

	return !statfs(path, &st) && (unsigned long)st.f_type == BPF_FS_MAGIC;
}

static bool mounts_differ(int pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	return !stat("/proc/self/ns/mnt", &own) && !stat(path, &other) &&
	       own.st_ino != other.st_ino;
}

static int parent_of(int pid)
{
	char path[64];
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = 0;
	fclose(f);
	return parent;
}

/*
 * "ip netns exec" runs its command in a mount namespace of its own, where /sys is covered and a new
 * mount would end with the command, and the pins with it. A process outside: process 1, or where
 * that can't be seen, the nearest ancestor. 0: there is none, this is the outside.
 */
static int outside(void)
{
	int pid;

	if (!access("/proc/1/ns/mnt", F_OK))
		return mounts_differ(1) ? 1 : 0;
	for (pid = getppid(); pid > 1; pid = parent_of(pid))
		if (mounts_differ(pid))
			return pid;
	return 0;
}

int bpffs_find(char *path, size_t size)
{
	const char *asked = secure_getenv("UNFRAG_BPFFS");
	int pid;

	if (snprintf(path, size, "%s", asked ? asked : BPFFS_DEFAULT) >= (int)size)
		return -ENAMETOOLONG;
	if (is_bpffs(path))
		return 0;
	if (asked)
		return log_error(-ENOTDIR, "UNFRAG_BPFFS is '%s', which is no BPF file system",
				 asked);
	pid = outside();
	if (!pid)
		return -ENOENT;
	snprintf(path, size, "/proc/%d/root" BPFFS_DEFAULT, pid);
	return is_bpffs(path) ? 0 : -ENOENT;
}

/*
 * A second one, mounted by who looked at the same moment, would hide the first and what is pinned
 * there. So the directory that it is mounted on is locked, for at most half a second.
 */
static int lock_mount_point(void)
{
	_cleanup_close_ int fd = open(BPFFS_DEFAULT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : dir_lock(fd, LOCK_EX);

	return r ? r : TAKE_FD(fd);
}

static int mount_once(char *path, size_t size)
{
	_cleanup_close_ int lock = lock_mount_point();

	if (lock < 0)
		return lock;
	if (!bpffs_find(path, size))
		return 0;
	if (mount("bpf", BPFFS_DEFAULT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return -errno;
	log_at(UNFRAG_LOG_WARNING, "mounted a BPF file system at " BPFFS_DEFAULT);
	return 0;
}

int bpffs_ensure(char *path, size_t size)
{
	int r = bpffs_find(path, size);

	if (r != -ENOENT)
		return r;
	if (outside())
		return log_error(
			-ENOENT,
			"no BPF file system is mounted at " BPFFS_DEFAULT
			" outside of "
			"this mount namespace, and one mounted here would vanish with "
			"it; run this outside, with --netns to name the network namespace");
	r = mount_once(path, size);
	if (r)
		return log_error(r,
				 "no BPF file system is mounted, and mounting one at " BPFFS_DEFAULT
				 " failed: %s%s",
				 strerror(-r), r == -EPERM ? " (needs CAP_SYS_ADMIN)" : "");
	return bpffs_find(path, size);
}
