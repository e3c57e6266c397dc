// SPDX-License-Identifier: GPL-2.0-or-later
#include "instance.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unfrag/unfrag.h>
#include <unistd.h>

#include "fill.h"
#include "instance_maps.h"
#include "kept.h"
#include "skeleton.h"

/* libbpf 1.1 has neither a name for them nor the section. */
#define PROG_TYPE_NETFILTER   32
#define ATTACH_TYPE_NETFILTER 45

#define TRIES 8 /* to find all maps of one instance, while others replace it */

/* By enum instance_map. Key sizes are 4 in all. */
static const struct {
	const char *name;
	uint32_t type, value_size;
} maps[] = {
	[INSTANCE_ABOUT] = { "about", BPF_MAP_TYPE_ARRAY, 0 },
	[INSTANCE_LISTING] = { "listing", BPF_MAP_TYPE_ARRAY, KEPT_PAGE },
	[INSTANCE_COUNTERS] = { "counters", BPF_MAP_TYPE_PERCPU_ARRAY,
				sizeof(struct gate_counter) },
	[INSTANCE_EARLIER] = { "earlier", BPF_MAP_TYPE_ARRAY, sizeof(struct gate_counter) },
	[INSTANCE_LIMITS] = { "limits", BPF_MAP_TYPE_ARRAY, sizeof(struct gate_limit) },
	[INSTANCE_TREES] = { "trees", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t) },
	[INSTANCE_TUPLES] = { "tuples", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t) },
	[INSTANCE_EVENTS] = { "events", BPF_MAP_TYPE_RINGBUF, 0 },
	[INSTANCE_LOST] = { "lost", BPF_MAP_TYPE_ARRAY, sizeof(uint64_t) },
};

_Static_assert(sizeof(maps) / sizeof(*maps) == INSTANCE_MAP_MAX, "a map has no name");

static struct instance *new_instance(void)
{
	struct instance *in = calloc(1, sizeof(*in));

	if (in)
		memset(in->fds, 0xff, sizeof(in->fds));
	return in;
}

void instance_free(struct instance *in)
{
	int i;

	if (!in)
		return;
	for (i = 0; i < INSTANCE_MAP_MAX && !in->skel; i++)
		if (in->fds[i] >= 0)
			close(in->fds[i]);
	gate_bpf__destroy(in->skel);
	ruleset_release(&in->own);
	policy_listing_release(&in->listing);
	free(in);
}

static uint32_t ranks_of(const struct image *image)
{
	uint32_t family, hook, rank, n = 0;

	for (family = 0; family < GATE_FAMILIES; family++)
		for (hook = 0; hook < GATE_HOOKS; hook++)
			for (rank = n; rank < GATE_RANKS_MAX; rank++)
				if (image->config.place[family][hook][rank].n)
					n = rank + 1;
	return n;
}

/* Programs stand in the object in the order of ranks. */
static void choose_programs(struct gate_bpf *skel, uint32_t ranks)
{
	struct bpf_program *prog;
	uint32_t rank = 0;

	bpf_object__for_each_program(prog, skel->obj) {
		bpf_program__set_type(prog, (enum bpf_prog_type)PROG_TYPE_NETFILTER);
		bpf_program__set_expected_attach_type(prog,
						      (enum bpf_attach_type)ATTACH_TYPE_NETFILTER);
		bpf_program__set_autoload(prog, rank++ < ranks);
	}
}

static int cant_load(struct complaint *c, int err)
{
	return complain(c, err, "the ruleset can't be loaded into the kernel: %s%s", strerror(-err),
			err == -EPERM ? " (run as root)" : "");
}

static int prepare(struct instance *in, const struct image *image, const struct instance_opts *opts,
		   struct complaint *c)
{
	int r;

