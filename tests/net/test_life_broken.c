// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attachments that something was done to behind the library's back: each is shown as broken, or
 * orphaned, with the reason; a replace refuses it, or mends it where a program is all that is
 * missing; detach cleans it, and its name can be used again.
 */
#include <bpf/bpf.h>
#include <child.h>
#include <errno.h>
#include <life.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <test.h>

#include "about.h"

#define NAME  "hurt"
#define HOOKS (1u << UNFRAG_HOOK_PREROUTING | 1u << UNFRAG_HOOK_INPUT)

static void attach(const struct life *l, uint32_t flags)
{
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH, HOOKS);
	struct unfrag_attachment *att;

	opts.flags |= flags;
	test_ok(life_attach(&att, NAME, LIFE_OBJECT("a"), &opts));
	unfrag_attachment_free(att);
	life_expect_links(4);
}

static const char *pin(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), LIFE_ROOT "/" NAME "/%s", name);
	return path;
}

static int replace(void)
{
	struct bpf_object *obj = life_load(LIFE_OBJECT("b"));
	struct unfrag_attachment *att;
	int r;

	test_ok(unfrag_attachment_open(&att, NAME));
	r = unfrag_attachment_replace(att, obj, NULL, NULL);
	unfrag_attachment_free(att);
	bpf_object__close(obj);
	return r;
}

/* What a look alone, or a look that tries, has to say of it. */
static int look(bool trying, struct unfrag_attachment_info *info)
{
	struct unfrag_attachment *att;

	memset(info, 0, sizeof(*info));
	info->sz = sizeof(*info);
	test_ok(unfrag_attachment_open(&att, NAME));
	test_ok(trying ? unfrag_attachment_check(att, info) : unfrag_attachment_info(att, info));
	unfrag_attachment_free(att);
	return (int)info->state;
}

static void expect_cleaned(const struct life *l)
{
	life_detach(NAME);
	life_expect_nothing();
	assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 0);
	assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV6), 0);
	life_expect_pings(l);
	attach(l, 0);
	assert_int_equal(life_state(NAME, NULL), UNFRAG_STATE_READY);
	life_detach(NAME);
	life_expect_nothing();
}

static void expect_broken(const struct life *l, const char *problem)
{
	struct unfrag_attachment_info info;

	for (int trying = 0; trying < 2; trying++) {
		assert_int_equal(look(trying, &info), UNFRAG_STATE_BROKEN);
		if (!strstr(info.problem, problem))
			printf("# '%s' is not in: %s\n", problem, info.problem);
		assert_non_null(strstr(info.problem, problem));
	}
	test_err(replace(), -EBADF);
	expect_cleaned(l);
}

/* What only a program is missing from. */
static void expect_mendable(const struct life *l, const char *problem)
{
	struct unfrag_attachment_info info;

	assert_int_equal(look(false, &info), UNFRAG_STATE_BROKEN);
	assert_non_null(strstr(info.problem, problem));
	test_ok(replace());
	assert_int_equal(look(true, &info), UNFRAG_STATE_READY);
	assert_string_equal(info.problem, "");
	assert_string_equal(info.program, "life_judge_b");
	life_expect_judging(l, NAME, &info);
	expect_cleaned(l);
}

static void a_link_that_was_unpinned(void *state)
{
	struct unfrag_attachment_info info;

	attach(state, 0);
	assert_int_equal(unlink(pin("link-ipv6-input")), 0);
	life_expect_links(3);
	look(false, &info);
	assert_int_equal(info.links, 3);
	expect_broken(state, "link-ipv6-input is missing");
}

static void all_links_unpinned(void *state)
{
	attach(state, 0);
	assert_int_equal(unlink(pin("link-ipv4-prerouting")), 0);
	assert_int_equal(unlink(pin("link-ipv4-input")), 0);
	assert_int_equal(unlink(pin("link-ipv6-prerouting")), 0);
	assert_int_equal(unlink(pin("link-ipv6-input")), 0);
	life_expect_links(0);
	expect_broken(state, "link-ipv4-prerouting is missing");
}

