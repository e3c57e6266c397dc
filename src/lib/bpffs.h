/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Where pins live: the BPF file system, found or mounted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define BPFFS_PATH_MAX 256

/*
 * Finds the BPF file system that outlives this process: $UNFRAG_BPFFS, /sys/fs/bpf, or that of
 * a process outside where /sys is covered ("ip netns exec"). Returns 0, -ENOENT, or
 * -ENOTDIR, logged, when the variable names something else.
 */
int bpffs_find(char *path, size_t size);

/* As above, and mounts one at /sys/fs/bpf if there is none. Logs the error. */
int bpffs_ensure(char *path, size_t size);
