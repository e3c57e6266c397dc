// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "guard_load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "guard_limits.h"
#include "guard_netfilter.skel.h"
#include "guard_tc.skel.h"
#include "guard_xdp.skel.h"
#include "log.h"

static const char *const names[] = {
	[GUARD_MAP_CONFIG] = "config",       [GUARD_MAP_STATE] = "state",
	[GUARD_MAP_COUNTERS] = "counters",   [GUARD_MAP_SETS] = "sets",
	[GUARD_MAP_DATAGRAMS] = "datagrams", [GUARD_MAP_SOURCES] = "sources",
	[GUARD_MAP_EVENTS] = "events",
};
_Static_assert(sizeof(names) / sizeof(*names) == GUARD_MAP_MAX, "a map has no name");

const char *guard_map_name(enum guard_map map)
{
	return names[map];
}

void guard_maps_init(struct guard_maps *m)
{
	memset(m->fds, 0xff, sizeof(m->fds));
}

void guard_maps_release(struct guard_maps *m)
{
	int i;

	for (i = 0; i < GUARD_MAP_MAX; i++)
		close_p(&m->fds[i]);
	guard_maps_init(m);
}

int guard_maps_pin(const struct guard_maps *m, const struct store *s)
{
	int i, r = 0;

	for (i = 0; i < GUARD_MAP_MAX && !r; i++)
		r = store_pin(s, m->fds[i], names[i]);
	return r;
}

static uint32_t entries(enum guard_map map, uint32_t datagrams)
{
	switch (map) {
	case GUARD_MAP_SETS:
		return GUARD_FAMILIES * limits_datagram_sets(datagrams);
	case GUARD_MAP_DATAGRAMS:
		return GUARD_FAMILIES * datagrams;
	case GUARD_MAP_SOURCES:
		return limits_source_sets(datagrams);
	default:
		return 0;
	}
}

static int prepare_maps(struct bpf_object *obj, const struct guard_maps *maps, uint32_t datagrams)
{
	struct bpf_map *map;
	uint32_t n;
	int i, r = 0;

	for (i = 0; i < GUARD_MAP_MAX && !r; i++) {
		map = bpf_object__find_map_by_name(obj, names[i]);
		n = entries((enum guard_map)i, datagrams);
		if (!map)
			return -ENOENT;
		if (n)
			r = bpf_map__set_max_entries(map, n);
		if (!r && maps->fds[i] >= 0)
			r = bpf_map__reuse_fd(map, maps->fds[i]);
	}
	return r;
}

static int take(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

static int take_maps(struct guard_maps *maps, const struct bpf_object *obj)
{
	int i;

	for (i = 0; i < GUARD_MAP_MAX; i++) {
		if (maps->fds[i] >= 0)
			continue;
		maps->fds[i] = take(bpf_object__find_map_fd_by_name(obj, names[i]));
		if (maps->fds[i] < 0)
			return maps->fds[i];
	}
	return 0;
}

/* Loads what was opened. Returns the program's descriptor. */
static int load(struct bpf_object *obj, struct bpf_program *prog, struct guard_maps *maps,
		const struct guard_load *what)
{
	int r = prepare_maps(obj, maps, what->datagrams);

	if (!r)
		r = bpf_object__load(obj);
	if (r)
		return log_error(r, "the guard's program can't be loaded: %s%s", strerror(-r),
				 r == -ENOMEM ? " (its tables take memory; fewer --datagrams?)" :
						"");
	r = take_maps(maps, obj);
	if (!r)
		r = take(bpf_program__fd(prog));
	return r < 0 ? log_error(r, "out of file descriptors: %s", strerror(-r)) : r;
}

static int cant_open(void)
{
	return log_error(-errno, "the guard's program can't be opened: %s", strerror(errno));
}

static int load_netfilter(struct guard_maps *maps, const struct guard_load *what)
{
	struct guard_netfilter_bpf *skel = guard_netfilter_bpf__open();
	int r;

	if (!skel)
		return cant_open();
	r = load(skel->obj, skel->progs.guard, maps, what);
	guard_netfilter_bpf__destroy(skel);
	return r;
}

static int load_tc(struct guard_maps *maps, const struct guard_load *what)
{
	struct guard_tc_bpf *skel = guard_tc_bpf__open();
	int r;

	if (!skel)
		return cant_open();
	skel->rodata->link_header = what->link_header;
	r = load(skel->obj, skel->progs.guard, maps, what);
	guard_tc_bpf__destroy(skel);
	return r;
}

static int load_xdp(struct guard_maps *maps, const struct guard_load *what)
{
	struct guard_xdp_bpf *skel = guard_xdp_bpf__open();
	int r;

	if (!skel)
		return cant_open();
	memcpy((void *)skel->rodata->mac, what->mac, sizeof(what->mac));
	r = load(skel->obj, skel->progs.guard, maps, what);
	guard_xdp_bpf__destroy(skel);
	return r;
}

int guard_load(struct guard_maps *maps, const struct guard_load *what)
{
	switch (what->place) {
	case UNFRAG_GUARD_TC:
		return load_tc(maps, what);
	case UNFRAG_GUARD_XDP:
		return load_xdp(maps, what);
	default:
		return load_netfilter(maps, what);
	}
}