/* The kernel tells as much of it as before. Only who tries its place learns of it. */
static void a_link_that_was_detached_by_force(void *state)
{
	struct unfrag_attachment_info info;
	lab_autoclose int fd = -1;

	attach(state, 0);
	fd = test_ok(bpf_obj_get(pin("link-ipv4-input")));
	test_ok(bpf_link_detach(fd));
	assert_int_equal(look(true, &info), UNFRAG_STATE_BROKEN);
	assert_non_null(strstr(info.problem, "link-ipv4-input"));
	lab_closep(&fd);
	fd = -1;
	expect_cleaned(state);
}

static void a_pin_that_is_something_else(void *state)
{
	attach(state, 0);
	assert_int_equal(unlink(pin("link-ipv4-input")), 0);
	assert_int_equal(mkdir(pin("link-ipv4-input"), 0700), 0);
	expect_broken(state, "link-ipv4-input");
}

static void the_description_removed(void *state)
{
	attach(state, 0);
	assert_int_equal(unlink(pin("about")), 0);
	expect_broken(state, "cut short");
}

static void a_description_of_another_version(void *state)
{
	struct about about;
	uint32_t key = 0;
	lab_autoclose int fd = -1;

	attach(state, 0);
	fd = test_ok(bpf_obj_get(pin("about")));
	test_ok(bpf_map_lookup_elem(fd, &key, &about));
	about.version++;
	test_ok(bpf_map_update_elem(fd, &key, &about, BPF_ANY));
	expect_broken(state, "version");
}

static void a_description_that_was_never_finished(void *state)
{
	struct about about;
	uint32_t key = 0;
	lab_autoclose int fd = -1;

	attach(state, 0);
	fd = test_ok(bpf_obj_get(pin("about")));
	test_ok(bpf_map_lookup_elem(fd, &key, &about));
	about.state = ABOUT_STARTING;
	test_ok(bpf_map_update_elem(fd, &key, &about, BPF_ANY));
	expect_broken(state, "cut short");
}

static void empty_the_slot(void)
{
	lab_autoclose int fd = test_ok(bpf_obj_get(pin("slot")));
	uint32_t key = 0;

	test_ok(bpf_map_delete_elem(fd, &key));
}

static void an_empty_slot_which_drops(void *state)
{
	attach(state, 0);
	empty_the_slot();
	assert_false(life_ping(state, AF_INET, 50));
	assert_false(life_ping(state, AF_INET6, 50));
	assert_true(life_count(NAME, UNFRAG_OUTCOME_SLOT_EMPTY) == 2);
	assert_true(life_count(NAME, -1) == 2);
	expect_mendable(state, "no program in the slot");
}

static void an_empty_slot_which_accepts_if_asked_to(void *state)
{
	attach(state, UNFRAG_ATTACH_ACCEPT_EMPTY);
	empty_the_slot();
	assert_true(life_ping(state, AF_INET, LIFE_DEADLINE_MS));
	assert_true(life_ping(state, AF_INET6, LIFE_DEADLINE_MS));
	/* At two hooks each. */
	assert_true(life_count(NAME, UNFRAG_OUTCOME_SLOT_EMPTY) == 4);
	expect_mendable(state, "no program in the slot");
}

/* Nobody but the pin keeps what is in a slot. */
static void the_slot_unpinned(void *state)
{
	attach(state, 0);
	assert_int_equal(unlink(pin("slot")), 0);
	expect_broken(state, "slot is missing");
}

static void the_programs_description_removed(void *state)
{
	struct unfrag_attachment_info info;
	char name[32];

	attach(state, 0);
	look(false, &info);
	snprintf(name, sizeof(name), "program-%u", info.program_id);
	assert_int_equal(unlink(pin(name)), 0);
	expect_mendable(state, "not described");
}

static void a_directory_and_nothing_in_it(void *state)
{
	attach(state, 0);
	life_detach(NAME);
	assert_int_equal(mkdir(LIFE_ROOT "/" NAME, 0700), 0);
	expect_broken(state, "cut short");
}

static void counters_unpinned_are_said_to_be_gone(void *state)
{
	struct unfrag_counters counters = { .sz = sizeof(counters) };
	struct unfrag_attachment *att;

	attach(state, 0);
	assert_int_equal(unlink(pin("counters")), 0);
	test_ok(unfrag_attachment_open(&att, NAME));
	test_err(unfrag_attachment_counters(att, UNFRAG_FAMILIES_IPV4, UNFRAG_HOOK_INPUT,
					    &counters),
		 -EBADF);
	unfrag_attachment_free(att);
	expect_cleaned(state);
}

