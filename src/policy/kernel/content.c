// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads what src/gate/layout.h says that trees and tuples are. Nothing that is read is believed: a
 * position or shape that can't be is an error.
 */
#include "content.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "instance_maps.h"

#define LINE_WORDS (sizeof(struct gate_line) / sizeof(uint32_t))
#define WORD_BITS  32u
#define AT_ONCE    (1u << 16)

struct tree {
	struct gate_line *lines;
	size_t n;
	uint32_t count, words, keys,
		first; /* positions, words of a key, keys of a line, first line */
	uint32_t values;
};

static int read_info(int fd, uint32_t type, struct bpf_map_info *info)
{
	uint32_t len = sizeof(*info);
	int r;

	memset(info, 0, sizeof(*info));
	r = bpf_obj_get_info_by_fd(fd, info, &len);
	return r ? r : info->type == type ? 0 : -EINVAL;
}

static int tree_open(struct tree *t, int fd, uint32_t bits)
{
	struct bpf_map_info info;
	const uint32_t *head;
	int r = read_info(fd, BPF_MAP_TYPE_ARRAY, &info);

	memset(t, 0, sizeof(*t));
	if (r || info.value_size != sizeof(*t->lines))
		return r ? r : -EINVAL;
	t->n = info.max_entries;
	t->lines = malloc(t->n * sizeof(*t->lines));
	r = t->lines ? instance_read(fd, t->lines, t->n) : -ENOMEM;
	if (r)
		return r;
	head = t->lines->word;
	t->count = head[GATE_TREE_COUNT];
	t->words = GATE_WORDS_OF(bits);
	t->keys = LINE_WORDS / t->words;
	t->values = head[GATE_TREE_VALUES];
	if (!t->count || !head[GATE_TREE_DEPTH] || head[GATE_TREE_DEPTH] > GATE_TREE_LEVELS)
		return -EINVAL;
	t->first = head[GATE_TREE_LEVEL + head[GATE_TREE_DEPTH] - 1];
	if ((uint64_t)t->first + (t->count - 1) / t->keys >= t->n ||
	    (uint64_t)t->values + (t->count - 1) / LINE_WORDS >= t->n)
		return -EINVAL;
	return 0;
}

static value join(const uint32_t *words, uint32_t n)
{
	value x = 0;

	while (n--)
		x = x << WORD_BITS | *words++;
	return x;
}

static value tree_start(const struct tree *t, uint32_t i)
{
	return join(&t->lines[t->first + i / t->keys].word[i % t->keys * t->words], t->words);
}

/* The verdict from a position on; 0: not in the set. */
static uint32_t tree_verdict(const struct tree *t, uint32_t i)
{
	if (!t->values)
		return (t->lines->word[GATE_TREE_FIRST] ^ i) & 1 ? GATE_VERDICT_CONTINUE : 0;
	return t->lines[t->values + i / LINE_WORDS].word[i % LINE_WORDS];
}

int content_of_tree(struct regions *out, int fd, const struct set *s)
{
	struct element *e, *items = NULL;
	struct tree t;
	uint32_t i, n = 0;
	int r = tree_open(&t, fd, s->bits[0]);

	if (!r)
		items = calloc((size_t)t.count + 1, sizeof(*items));
	if (!r && !items)
		r = -ENOMEM;
	for (i = 0; !r && i < t.count; i++) {
		if (!tree_verdict(&t, i))
			continue;
		e = &items[n++];
		e->verdict = tree_verdict(&t, i);
		e->span->from = tree_start(&t, i);
		e->span->to = i + 1 < t.count ? tree_start(&t, i + 1) - 1 : fields_max(s->bits[0]);
		if (e->span->from > e->span->to || e->span->to > fields_max(s->bits[0]))
			r = -EINVAL;
	}
	free(t.lines);
	if (r)
		free(items);
	else
		*out = (struct regions){ items, n };
	return r;
}

struct tuples {
	struct gate_tuple *keys;
	union gate_tuple_value *values;
	uint32_t n, room;
	union gate_tuple_value shape[GATE_SHAPES_MAX];
};

static int tuples_read(struct tuples *t, int fd)
{
	uint32_t count, at = 0, next = 0;
	bool is_first = true;
	int r = 0;

	while (!r && t->n < t->room) {
		count = t->room - t->n < AT_ONCE ? t->room - t->n : AT_ONCE;
		r = bpf_map_lookup_batch(fd, is_first ? NULL : &at, &next, t->keys + t->n,
					 t->values + t->n, &count, NULL);
		/* Said by it at the end, with the last ones. */
		if (!r || r == -ENOENT)
			t->n += count;
		is_first = false;
		at = next;
	}
	return r == -ENOENT ? 0 : r;
}

/* A bucket is read whole or not at all, so there is room for one more at the end. */
static int tuples_open(struct tuples *t, int fd)
{
	struct bpf_map_info info;
	uint32_t i;
	int r = read_info(fd, BPF_MAP_TYPE_HASH, &info);

	memset(t, 0, sizeof(*t));
	if (r || info.key_size != sizeof(*t->keys) || info.value_size != sizeof(*t->values))
		return r ? r : -EINVAL;
	t->room = info.max_entries + 64;
	t->keys = calloc(t->room, sizeof(*t->keys));
	t->values = calloc(t->room, sizeof(*t->values));
	r = t->keys && t->values ? tuples_read(t, fd) : -ENOMEM;
	for (i = 0; i < t->n && !r; i++)
		if (t->keys[i].mark >= GATE_SHAPE && t->keys[i].mark < GATE_SHAPE + GATE_SHAPES_MAX)
			t->shape[t->keys[i].mark - GATE_SHAPE] = t->values[i];
	return r;
}

static void tuples_close(struct tuples *t)
{
	free(t->keys);
	free(t->values);
}

/* Prefixes of the components; their lengths count from the top of words. */
static int read_tuple(struct element *e, const struct gate_tuple *key,
		      const union gate_tuple_value *shape, const struct set *s)
{
	uint32_t i, at = 0, words, bits, unused;
	value rest;

	for (i = 0; i < s->n; i++) {
		bits = s->bits[i];
		words = GATE_WORDS_OF(bits);
		unused = words * WORD_BITS - bits;
		if (shape->bits[i] < unused || shape->bits[i] > words * WORD_BITS)
			return -EINVAL;
		rest = fields_max(bits) &
		       ~(shape->bits[i] - unused ?
				 fields_max(bits) << (words * WORD_BITS - shape->bits[i]) :
				 0);
		e->span[i].from = join(&key->word[at], words);
		e->span[i].to = e->span[i].from | rest;
		if (e->span[i].to > fields_max(bits))
			return -EINVAL;
		at += words;
	}
	return 0;
}

int content_of_tuples(struct regions *out, int fd, const struct set *s)
{
	struct element *items = NULL;
	struct regions all = { NULL, 0 };
	struct tuples t;
	uint32_t i;
	int r = tuples_open(&t, fd);

	if (!r)
		items = calloc((size_t)t.n + 1, sizeof(*items));
	if (!r && !items)
		r = -ENOMEM;
	for (i = 0; !r && i < t.n; i++) {
		if (t.keys[i].mark >= GATE_SHAPES_MAX)
			continue;
		items[all.n].verdict = t.values[i].verdict;
		r = read_tuple(&items[all.n++], &t.keys[i], &t.shape[t.keys[i].mark], s);
	}
	tuples_close(&t);
	all.items = items;
	if (!r)
		r = regions_join(&all, s->n);
	if (r)
		free(items);
	else
		*out = all;
	return r;
}
