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

static int make_content(const struct set *s, uint32_t number, struct complaint *c)
{
	struct image_tuples tuples = { NULL, 0 };
	struct image_tree tree = { NULL, 0 };
	int r = s->n == 1 ? image_tree_of_set(&tree, s, c) :
			    image_tuples_of_set(&tuples, s, number, c);

	if (r)
		return r;
	r = s->n == 1 ? fill_tree(&tree) : fill_tuples(&tuples);
	free(tree.lines);
	free(tuples.tuples);
	return r < 0 ? complain(c, r, "set '%s' can't be filled: %s", s->name, strerror(-r)) : r;
}

int instance_put_elements(struct instance *in, uint32_t set, const struct element *elements,
			  size_t n, struct complaint *c)
{
	struct set s = in->rs->sets[set];
	int fd, r;

	s.elements = (struct element *)elements;
	s.n_elements = n;
	fd = make_content(&s, set, c);
	if (fd < 0)
		return fd;
	r = bpf_map_update_elem(outer_of(in, &s), &set, &fd, BPF_ANY);
	close(fd);
	return r ? complain(c, r, "set '%s' can't be changed: %s", s.name, strerror(-r)) : 0;
}