/* What people put there is not ours to judge, but ours to take away with the rest. */
static void strange_entries_go_with_it(void *state)
{
	attach(state, 0);
	assert_int_equal(mkdir(pin("strange"), 0700), 0);
	assert_int_equal(mkdir(pin("strange/deeper"), 0700), 0);
	assert_int_equal(symlink("/nowhere", pin("dangling")), 0);
	assert_int_equal(life_state(NAME, NULL), UNFRAG_STATE_READY);
	expect_cleaned(state);
}

static void a_deleted_namespace_which_detach_lets_go(void *state)
{
	struct unfrag_attach_opts opts = life_opts(state, UNFRAG_FAMILIES_BOTH, HOOKS);
	struct unfrag_attachment_info info;
	struct unfrag_attachment *att;
	char name[32];

	life_named_ns(state, name, sizeof(name));
	opts.netns = name;
	test_ok(life_attach(&att, NAME, LIFE_OBJECT("a"), &opts));
	unfrag_attachment_free(att);
	for (int trying = 0; trying < 2; trying++) {
		assert_int_equal(look(trying, &info), UNFRAG_STATE_READY);
		assert_string_equal(info.netns, name);
	}
	assert_int_equal(lab_ns_run(NULL, "ip netns del %s", name), 0);
	for (int trying = 0; trying < 2; trying++) {
		assert_int_equal(look(trying, &info), UNFRAG_STATE_ORPHANED);
		assert_string_equal(info.netns, "");
		assert_string_not_equal(info.problem, "");
		assert_int_equal(info.links, 4);
	}
	assert_true(life_named_ns_lives(state));
	life_detach(NAME);
	life_expect_nothing();
	life_expect_named_ns_gone(state);
}

/* Its program can still be replaced: it may get its name back. */
static void an_orphan_that_gets_a_process_again(void *state)
{
	struct unfrag_attach_opts opts = life_opts(state, UNFRAG_FAMILIES_BOTH, HOOKS);
	struct unfrag_attachment_info info;
	struct unfrag_attachment *att;
	char name[32], path[64];
	pid_t keeper;

	life_named_ns(state, name, sizeof(name));
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	opts.netns = path;
	test_ok(life_attach(&att, NAME, LIFE_OBJECT("a"), &opts));
	unfrag_attachment_free(att);
	keeper = life_keeper_at(path);
	assert_int_equal(lab_ns_run(NULL, "ip netns del %s", name), 0);
	assert_int_equal(look(true, &info), UNFRAG_STATE_READY);
	snprintf(path, sizeof(path), "pid:%d", (int)keeper);
	assert_string_equal(info.netns, path);
	lab_child_kill(keeper);
	assert_int_equal(look(true, &info), UNFRAG_STATE_ORPHANED);
	test_ok(replace());
	look(false, &info);
	assert_string_equal(info.program, "life_judge_b");
	life_detach(NAME);
	life_expect_named_ns_gone(state);
}

static const struct test tests[] = {
	TEST_WITH(a_link_that_was_unpinned, life_up, life_down),
	TEST_WITH(all_links_unpinned, life_up, life_down),
	TEST_WITH(a_link_that_was_detached_by_force, life_up, life_down),
	TEST_WITH(a_pin_that_is_something_else, life_up, life_down),
	TEST_WITH(the_description_removed, life_up, life_down),
	TEST_WITH(a_description_of_another_version, life_up, life_down),
	TEST_WITH(a_description_that_was_never_finished, life_up, life_down),
	TEST_WITH(an_empty_slot_which_drops, life_up, life_down),
	TEST_WITH(an_empty_slot_which_accepts_if_asked_to, life_up, life_down),
	TEST_WITH(the_slot_unpinned, life_up, life_down),
	TEST_WITH(the_programs_description_removed, life_up, life_down),
	TEST_WITH(a_directory_and_nothing_in_it, life_up, life_down),
	TEST_WITH(counters_unpinned_are_said_to_be_gone, life_up, life_down),
	TEST_WITH(strange_entries_go_with_it, life_up, life_down),
	TEST_WITH(a_deleted_namespace_which_detach_lets_go, life_up, life_down),
	TEST_WITH(an_orphan_that_gets_a_process_again, life_up, life_down),
};

TEST_MAIN(tests);
