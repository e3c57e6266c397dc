// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Another program for an attachment: which maps it brings and which it keeps, and that the old one
 * stays in force when that fails. Under traffic: test_life_traffic.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <life.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define NAME "life"
#define HOOK (1u << UNFRAG_HOOK_INPUT)

static struct unfrag_attachment *attach(const struct life *l, const char *path)
{
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH, HOOK);
	struct unfrag_attachment *att;

	test_ok(life_attach(&att, NAME, path, &opts));
	return att;
}

/* The name "maps" leads to the maps of the program in force. */
static int open_map(const char *which)
{
	char path[256];

	snprintf(path, sizeof(path), LIFE_ROOT "/" NAME "/maps/%s", which);
	return bpf_obj_get(path);
}

static void maps_are_pinned_under_their_names_and_can_be_read(void *state)
{
	struct unfrag_attachment *att = attach(state, LIFE_OBJECT("a"));
	lab_autoclose int layout = test_ok(open_map("layout"));
	lab_autoclose int data = test_ok(open_map("life_a_bss"));
	char pins[256];
	uint32_t key = 0;
	uint64_t n, runs;

	assert_true(life_ping(state, AF_INET, LIFE_DEADLINE_MS));
	assert_true(life_ping(state, AF_INET6, LIFE_DEADLINE_MS));
	test_ok(bpf_map_lookup_elem(layout, &key, &n));
	assert_true(n == 2);
	test_ok(bpf_map_lookup_elem(data, &key, &runs));
	assert_true(runs == 2);
	assert_int_equal(life_judged(NAME, 0, LIFE_A).mine, 2);
	test_ok(life_replace(att, LIFE_OBJECT("b"), NULL));
	life_entries(NAME "/maps", pins, sizeof(pins));
	assert_string_equal(pins, "judged layout life_b_bss ");
	test_err(open_map("life_a_bss"), -ENOENT);
	life_end(att);
}

static void maps_of_the_program_in_force_are_opened_by_their_names(void *state)
{
	struct unfrag_attachment *att = attach(state, LIFE_OBJECT("a"));

	close(test_ok(unfrag_attachment_map(att, "life_a_bss")));
	test_err(unfrag_attachment_map(att, "nothing"), -ENOENT);
	test_err(unfrag_attachment_map(att, "../life_a_bss"), -EINVAL);
	test_err(unfrag_attachment_map(att, ""), -EINVAL);
	test_ok(life_replace(att, LIFE_OBJECT("b"), NULL));
	test_err(unfrag_attachment_map(att, "life_a_bss"), -ENOENT);
	close(test_ok(unfrag_attachment_map(att, "life_b_bss")));
	life_end(att);
}

static void a_lock_keeps_others_out_and_lets_its_own_handle_pass(void *state)
{
	struct unfrag_attachment *att = attach(state, LIFE_OBJECT("a")), *other;

	test_ok(unfrag_attachment_open(&other, NAME));
	test_ok(unfrag_attachment_lock(att));
	test_err(unfrag_attachment_lock(att), -EDEADLK);
	test_err(unfrag_attachment_lock(other), -EBUSY);
	test_ok(life_replace(att, LIFE_OBJECT("b"), NULL));
	test_err(life_replace(other, LIFE_OBJECT("a"), NULL), -EBUSY);
	assert_int_equal(life_info(other).state, UNFRAG_STATE_READY);
	unfrag_attachment_unlock(att);
	test_ok(unfrag_attachment_lock(other));
	unfrag_attachment_free(other);
	test_ok(life_replace(att, LIFE_OBJECT("a"), NULL));
	life_end(att);
}

/* Replaces A by B, with B's maps those of A where they can be. */
static int replace_keeping(struct unfrag_attachment *att, const char *path)
{
	struct bpf_object *obj = bpf_object__open(path);
	int kept;

	assert_non_null(obj);
	kept = test_ok(unfrag_attachment_reuse_maps(att, obj));
	test_ok(bpf_object__load(obj));
	test_ok(unfrag_attachment_replace(att, obj, NULL, NULL));
	bpf_object__close(obj);
	return kept;
}

