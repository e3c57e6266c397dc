// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "link.h"
#include "log.h"

#define ENTRY_MAX 256

static bool is_netfilter(const struct bpf_program *prog)
{
	return (int)bpf_program__type(prog) == LINK_PROG_TYPE_NETFILTER;
}

static int choose_only(struct bpf_program **out, struct bpf_object *obj)
{
	struct bpf_program *prog, *found = NULL;

	bpf_object__for_each_program(prog, obj) {
		if (!is_netfilter(prog) || bpf_program__fd(prog) < 0)
			continue;
		if (found)
			return log_error(-EINVAL,
					 "the object has several netfilter programs ('%s', '%s'); "
					 "name one",
					 bpf_program__name(found), bpf_program__name(prog));
		found = prog;
	}
	if (!found)
		return log_error(-EINVAL, "the object has no loaded netfilter program");
	*out = found;
	return 0;
}

int program_choose(struct bpf_program **out, struct bpf_object *obj, struct bpf_program *prog)
{
	if (!prog)
		return choose_only(out, obj);
	if (!is_netfilter(prog))
		return log_error(-EINVAL, "program '%s' is not a netfilter program",
				 bpf_program__name(prog));
	if (bpf_program__fd(prog) < 0)
		return log_error(-EINVAL, "program '%s' is not loaded", bpf_program__name(prog));
	*out = prog;
	return 0;
}

int program_id(const struct bpf_program *prog, uint32_t *id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int r = bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len);

	if (r)
		return log_error(r, "the program's id can't be read: %s", strerror(-r));
	*id = info.id;
	return 0;
}

/* bpffs refuses dots, and names of global data (".bss") have them. */
static int map_entry(const struct bpf_map *map, uint32_t id, char *entry)
{
	char *dot;

	if (snprintf(entry, ENTRY_MAX, "maps-%u/%s", id, bpf_map__name(map)) >= ENTRY_MAX)
		return log_error(-ENAMETOOLONG, "map '%s' can't be pinned: its name is too long",
				 bpf_map__name(map));
	for (dot = strchr(entry, '.'); dot; dot = strchr(dot, '.'))
		*dot = '_';
	return 0;
}

static int pin_maps(const struct store *s, uint32_t id, struct bpf_object *obj)
{
	char entry[ENTRY_MAX];
	struct bpf_map *map;
	int r;

	snprintf(entry, sizeof(entry), "maps-%u", id);
	r = store_mkdir(s, entry);
	bpf_object__for_each_map(map, obj) {
		if (r)
			break;
		if (bpf_map__fd(map) < 0)
			continue;
		r = map_entry(map, id, entry);
		if (!r)
			r = store_pin(s, bpf_map__fd(map), entry);
	}
	return r;
}

int program_pin(const struct store *s, uint32_t id, struct bpf_object *obj,
		const struct bpf_program *prog, const char *source)
{
	struct program_about about = { .version = ABOUT_VERSION, .since = time(NULL) };
	char entry[ENTRY_MAX];
	int fd;

	snprintf(about.name, sizeof(about.name), "%s", bpf_program__name(prog));
	snprintf(about.source, sizeof(about.source), "%s", source ? source : "");
	snprintf(entry, sizeof(entry), "program-%u", id);
	fd = about_pin(s, entry, &about, sizeof(about));
	if (fd < 0)
		return fd;
	close(fd);
	return pin_maps(s, id, obj);
}

int program_forget(const struct store *s, uint32_t id)
{
	char entry[ENTRY_MAX];
	int r;

	snprintf(entry, sizeof(entry), "maps-%u", id);
	r = store_remove(s, entry);
	if (r)
		return r;
	snprintf(entry, sizeof(entry), "program-%u", id);
	return store_remove(s, entry);
}

/* Entries are "program-ID" and "maps-ID". */
static int forget_other(const struct store *s, const char *name, void *arg)
{
	const uint32_t *keep = arg;
	unsigned int id;

	if (sscanf(name, "%*[a-z]-%u", &id) != 1 || id == *keep)
		return 0;
	return store_remove(s, name);
}

int program_keep_only(const struct store *s, uint32_t id)
{
	char target[ENTRY_MAX];
	int r;

	snprintf(target, sizeof(target), "maps-%u", id);
	r = store_point(s, "maps", target);
	if (!r)
		r = store_entries(s, "program-", forget_other, &id);
	if (!r)
		r = store_entries(s, "maps-", forget_other, &id);
	return r;
}

bool program_is_pointed(const struct store *s, uint32_t id)
{
	char want[ENTRY_MAX], target[ENTRY_MAX];
	ssize_t n = readlinkat(s->fd, "maps", target, sizeof(target) - 1);

	snprintf(want, sizeof(want), "maps-%u", id);
	if (n < 0)
		return false;
	target[n] = '\0';
	return !strcmp(target, want);
}

int program_read(const struct store *s, uint32_t id, struct program_about *about)
{
	char entry[ENTRY_MAX];
	int r;

	snprintf(entry, sizeof(entry), "program-%u", id);
	r = about_read(s, entry, about, sizeof(*about));
	if (r)
		return r;
	about->name[sizeof(about->name) - 1] = '\0';
	about->source[sizeof(about->source) - 1] = '\0';
	return 0;
}

static bool same_layout(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

/*
 * Whether the map can serve two programs. Global data is laid out by the compiler; and what an
 * object says of programs or maps in a map is written at load, into the map that is in force.
 */
static bool can_be_kept(const struct bpf_map *map)
{
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return false;
	default:
		return !bpf_map__is_internal(map);
	}
}

/* 1 when the map is kept, 0 when not. */
static int reuse_map(const struct store *s, uint32_t id, struct bpf_map *map)
{
	char entry[ENTRY_MAX];
	_cleanup_close_ int fd = -1;
	int r;

	if (!can_be_kept(map) || map_entry(map, id, entry))
		return 0;
	fd = store_get(s, entry);
	if (fd < 0 || !same_layout(map, fd))
		return 0;
	r = bpf_map__reuse_fd(map, fd);
	if (r)
		return log_error(r, "map '%s' can't be kept: %s", bpf_map__name(map), strerror(-r));
	return 1;
}

int program_reuse_maps(const struct store *s, uint32_t id, struct bpf_object *obj)
{
	struct bpf_map *map;
	int r, kept = 0;

	bpf_object__for_each_map(map, obj) {
		r = reuse_map(s, id, map);
		if (r < 0)
			return r;
		kept += r;
	}
	return kept;
}
