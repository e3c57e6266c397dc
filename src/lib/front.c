// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "front.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
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

/* Keeps a map of the attachment, or takes the one that came with the program. */
static int share_map(const struct bpf_map *map, int *fd)
{
	if (*fd < 0)
		*fd = dup_fd(bpf_map__fd(map));
	return *fd < 0 ? *fd : 0;
}

static int reuse_maps(struct front_bpf *skel, const struct front *f)
{
	int r = f->slot_fd < 0 ? 0 : bpf_map__reuse_fd(skel->maps.slot, f->slot_fd);

	if (!r && f->counters_fd >= 0)
		r = bpf_map__reuse_fd(skel->maps.counters, f->counters_fd);
	if (!r && f->turn_fd >= 0)
		r = bpf_map__reuse_fd(skel->maps.turn, f->turn_fd);
	return r;
}

/* The program of a place; -1: without places. */
static struct bpf_program *program_of(const struct front_bpf *skel, int place)
{
	char name[32];

	if (place < 0)
		return skel->progs.front;
	snprintf(name, sizeof(name), "front_%d", place);
	return bpf_object__find_program_by_name(skel->obj, name);
}

static bool has_place(uint32_t seats, int place)
{
	return seats >> place * FRONT_FAMILIES & ((1u << FRONT_FAMILIES) - 1);
}

/* Two halves of a slot, or no turn and one entry; and only the programs that are wanted. */
static int choose(struct front_bpf *skel, uint32_t seats)
{
	int place, r;

	if (seats)
		r = bpf_map__set_max_entries(skel->maps.slot, 2 * FRONT_SEATS);
	else
		r = bpf_map__set_autocreate(skel->maps.turn, false);
	if (!r)
		r = bpf_program__set_autoload(skel->progs.front, !seats);
	for (place = 0; place < (int)FRONT_PLACES && !r; place++)
		r = bpf_program__set_autoload(program_of(skel, place), has_place(seats, place));
	return r;
}

static int take(struct front *f, const struct front_bpf *skel, uint32_t seats)
{
	int place, r = share_map(skel->maps.slot, &f->slot_fd);

	if (!r)
		r = share_map(skel->maps.counters, &f->counters_fd);
	if (!r && seats)
		r = share_map(skel->maps.turn, &f->turn_fd);
	if (!r && !seats)
		r = f->prog_fds[0] = dup_fd(bpf_program__fd(skel->progs.front));
	for (place = 0; place < (int)FRONT_PLACES && r >= 0; place++)
		if (has_place(seats, place))
			r = f->prog_fds[place] = dup_fd(bpf_program__fd(program_of(skel, place)));
	return r < 0 ? log_error(-EMFILE, "out of file descriptors") : 0;
}

int front_load_seats(struct front *f, uint32_t flags, uint32_t seats)
{
	_cleanup_(front_destroy) struct front_bpf *skel = front_bpf__open();
	int r;

	if (!skel)
		return log_error(-errno, "the front program can't be opened: %s", strerror(errno));
	skel->rodata->on_fragment = !!(flags & UNFRAG_ATTACH_ACCEPT_FRAGMENTS);
	skel->rodata->on_unreadable = !!(flags & UNFRAG_ATTACH_ACCEPT_UNREADABLE);
	skel->rodata->on_empty = !!(flags & UNFRAG_ATTACH_ACCEPT_EMPTY);
	r = choose(skel, seats);
	if (!r)
		r = reuse_maps(skel, f);
	if (!r)
		r = front_bpf__load(skel);
	if (r)
		return log_error(r, "the front program can't be loaded: %s", strerror(-r));
	return take(f, skel, seats);
}

int front_load(struct front *f, uint32_t flags)
{
	return front_load_seats(f, flags, 0);
}

void front_release(struct front *f)
{
	uint32_t place;

	for (place = 0; place < FRONT_PLACES; place++)
		close_p(&f->prog_fds[place]);
	close_p(&f->slot_fd);
	close_p(&f->counters_fd);
	close_p(&f->turn_fd);
}

int front_put(int slot_fd, uint32_t key, int prog_fd)
{
	int r = bpf_map_update_elem(slot_fd, &key, &prog_fd, BPF_ANY);

	if (r)
		return log_error(r, "the program can't be put into the slot: %s", strerror(-r));
	return 0;
}

void front_clear(int slot_fd, unsigned int half, uint32_t but)
{
	uint32_t seat, key;

	for (seat = 0; seat < FRONT_SEATS; seat++) {
		key = half * FRONT_SEATS + seat;
		if (!(but & 1u << seat))
			bpf_map_delete_elem(slot_fd, &key);
	}
}

/* A pin by that name may be anybody's, of any layout. */
static bool is_map(int fd, enum bpf_map_type type, uint32_t value_size)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == type &&
	       info.value_size == value_size;
}

int front_turn(int turn_fd, uint64_t *turn)
{
	const uint32_t key = 0;

	if (!is_map(turn_fd, BPF_MAP_TYPE_ARRAY, sizeof(*turn)))
		return -EBADF;
	return bpf_map_lookup_elem(turn_fd, &key, turn);
}

int front_flip(int turn_fd, uint64_t turn)
{
	const uint32_t key = 0;
	int r = bpf_map_update_elem(turn_fd, &key, &turn, BPF_ANY);

	if (r)
		return log_error(r, "the programs can't be put into force: %s", strerror(-r));
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

int front_get(int slot_fd, uint32_t key, uint32_t *id)
{
	int r = is_map(slot_fd, BPF_MAP_TYPE_PROG_ARRAY, sizeof(*id)) ?
			bpf_map_lookup_elem(slot_fd, &key, id) :
			-EBADF;

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