static void only_maps_of_the_same_name_and_layout_are_kept(void *state)
{
	struct unfrag_attachment *att = attach(state, LIFE_OBJECT("a"));
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info), key = 0;
	lab_autoclose int layout = -1;
	uint64_t n;

	assert_true(life_ping(state, AF_INET, LIFE_DEADLINE_MS));
	assert_int_equal(replace_keeping(att, LIFE_OBJECT("b")), 1);
	assert_int_equal(life_judged(NAME, 0, LIFE_A).mine, 1);
	assert_int_equal(life_judged(NAME, 0, LIFE_B).mine, 0);
	layout = test_ok(open_map("layout"));
	test_ok(bpf_obj_get_info_by_fd(layout, &info, &len));
	assert_int_equal(info.max_entries, LIFE_LAYOUT_B);
	test_ok(bpf_map_lookup_elem(layout, &key, &n));
	assert_true(n == 0);
	assert_true(life_ping(state, AF_INET, LIFE_DEADLINE_MS));
	assert_int_equal(life_judged(NAME, 0, LIFE_B).mine, 1);
	/* Back: contents are still those of both. Its own kind keeps two, and never global data. */
	assert_int_equal(replace_keeping(att, LIFE_OBJECT("a")), 1);
	assert_int_equal(life_judged(NAME, 0, LIFE_B).mine, 1);
	assert_int_equal(replace_keeping(att, LIFE_OBJECT("a")), 2);
	assert_int_equal(life_judged(NAME, 0, LIFE_A).mine, 1);
	test_ok(life_replace(att, LIFE_OBJECT("a"), NULL));
	assert_int_equal(life_judged(NAME, 0, LIFE_A).mine, 0);
	life_end(att);
}

static void a_replace_that_fails_keeps_the_old_program(void *state)
{
	struct unfrag_attachment *att = attach(state, LIFE_OBJECT("a"));
	struct bpf_object *unloaded = bpf_object__open(LIFE_OBJECT("b"));
	struct bpf_object *xdp = life_load(LIFE_OBJECT("xdp"));
	struct bpf_object *several = life_load(LIFE_OBJECT("several"));
	struct unfrag_replace_opts opts = { .sz = 3 };
	struct unfrag_attachment_info info = life_info(att);
	char pins[512], now[512];

	life_entries(NAME, pins, sizeof(pins));
	assert_non_null(unloaded);
	test_err(unfrag_attachment_replace(att, unloaded, NULL, NULL), -EINVAL);
	test_err(unfrag_attachment_replace(att, xdp, NULL, NULL), -EINVAL);
	test_err(unfrag_attachment_replace(att, xdp, bpf_object__next_program(xdp, NULL), NULL),
		 -EINVAL);
	test_err(unfrag_attachment_replace(att, several, NULL, NULL), -EINVAL);
	assert_non_null(strstr(life_said(), "life_drop"));
	test_err(unfrag_attachment_replace(att, several, NULL, &opts), -EINVAL);
	assert_int_equal(life_info(att).program_id, info.program_id);
	life_expect_judging(state, NAME, &info);
	assert_int_equal(life_judged(NAME, 0, LIFE_A).mine, 2);
	life_entries(NAME, now, sizeof(now));
	assert_string_equal(now, pins);
	bpf_object__close(unloaded);
	bpf_object__close(xdp);
	bpf_object__close(several);
	life_end(att);
}

static void a_program_replaces_itself_without_harm(void *state)
{
	struct unfrag_attach_opts opts = life_opts(state, UNFRAG_FAMILIES_BOTH, HOOK);
	struct bpf_object *obj = life_load(LIFE_OBJECT("a"));
	struct unfrag_attachment_info info;
	struct unfrag_attachment *att;

	test_ok(unfrag_attachment_attach(&att, NAME, obj, NULL, &opts));
	info = life_info(att);
	assert_true(life_ping(state, AF_INET, LIFE_DEADLINE_MS));
	test_ok(unfrag_attachment_replace(att, obj, NULL, NULL));
	assert_int_equal(life_info(att).program_id, info.program_id);
	assert_int_equal(life_judged(NAME, 0, LIFE_A).mine, 1);
	life_expect_judging(state, NAME, &info);
	bpf_object__close(obj);
	life_end(att);
}

static const struct test tests[] = {
	TEST_WITH(maps_are_pinned_under_their_names_and_can_be_read, life_up, life_down),
	TEST_WITH(maps_of_the_program_in_force_are_opened_by_their_names, life_up, life_down),
	TEST_WITH(a_lock_keeps_others_out_and_lets_its_own_handle_pass, life_up, life_down),
	TEST_WITH(only_maps_of_the_same_name_and_layout_are_kept, life_up, life_down),
	TEST_WITH(a_replace_that_fails_keeps_the_old_program, life_up, life_down),
	TEST_WITH(a_program_replaces_itself_without_harm, life_up, life_down),
};

TEST_MAIN(tests);
