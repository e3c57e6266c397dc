// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many elements are written by one system call each: a million of them take a fraction of a second.
 */
#include "fill.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instance_maps.h"
#include "skeleton.h"

/* Sets that are put into their places by one call: it waits for packets under way once. */
#define SETS_AT_ONCE 128u
#define AT_ONCE      (1u << 16)

static int size_map(struct bpf_map *map, size_t n)
{
	return bpf_map__set_max_entries(map, n ? (uint32_t)n : 1);
}

static size_t direct_bytes(const struct image *image)
{
	return (image->n_direct * sizeof(*image->direct) + 8) & ~(size_t)7;
}

static uint32_t vector_bytes(const struct image *image)
{
	uint32_t words = image->config.summaries + image->config.words;

	return words ? 8 * words : 8;
}

int fill_sizes(struct gate_bpf *skel, const struct image *image)
{
	const struct {
		struct bpf_map *map;
		size_t n;
	} maps[] = {
		{ skel->maps.vectors, image->n_vectors },
		{ skel->maps.lines, image->n_lines },
		{ skel->maps.trees, image->n_sets },
		{ skel->maps.tuples, image->n_sets },
		{ skel->maps.entries, image->n_entries },
		{ skel->maps.checks, image->n_checks },
		{ skel->maps.chains, image->n_chains },
		{ skel->maps.limits, image->n_limits },
		{ skel->maps.counters, image->n_counters },
		{ skel->maps.earlier, image->n_counters },
	};
	size_t i;
	int r = bpf_map__set_value_size(skel->maps.vectors, vector_bytes(image));

	if (!r && image->n_logs)
		r = bpf_map__set_max_entries(skel->maps.events, IMAGE_EVENTS_BYTES);
	if (!r)
		r = bpf_map__set_value_size(skel->maps.direct, (uint32_t)direct_bytes(image));
	for (i = 0; i < sizeof(maps) / sizeof(*maps) && !r; i++)
		r = size_map(maps[i].map, maps[i].n);
	return r;
}

int instance_write(int fd, const void *values, size_t n)
{
	uint32_t *keys = malloc((n + 1) * sizeof(*keys)), i, count = (uint32_t)n;
	int r = keys ? 0 : -ENOMEM;

	for (i = 0; !r && i < n; i++)
		keys[i] = i;
	if (!r && n)
		r = bpf_map_update_batch(fd, keys, values, &count, NULL);
	free(keys);
	return r;
}

static int write_direct(int fd, const struct image *image)
{
	char *row = calloc(1, direct_bytes(image));
	int r = -ENOMEM;

	if (row) {
		if (image->n_direct)
			memcpy(row, image->direct, image->n_direct * sizeof(*image->direct));
		r = instance_write(fd, row, 1);
	}
	free(row);
	return r;
}

int fill_arrays(const struct gate_bpf *skel, const struct image *image, struct complaint *c)
{
	const struct {
		const struct bpf_map *map;
		const void *values;
		size_t n;
	} arrays[] = {
		{ skel->maps.vectors, image->vectors, image->n_vectors },
		{ skel->maps.lines, image->lines, image->n_lines },
		{ skel->maps.entries, image->entries, image->n_entries },
		{ skel->maps.checks, image->checks, image->n_checks },
		{ skel->maps.chains, image->chains, image->n_chains },
		{ skel->maps.limits, image->limits, image->n_limits },
		{ skel->maps.earlier, image->counters, image->n_counters },
	};
	const char *name = "direct";
	size_t i;
	int r = write_direct(bpf_map__fd(skel->maps.direct), image);

	for (i = 0; i < sizeof(arrays) / sizeof(*arrays) && !r; i++) {
		name = bpf_map__name(arrays[i].map);
		r = instance_write(bpf_map__fd(arrays[i].map), arrays[i].values, arrays[i].n);
	}
	return r ? complain(c, r, "map '%s' can't be filled: %s", name, strerror(-r)) : 0;
}

int fill_tree(const struct image_tree *tree)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "unfrag_tree", sizeof(uint32_t),
				sizeof(*tree->lines), (uint32_t)tree->n, &opts);
	int r = fd < 0 ? fd : instance_write(fd, tree->lines, tree->n);

	if (!r)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

/* The next ones, in the two arrays that the kernel takes. */
static int write_tuples(int fd, const struct image_tuple *tuples, uint32_t n,
			struct gate_tuple *keys, union gate_tuple_value *values)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		keys[i] = tuples[i].key;
		values[i] = tuples[i].value;
	}
	return bpf_map_update_batch(fd, keys, values, &n, NULL);
}

int fill_tuples(const struct image_tuples *tuples)
{
	uint32_t room = tuples->n < AT_ONCE ? (uint32_t)tuples->n : AT_ONCE;
	struct gate_tuple *keys = calloc(room + 1, sizeof(*keys));
	union gate_tuple_value *values = calloc(room + 1, sizeof(*values));
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "unfrag_tuples", sizeof(*keys), sizeof(*values),
				tuples->n ? (uint32_t)tuples->n : 1, NULL);
	int r = fd < 0 ? fd : keys && values ? 0 : -ENOMEM;
	size_t i, n;

	for (i = 0; i < tuples->n && !r; i += n) {
		n = tuples->n - i < room ? tuples->n - i : room;
		r = write_tuples(fd, &tuples->tuples[i], (uint32_t)n, keys, values);
	}
	free(keys);
	free(values);
	if (!r)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

/* Sets on their way into one map. */
struct batch {
	int map_fd;
	uint32_t n;
	uint32_t keys[SETS_AT_ONCE];
	int fds[SETS_AT_ONCE];
};

static int batch_put(struct batch *b)
{
	uint32_t count = b->n, i;
	int r = b->n ? bpf_map_update_batch(b->map_fd, b->keys, b->fds, &count, NULL) : 0;

	for (i = 0; i < b->n; i++)
		close(b->fds[i]);
	b->n = 0;
	return r;
}

static int batch_add(struct batch *b, uint32_t set, int fd)
{
	if (fd < 0)
		return fd;
	b->keys[b->n] = set;
	b->fds[b->n++] = fd;
	return b->n == SETS_AT_ONCE ? batch_put(b) : 0;
}

int fill_sets(const struct gate_bpf *skel, const struct image *image, struct complaint *c)
{
	struct batch trees = { .map_fd = bpf_map__fd(skel->maps.trees) };
	struct batch tuples = { .map_fd = bpf_map__fd(skel->maps.tuples) };
	uint32_t i;
	int r = 0, last;

	for (i = 0; i < image->n_sets && !r; i++) {
		const struct image_set *s = &image->sets[i];

		if (s->tree.lines)
			r = batch_add(&trees, i, fill_tree(&s->tree));
		else
			r = batch_add(&tuples, i, fill_tuples(&s->tuples));
	}
	last = batch_put(&trees);
	r = r ? r : last;
	last = batch_put(&tuples);
	r = r ? r : last;
	return r ? complain(c, r, "sets can't be filled: %s%s", strerror(-r),
			    r == -ENOMEM ? " (shorten them)" : "") :
		   0;
}