	in->skel = gate_bpf__open();
	if (!in->skel)
		return cant_load(c, -errno);
	memcpy((void *)&in->skel->rodata->config, &image->config, sizeof(image->config));
	choose_programs(in->skel, ranks_of(image));
	r = fill_sizes(in->skel, image);
	if (!r)
		r = kept_sizes(in->skel, opts->listing);
	if (!r)
		r = gate_bpf__load(in->skel);
	return r ? cant_load(c, r) : 0;
}

static void take_maps(struct instance *in)
{
	int i;

	for (i = 0; i < INSTANCE_MAP_MAX; i++)
		in->fds[i] = bpf_object__find_map_fd_by_name(in->skel->obj, maps[i].name);
}

static void note_memory(struct instance *in, const struct image *image)
{
	const struct image_set *s;
	size_t i;

	in->about.takes = image->memory.total;
	in->about.fixed = image->memory.total;
	for (i = 0; i < image->n_sets; i++) {
		s = &image->sets[i];
		if (image_set_changes(&in->rs->sets[i]))
			in->about.fixed -= s->tree.lines ? image_tree_bytes(s->tree.n) :
							   image_tuples_bytes(s->tuples.n);
	}
}

static int load(struct instance *in, const struct image *image, const struct instance_opts *opts,
		struct complaint *c)
{
	int r = prepare(in, image, opts, c);

	if (r)
		return r;
	take_maps(in);
	if (opts->about)
		in->about = *opts->about;
	in->about.version = KEPT_VERSION;
	in->about.since = time(NULL);
	note_memory(in, image);
	r = fill_arrays(in->skel, image, c);
	if (!r)
		r = fill_sets(in->skel, image, c);
	if (!r)
		r = kept_write(in->fds[INSTANCE_ABOUT], in->fds[INSTANCE_LISTING], &in->about,
			       opts->listing, c);
	return r;
}

int instance_load(struct instance **out, const struct image *image, const struct ruleset *rs,
		  const struct instance_opts *opts, struct complaint *c)
{
	const struct instance_opts none = { 0 };
	struct instance *in = new_instance();
	int r;

	if (!in)
		return complain(c, -ENOMEM, "no memory to load a ruleset");
	in->rs = rs;
	r = load(in, image, opts ? opts : &none, c);
	if (r)
		instance_free(in);
	else
		*out = in;
	return r;
}

/* Whether it is a map of the gate's, of this build's layout, and which one of those by its id. */
static bool is_ours(int fd, enum instance_map which, uint32_t *id)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != maps[which].type)
		return false;
	*id = info.id;
	return !maps[which].value_size || info.value_size == maps[which].value_size;
}

static int open_maps(struct instance *in, struct unfrag_attachment *att, uint32_t *first)
{
	uint32_t id;
	int i;

	for (i = 0; i < INSTANCE_MAP_MAX; i++) {
		if (in->fds[i] >= 0)
			close(in->fds[i]);
		in->fds[i] = unfrag_attachment_map(att, maps[i].name);
		if (in->fds[i] < 0)
			return in->fds[i];
		if (!is_ours(in->fds[i], (enum instance_map)i, &id))
			return i == INSTANCE_ABOUT ? -ENOENT : -EINVAL;
		if (i == INSTANCE_ABOUT)
			*first = id;
	}
	return 0;
}

/* All of the same instance: another one may have come into force meanwhile. */
static int find_maps(struct instance *in, struct unfrag_attachment *att)
{
	uint32_t first = 0, last = 0;
	int i, fd, r = -ENOENT;

	for (i = 0; i < TRIES; i++) {
		r = open_maps(in, att, &first);
		fd = unfrag_attachment_map(att, maps[INSTANCE_ABOUT].name);
		if (fd < 0)
			return fd;
		if (!is_ours(fd, INSTANCE_ABOUT, &last))
			last = 0;
		close(fd);
		if (last && first == last)
			return r;
	}
	return r ? r : -EBUSY;
}

