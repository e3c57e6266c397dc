// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sets of a ruleset in the kernel. Each is a map in a map of maps, so another content is another
 * map, and one write puts it in force.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "fill.h"
#include "instance_maps.h"
#include "size.h"

static int outer_of(const struct instance *in, const struct set *s)
{
	return in->fds[s->n == 1 ? INSTANCE_TREES : INSTANCE_TUPLES];
}

static int open_content(int outer, uint32_t set)
{
	uint32_t id;
	int r = bpf_map_lookup_elem(outer, &set, &id);

	return r ? r : bpf_map_get_fd_by_id(id);
}

static int cant_read(struct complaint *c, const struct set *s, int err)
{
	return complain(c, err, "the elements of set '%s' can't be read: %s", s->name,
			strerror(-err));
}

int instance_elements(const struct instance *in, uint32_t set, struct element **out, size_t *n,
		      struct complaint *c)
{
	const struct set *s = &in->rs->sets[set];
	struct regions all = { NULL, 0 };
	int fd = open_content(outer_of(in, s), set);
	int r = fd < 0 ? fd : 0;

	if (!r)
		r = s->n == 1 ? content_of_tree(&all, fd, s) : content_of_tuples(&all, fd, s);
	if (fd >= 0)
		close(fd);
	if (r)
		return cant_read(c, s, r);
	*out = all.items;
	*n = all.n;
	return 0;
}

/* What the elements of a set take now. */
static int weigh_set(const struct instance *in, uint32_t set, uint64_t *bytes)
{
	const struct set *s = &in->rs->sets[set];
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = open_content(outer_of(in, s), set);
	int r = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &len);

	if (fd >= 0)
		close(fd);
	*bytes = s->n == 1 ? image_tree_bytes(info.max_entries) :
			     image_tuples_bytes(info.max_entries);
	return r;
}

int instance_weigh(struct instance *in)
{
	uint64_t all = in->about.fixed, bytes;
	uint32_t i;
	int r = 0;

	for (i = 0; i < in->rs->n_sets && !r; i++) {
		if (!image_set_changes(&in->rs->sets[i]))
			continue;
		r = weigh_set(in, i, &bytes);
		all += bytes;
	}
	if (!r)
		in->about.takes = all;
	return r;
}

/* Whether there may be that much instead of what there is. */
static int check_memory(struct instance *in, uint32_t set, uint64_t bytes, struct complaint *c)
{
	const struct set *s = &in->rs->sets[set];
	uint64_t now, all;
	int r = instance_weigh(in);

	if (!r)
		r = weigh_set(in, set, &now);
	if (r)
		return cant_read(c, s, r);
	all = in->about.takes - now + bytes;
	if (!in->about.memory || all <= in->about.memory || bytes <= now)
		return 0;
	return complain(
		c, -E2BIG,
		"with these elements of set '%s' the ruleset would take %s, and it may take "
		"%s: reload it with more (--memory), or shorten its sets",
		s->name, size_in_words(all).text, size_in_words(in->about.memory).text);
}

/* What an element takes is known once prefixes and lines are made of them. */
static int make_content(struct instance *in, const struct set *s, uint32_t number,
			struct complaint *c)
{
	struct image_tuples tuples = { NULL, 0 };
	struct image_tree tree = { NULL, 0 };
	int r = s->n == 1 ? image_tree_of_set(&tree, s, c) :
			    image_tuples_of_set(&tuples, s, number, c);

	if (!r)
		r = check_memory(in, number,
				 s->n == 1 ? image_tree_bytes(tree.n) :
					     image_tuples_bytes(tuples.n),
				 c);
	if (!r) {
		r = s->n == 1 ? fill_tree(&tree) : fill_tuples(&tuples);
		if (r < 0)
			complain(c, r, "set '%s' can't be filled: %s", s->name, strerror(-r));
	}
	free(tree.lines);
	free(tuples.tuples);
	return r;
}

int instance_put_elements(struct instance *in, uint32_t set, const struct element *elements,
			  size_t n, struct complaint *c)
{
	struct set s = in->rs->sets[set];
	int fd, r;

	s.elements = (struct element *)elements;
	s.n_elements = n;
	fd = make_content(in, &s, set, c);
	if (fd < 0)
		return fd;
	r = bpf_map_update_elem(outer_of(in, &s), &set, &fd, BPF_ANY);
	close(fd);
	return r ? complain(c, r, "set '%s' can't be changed: %s", s.name, strerror(-r)) : 0;
}
