// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "bpffs.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "log.h"

#define BPFFS_DEFAULT "/sys/fs/bpf"
#define BPFFS_INIT    "/proc/1/root" BPFFS_DEFAULT

static bool is_bpffs(const char *path)
{
	struct statfs st;

	return !statfs(path, &st) && (unsigned long)st.f_type == BPF_FS_MAGIC;
}

int bpffs_find(char *path, size_t size)
{
	const char *const candidates[] = { secure_getenv("UNFRAG_BPFFS"), BPFFS_DEFAULT,
					   BPFFS_INIT };
	size_t i;

	for (i = 0; i < sizeof(candidates) / sizeof(*candidates); i++) {
		if (!candidates[i] || !is_bpffs(candidates[i]))
			continue;
		if (snprintf(path, size, "%s", candidates[i]) >= (int)size)
			return -ENAMETOOLONG;
		return 0;
	}
	return -ENOENT;
}

/* In a mount namespace of its own a new mount would end with the process, and the pins with it. */
static bool mounts_are_private(void)
{
	struct stat own, init;

	return !stat("/proc/self/ns/mnt", &own) && !stat("/proc/1/ns/mnt", &init) &&
	       own.st_ino != init.st_ino;
}

int bpffs_ensure(char *path, size_t size)
{
	const char *asked = secure_getenv("UNFRAG_BPFFS");
	int r = bpffs_find(path, size);

	if (asked && (r || strcmp(path, asked)))
		return log_error(-ENOENT, "UNFRAG_BPFFS is '%s', which is no BPF file system",
				 asked);
	if (!r || r != -ENOENT)
		return r;
	if (mounts_are_private())
		return log_error(-ENOENT,
				 "no BPF file system is mounted at " BPFFS_DEFAULT
				 " outside of this "
				 "mount namespace, and one mounted here would vanish with it; run "
				 "this outside, with --netns to name the network namespace");
	if (mount("bpf", BPFFS_DEFAULT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
		r = -errno;
		return log_error(r,
				 "no BPF file system is mounted, and mounting one at " BPFFS_DEFAULT
				 " failed: %s%s",
				 strerror(-r), r == -EPERM ? " (needs CAP_SYS_ADMIN)" : "");
	}
	log_at(UNFRAG_LOG_WARNING, "mounted a BPF file system at " BPFFS_DEFAULT);
	return bpffs_find(path, size);
}
