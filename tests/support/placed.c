// SPDX-License-Identifier: GPL-2.0-or-later
#include "placed.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

struct unfrag_place placed_at(enum unfrag_hook hook, int n, uint32_t program)
{
	return (struct unfrag_place){ UNFRAG_FAMILIES_BOTH, hook, life_priority(n), program };
}

/* The two constants of the object, in the order in which they are declared. */
static void set_constants(struct bpf_object *obj, uint32_t content, int dropper)
{
	struct bpf_map *map;
	uint32_t *values;
	size_t size;

	bpf_object__for_each_map(map, obj) {
		if (!strstr(bpf_map__name(map), ".rodata"))
			continue;
		values = (uint32_t *)bpf_map__initial_value(map, &size);
		assert_true(values && size == 2 * sizeof(*values));
		values[0] = content;
		if (dropper >= 0)
			values[1] = (uint32_t)dropper;
		return;
	}
	assert_true(false);
}

struct bpf_object *placed_load(struct unfrag_attachment *att, uint32_t content, int dropper)
{
	struct bpf_object *obj = bpf_object__open(LIFE_OBJECT("places"));
	int kept;

	assert_non_null(obj);
	set_constants(obj, content, dropper);
	kept = att ? unfrag_attachment_reuse_maps(att, obj) : 0;
	if (att && kept != -EBADF)
		assert_int_equal(kept, 2);
	test_ok(bpf_object__load(obj));
	return obj;
}

static void find_programs(struct bpf_object *obj, struct bpf_program *progs[PLACES_PROGRAMS])
{
	char name[32];

	for (int i = 0; i < PLACES_PROGRAMS; i++) {
		snprintf(name, sizeof(name), "life_place_%d", i);
		progs[i] = bpf_object__find_program_by_name(obj, name);
	}
}

int placed_attach_object(struct unfrag_attachment **out, const struct life *l,
			 struct bpf_object *obj, const struct unfrag_place *places, uint32_t n)
{
	struct bpf_program *progs[PLACES_PROGRAMS];
	struct unfrag_attach_opts opts = {
		.sz = sizeof(opts),
		.netns = l->path,
		.places = places,
		.n_places = n,
		.programs = progs,
		.n_programs = PLACES_PROGRAMS,
	};

	find_programs(obj, progs);
	return unfrag_attachment_attach(out, PLACED_NAME, obj, NULL, &opts);
}

int placed_replace_object(struct unfrag_attachment *att, struct bpf_object *obj,
			  const struct unfrag_place *places, uint32_t n)
{
	struct bpf_program *progs[PLACES_PROGRAMS];
	struct unfrag_replace_opts opts = {
		.sz = sizeof(opts),
		.places = places,
		.n_places = n,
		.programs = progs,
		.n_programs = PLACES_PROGRAMS,
	};

	find_programs(obj, progs);
	return unfrag_attachment_replace(att, obj, NULL, &opts);
}

int placed_attach(struct unfrag_attachment **out, const struct life *l,
		  const struct unfrag_place *places, uint32_t n, int dropper)
{
	struct bpf_object *obj = placed_load(NULL, 1, dropper);
	int r = placed_attach_object(out, l, obj, places, n);

	bpf_object__close(obj);
	return r;
}

int placed_replace(struct unfrag_attachment *att, uint32_t content,
		   const struct unfrag_place *places, uint32_t n, int dropper)
{
	struct bpf_object *obj = placed_load(att, content, dropper);
	int r = placed_replace_object(att, obj, places, n);

	bpf_object__close(obj);
	return r;
}

void placed_counts(uint64_t counts[PLACES_PROGRAMS])
{
	lab_autoclose int fd = test_ok(bpf_obj_get(LIFE_ROOT "/" PLACED_NAME "/maps/counts"));

	for (uint32_t i = 0; i < PLACES_PROGRAMS; i++)
		test_ok(bpf_map_lookup_elem(fd, &i, &counts[i]));
}

void placed_expect_more(const struct life *l, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t before[PLACES_PROGRAMS], after[PLACES_PROGRAMS];

	placed_counts(before);
	assert_true(life_ping(l, AF_INET, LIFE_DEADLINE_MS));
	assert_true(life_ping(l, AF_INET6, LIFE_DEADLINE_MS));
	placed_counts(after);
	assert_int_equal(after[0] - before[0], a);
	assert_int_equal(after[1] - before[1], b);
	assert_int_equal(after[2] - before[2], c);
}