/* Of a map, or -errno. */
static int entries_of(int fd, uint32_t *n)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int r = bpf_obj_get_info_by_fd(fd, &info, &len);

	*n = info.max_entries;
	return r;
}

/* Whether maps are of this ruleset's sizes: others would be read beyond their ends. */
static int check_sizes(const struct instance *in)
{
	const struct {
		enum instance_map map;
		size_t n;
	} want[] = {
		{ INSTANCE_COUNTERS, in->rs->n_counters }, { INSTANCE_EARLIER, in->rs->n_counters },
		{ INSTANCE_LIMITS, in->rs->n_limits },     { INSTANCE_TREES, in->rs->n_sets },
		{ INSTANCE_TUPLES, in->rs->n_sets },
	};
	uint32_t n;
	size_t i;
	int r;

	for (i = 0; i < sizeof(want) / sizeof(*want); i++) {
		r = entries_of(in->fds[want[i].map], &n);
		if (r)
			return r;
		if (n != (want[i].n ? want[i].n : 1))
			return -EINVAL;
	}
	return 0;
}

static int read_ruleset(struct instance *in)
{
	struct policy_messages said = { 0 };
	int r = kept_read(in->fds[INSTANCE_ABOUT], in->fds[INSTANCE_LISTING], &in->about,
			  &in->listing);

	if (r)
		return r;
	r = policy_parse(&in->own, &in->listing, &said);
	policy_messages_release(&said);
	in->rs = &in->own;
	if (!r)
		r = check_sizes(in);
	return r ? r : instance_weigh(in);
}

static int cant_open(struct complaint *c, int r)
{
	if (r == -ENOENT)
		return complain(c, r, "what is attached is no ruleset");
	if (r == -EINVAL)
		return complain(c, r,
				"the ruleset in force was loaded by another version, which "
				"this one can't read; load it again");
	return complain(c, r, "the ruleset in force can't be read: %s%s", strerror(-r),
			r == -EPERM || r == -EACCES ? " (run as root)" : "");
}

int instance_open(struct instance **out, struct unfrag_attachment *att, struct complaint *c)
{
	struct instance *in = new_instance();
	int r = in ? find_maps(in, att) : -ENOMEM;

	if (!r)
		r = read_ruleset(in);
	if (r)
		instance_free(in);
	else
		*out = in;
	return r ? cant_open(c, r) : 0;
}

int instance_ask(struct instance_about *out, struct unfrag_attachment *att, struct complaint *c)
{
	struct instance *in = new_instance();
	int r = in ? find_maps(in, att) : -ENOMEM;

	if (!r)
		r = kept_read(in->fds[INSTANCE_ABOUT], in->fds[INSTANCE_LISTING], out, NULL);
	instance_free(in);
	return r ? cant_open(c, r) : 0;
}

struct bpf_object *instance_object(const struct instance *in)
{
	return in->skel ? in->skel->obj : NULL;
}

uint32_t instance_programs(const struct instance *in, struct bpf_program *out[GATE_RANKS_MAX])
{
	struct bpf_program *prog;
	uint32_t n = 0;

	if (!in->skel)
		return 0;
	bpf_object__for_each_program(prog, in->skel->obj)
		if (bpf_program__autoload(prog) && n < GATE_RANKS_MAX)
			out[n++] = prog;
	return n;
}

const struct instance_about *instance_about(const struct instance *in)
{
	return &in->about;
}

const struct ruleset *instance_ruleset(const struct instance *in)
{
	return in->rs;
}

const struct policy_listing *instance_listing(const struct instance *in)
{
	return in->listing.data ? &in->listing : NULL;
}

int instance_lost(const struct instance *in, uint64_t *lost)
{
	const uint32_t key = 0;

	return bpf_map_lookup_elem(in->fds[INSTANCE_LOST], &key, lost);
}

int instance_events(const struct instance *in)
{
	return in->fds[INSTANCE_EVENTS];
}
