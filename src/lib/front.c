// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "front.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/layout.h"
#include "cleanup.h"
#include "front.skel.h"
#include "log.h"

static void front_destroy(struct front_bpf **skel)
{
	front_bpf__destroy(*skel);
}

static int dup_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

int front_load(struct front *out, uint32_t flags)
{
	_cleanup_(front_destroy) struct front_bpf *skel = front_bpf__open();
	_cleanup_front_ struct front f = FRONT_INIT;
	int r;

	if (!skel)
		return log_error(-errno, "the front program can't be opened: %s", strerror(errno));
	skel->rodata->on_fragment = !!(flags & UNFRAG_ATTACH_ACCEPT_FRAGMENTS);
	skel->rodata->on_unreadable = !!(flags & UNFRAG_ATTACH_ACCEPT_UNREADABLE);
	skel->rodata->on_empty = !!(flags & UNFRAG_ATTACH_ACCEPT_EMPTY);
	r = front_bpf__load(skel);
	if (r)
		return log_error(r, "the front program can't be loaded: %s", strerror(-r));
	f.prog_fd = dup_fd(bpf_program__fd(skel->progs.front));
	f.slot_fd = dup_fd(bpf_map__fd(skel->maps.slot));
	f.counters_fd = dup_fd(bpf_map__fd(skel->maps.counters));
	if (f.prog_fd < 0 || f.slot_fd < 0 || f.counters_fd < 0)
		return log_error(-EMFILE, "out of file descriptors");
	*out = f;
	f = (struct front)FRONT_INIT;
	return 0;
}

void front_release(struct front *f)
{
	close_p(&f->prog_fd);
	close_p(&f->slot_fd);
	close_p(&f->counters_fd);
}

int front_put(int slot_fd, int prog_fd)
{
	const uint32_t key = 0;
	int r = bpf_map_update_elem(slot_fd, &key, &prog_fd, BPF_ANY);

	if (r)
		return log_error(r, "the program can't be put into the slot: %s", strerror(-r));
	return 0;
}

/* An update of a map of maps returns only when no program can hold the old inner map any more. */
void front_settle(void)
{
	_cleanup_close_ int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "unfrag_settle", 4, 4, 1,
						   NULL);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = (uint32_t)inner);
	_cleanup_close_ int outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "unfrag_settle", 4,
						   4, 1, &opts);
	const uint32_t key = 0;

	if (inner < 0 || outer < 0 || bpf_map_update_elem(outer, &key, &inner, BPF_ANY))
		log_at(UNFRAG_LOG_DEBUG, "could not wait for packets under way");
}

/* A pin by that name may be anybody's, of any layout. */
static bool is_slot(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_MAP_TYPE_PROG_ARRAY &&
	       info.value_size == sizeof(uint32_t);
}

int front_get(int slot_fd, uint32_t *id)
{
	const uint32_t key = 0;
	int r = is_slot(slot_fd) ? bpf_map_lookup_elem(slot_fd, &key, id) : -EBADF;

	if (r != -ENOENT)
		return r;
	*id = 0;
	return 0;
}

static void add_counters(struct unfrag_counters *sum, const struct front_counters *cpu)
{
	int i;

	for (i = 0; i < UNFRAG_OUTCOME_MAX; i++) {
		sum->outcomes[i] += cpu->outcomes[i];
		sum->packets += cpu->outcomes[i];
	}
	if (cpu->frag_max_size > sum->frag_max_size)
		sum->frag_max_size = cpu->frag_max_size;
}

/* Bytes that the kernel writes for each CPU, 0 when these are no counters of ours. */
static size_t counters_stride(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_MAP_TYPE_PERCPU_ARRAY ||
	    info.value_size < sizeof(struct front_counters))
		return 0;
	return ((size_t)info.value_size + 7) / 8 * 8;
}

int front_count(int counters_fd, uint32_t key, struct unfrag_counters *sum)
{
	_cleanup_free_ char *cpus = NULL;
	size_t stride = counters_stride(counters_fd);
	int n = libbpf_num_possible_cpus(), i, r;

	if (!stride)
		return -EBADF;
	if (n < 0)
		return n;
	cpus = calloc((size_t)n, stride);
	if (!cpus)
		return -ENOMEM;
	r = bpf_map_lookup_elem(counters_fd, &key, cpus);
	for (i = 0; i < n && !r; i++)
		add_counters(sum, (const struct front_counters *)(cpus + (size_t)i * stride));
	return r;
}
