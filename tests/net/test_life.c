// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of an attachment, from attach to detach, through the library: what is told of it, who
 * can go on with it, and that it is made as a whole or not at all. What a replace keeps is in
 * test_life_replace.c, what traffic meets in test_life_traffic.c, and what can go wrong with it
 * later in test_life_broken.c.
 */
#include <child.h>
#include <errno.h>
#include <life.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define NAME   "life"
#define LISTED 64

#define HOOK(name) (1u << UNFRAG_HOOK_##name)
#define LOCAL_HOOKS \
	(HOOK(PREROUTING) | HOOK(INPUT) | HOOK(FORWARD) | HOOK(OUTPUT) | HOOK(POSTROUTING))

static struct unfrag_attachment *attach(const struct life *l, const char *name, const char *path)
{
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH, HOOK(INPUT));
	struct unfrag_attachment *att;

	test_ok(life_attach(&att, name, path, &opts));
	return att;
}

static void live_through(const struct life *l, uint32_t families, uint32_t hooks, int links)
{
	struct unfrag_attach_opts opts = life_opts(l, families, hooks);
	struct unfrag_attachment_info info;
	struct unfrag_attachment *att;
	uint64_t packets;

	test_ok(life_attach(&att, NAME, LIFE_OBJECT("a"), &opts));
	info = life_info(att);
	assert_int_equal(info.state, UNFRAG_STATE_READY);
	assert_int_equal(info.families, families);
	assert_int_equal(info.hooks, hooks);
	assert_int_equal(info.links, links);
	life_expect_links(links);
	life_expect_judging(l, NAME, &info);
	packets = life_count(NAME, -1);
	assert_int_equal(life_judged(NAME, 0, LIFE_A).all, packets);
	test_ok(life_replace(att, LIFE_OBJECT("b"), NULL));
	info = life_info(att);
	assert_string_equal(info.program, "life_judge_b");
	life_expect_judging(l, NAME, &info);
	assert_int_equal(life_judged(NAME, 0, LIFE_B).all, life_count(NAME, -1) - packets);
	life_expect_links(links);
	life_end(att);
	life_expect_pings(l);
}

static void it_lives_from_attach_to_detach_at_each_family_and_hook(void *state)
{
	for (uint32_t families = 1; families <= UNFRAG_FAMILIES_BOTH; families++)
		for (int hook = 0; hook < UNFRAG_HOOK_MAX; hook++)
			live_through(state, families, 1u << hook, families == 3 ? 2 : 1);
	live_through(state, UNFRAG_FAMILIES_BOTH, HOOK(PREROUTING) | HOOK(OUTPUT), 4);
	live_through(state, UNFRAG_FAMILIES_BOTH, LOCAL_HOOKS, 10);
}

static void it_tells_what_it_is(void *state)
{
	const struct life *l = state;
	struct unfrag_attach_opts opts = { .sz = sizeof(opts), .netns = l->path };
	struct unfrag_attachment_info info;
	struct unfrag_attachment *att;
	int64_t before = time(NULL);
	uint64_t inode;

	opts.source = "/some/where/a.bpf.o";
	test_ok(unfrag_netns_inode(l->path, &inode));
	test_ok(life_attach(&att, NAME, LIFE_OBJECT("a"), &opts));
	info = life_info(att);
	assert_string_equal(info.problem, "");
	assert_int_equal(info.families, UNFRAG_FAMILIES_BOTH);
	assert_int_equal(info.hooks, HOOK(PREROUTING));
	assert_int_equal(info.priority, UNFRAG_PRIORITY_DEFAULT);
	assert_int_equal(info.flags, 0);
	assert_true(info.netns_inode == inode);
	assert_string_not_equal(info.netns, "");
	assert_string_equal(info.program, "life_judge_a");
	assert_string_equal(info.source, "/some/where/a.bpf.o");
	assert_int_not_equal(info.program_id, 0);
	assert_true(info.since >= before && info.since <= time(NULL));
	assert_true(info.program_since >= before && info.program_since <= time(NULL));
	test_ok(life_replace(att, LIFE_OBJECT("b"), "b.o"));
	assert_string_equal(life_info(att).source, "b.o");
	assert_true(life_info(att).since == info.since);
	assert_int_not_equal(life_info(att).program_id, info.program_id);
	test_ok(life_replace(att, LIFE_OBJECT("a"), NULL));
	assert_string_equal(life_info(att).source, "");
	life_end(att);
}

struct place {
	const struct bpf_program *prog;
	struct unfrag_netfilter_opts opts;
	struct bpf_link *link;
};

static int take_place(void *arg)
{
	struct place *p = arg;

	p->link = unfrag_attach_netfilter(p->prog, &p->opts);
	return p->link ? 0 : -errno;
}

static void it_is_not_made_if_any_of_its_places_is_taken(void *state)
{
	static const uint32_t hooks[] = { UNFRAG_HOOK_PREROUTING, UNFRAG_HOOK_INPUT };
	struct unfrag_attach_opts opts = life_opts(state, UNFRAG_FAMILIES_BOTH,
						   HOOK(PREROUTING) | HOOK(INPUT));
	struct bpf_object *obj = life_load(LIFE_OBJECT("plain"));
	struct unfrag_attachment *att = NULL;
	const struct life *l = state;

	for (int i = 0; i < 4; i++) {
		struct place p = {
			.prog = bpf_object__next_program(obj, NULL),
			.opts = {
				.sz = sizeof(p.opts),
				.pf = i & 1 ? 10 : 2,
				.hook = hooks[i / 2],
				.priority = life_priority(0),
			},
		};

		test_ok(lab_ns_call(l->ns, take_place, &p));
		life_expect_links(1);
		test_err(unfrag_attachment_attach(&att, NAME, obj, NULL, &opts), -EBUSY);
		assert_null(att);
		assert_non_null(strstr(life_said(), "taken"));
		assert_non_null(strstr(life_said(), unfrag_hook_name(p.opts.hook)));
		assert_int_equal(life_links(), 1);
		test_err(life_state(NAME, NULL), -ENOENT);
		assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 0);
		assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV6), 0);
		life_expect_pings(l);
		assert_int_equal(bpf_link__destroy(p.link), 0);
		life_expect_nothing();
	}
	test_ok(unfrag_attachment_attach(&att, NAME, obj, NULL, &opts));
	bpf_object__close(obj);
	life_end(att);
}

static void expect_bad(const char *name, struct bpf_object *obj,
		       const struct unfrag_attach_opts *opts, int err, const char *word)
{
	struct unfrag_attachment *att = NULL;

	test_err(unfrag_attachment_attach(&att, name, obj, NULL, opts), err);
	assert_null(att);
	if (!strstr(life_said(), word))
		printf("# '%s' is not in: %s\n", word, life_said());
	assert_non_null(strstr(life_said(), word));
	life_expect_nothing();
}

static void bad_arguments_are_refused_and_leave_nothing(void *state)
{
	static const char *const names[] = {
		"",         "-x",
		"_x",       ".",
		"..",       "a/b",
		"a b",      "a.b",
		"\xc3\xa9", "0123456789012345678901234567890123456789012345678901234567890123",
	};
	const struct unfrag_attach_opts good = life_opts(state, 0, 0);
	struct bpf_object *obj = life_load(LIFE_OBJECT("plain"));
	struct {
		struct unfrag_attach_opts opts;
		uint64_t tail;
	} newer = { .opts = good, .tail = 1 };
	struct unfrag_attach_opts opts = good;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_bad(names[i], obj, &opts, -EINVAL, "name");
	expect_bad(NULL, obj, &opts, -EINVAL, "name");
	opts.families = 0x4;
	expect_bad(NAME, obj, &opts, -EINVAL, "families");
	opts = good;
	opts.hooks = 0x20;
	expect_bad(NAME, obj, &opts, -EINVAL, "hooks");
	opts = good;
	opts.flags |= 0x100;
	expect_bad(NAME, obj, &opts, -EINVAL, "not know");
	opts = good;
	opts.sz = 4;
	expect_bad(NAME, obj, &opts, -EINVAL, "not know");
	newer.opts.sz = sizeof(newer);
	expect_bad(NAME, obj, &newer.opts, -EINVAL, "not know");
	opts = good;
	opts.netns = "no-such-namespace";
	expect_bad(NAME, obj, &opts, -ENOENT, "no-such-namespace");
	opts = good;
	opts.priority = UNFRAG_PRIORITY_DEFRAG;
	expect_bad(NAME, obj, &opts, -ERANGE, "-399");
	opts.priority = INT32_MAX;
	expect_bad(NAME, obj, &opts, -ERANGE, "2147483646");
	bpf_object__close(obj);
}

static void options_of_a_newer_caller_that_are_not_set_do_no_harm(void *state)
{
	struct {
		struct unfrag_attach_opts opts;
		uint64_t tail;
	} newer = { .opts = life_opts(state, UNFRAG_FAMILIES_IPV4, HOOK(INPUT)) };
	char name[UNFRAG_NAME_MAX + 1];
	struct unfrag_attachment *att;

	memset(name, 'n', sizeof(name) - 1);
	name[UNFRAG_NAME_MAX] = '\0';
	newer.opts.sz = sizeof(newer);
	test_ok(life_attach(&att, name, LIFE_OBJECT("plain"), &newer.opts));
	assert_int_equal(life_state(name, NULL), UNFRAG_STATE_READY);
	life_end(att);
}

static void a_name_is_given_once(void *state)
{
	struct unfrag_attachment *first = attach(state, NAME, LIFE_OBJECT("plain")), *second = NULL;
	struct unfrag_attach_opts opts = life_opts(state, 0, HOOK(INPUT));

	opts.priority = life_priority(1);
	test_err(life_attach(&second, NAME, LIFE_OBJECT("a"), &opts), -EEXIST);
	assert_null(second);
	assert_non_null(strstr(life_said(), "in use"));
	life_expect_links(2);
	assert_int_equal(life_info(first).state, UNFRAG_STATE_READY);
	life_end(first);
}

static int note_name(const char *name, void *arg)
{
	char *names = arg;
	size_t len = strlen(names);

	snprintf(names + len, LISTED - len, "%s ", name);
	return strcmp(name, "c") ? 0 : 17;
}

static void all_are_listed_in_order_until_told_to_stop(void *state)
{
	static const char *const names[] = { "d", "b", "a", "c" };
	struct unfrag_attach_opts opts = life_opts(state, UNFRAG_FAMILIES_IPV4, HOOK(INPUT));
	struct unfrag_attachment *att;
	char listed[LISTED] = "";

	test_ok(unfrag_attachment_each(note_name, listed));
	assert_string_equal(listed, "");
	for (int i = 0; i < 4; i++) {
		opts.priority = life_priority(i);
		test_ok(life_attach(&att, names[i], LIFE_OBJECT("plain"), &opts));
		unfrag_attachment_free(att);
	}
	assert_int_equal(unfrag_attachment_each(note_name, listed), 17);
	assert_string_equal(listed, "a b c ");
	for (int i = 0; i < 4; i++)
		life_detach(names[i]);
	life_expect_nothing();
}

static void a_handle_outlives_what_it_stands_for(void *state)
{
	struct unfrag_attachment *old = attach(state, NAME, LIFE_OBJECT("plain")), *again = NULL;
	struct unfrag_counters counters = { .sz = sizeof(counters) };
	struct unfrag_attachment_info info = { .sz = sizeof(info) };

	life_detach(NAME);
	test_err(unfrag_attachment_info(old, &info), -ENOENT);
	test_err(unfrag_attachment_detach(old), -ENOENT);
	test_err(life_replace(old, LIFE_OBJECT("a"), NULL), -ENOENT);
	test_err(unfrag_attachment_counters(old, UNFRAG_FAMILIES_BOTH, UNFRAG_HOOK_INPUT,
					    &counters),
		 -EINVAL);
	test_err(unfrag_attachment_open(&again, NAME), -ENOENT);
	/* Nor does it touch what has its name now. */
	again = attach(state, NAME, LIFE_OBJECT("a"));
	test_err(unfrag_attachment_detach(old), -ENOENT);
	test_err(life_replace(old, LIFE_OBJECT("b"), NULL), -ENOENT);
	unfrag_attachment_free(old);
	assert_string_equal(life_info(again).program, "life_judge_a");
	life_end(again);
}

static int live_on(const struct life *l)
{
	struct unfrag_attachment *att;

	if (unfrag_attachment_open(&att, NAME))
		return 1;
	if (life_info(att).state != UNFRAG_STATE_READY)
		return 2;
	if (!life_ping(l, AF_INET, LIFE_DEADLINE_MS) || life_judged(NAME, 0, LIFE_A).mine != 1)
		return 3;
	return life_replace(att, LIFE_OBJECT("b"), "child") ? 4 : 0;
}

static void any_process_can_go_on_with_it(void *state)
{
	struct unfrag_attachment *att;
	pid_t pid;
	int step;

	for (step = 0; step < 2; step++) {
		fflush(stdout);
		pid = fork();
		if (!pid)
			_exit(step ? live_on(state) : !attach(state, NAME, LIFE_OBJECT("a")));
		assert_true(pid > 0);
		assert_int_equal(lab_child_wait(pid, LIFE_DEADLINE_MS), 0);
	}
	test_ok(unfrag_attachment_open(&att, NAME));
	assert_string_equal(life_info(att).source, "child");
	assert_true(life_ping(state, AF_INET6, LIFE_DEADLINE_MS));
	assert_int_equal(life_judged(NAME, 0, LIFE_B).mine, 1);
	life_end(att);
}

static int attach_here(void *arg)
{
	struct unfrag_attach_opts opts = {
		.sz = sizeof(opts),
		.priority = life_priority(0),
		.flags = UNFRAG_ATTACH_PRIORITY,
	};
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	struct unfrag_attachment *att;
	int r = unfrag_attachment_attach(&att, NAME, arg, NULL, &opts);

	if (r)
		return r;
	r = unfrag_attachment_info(att, &info);
	unfrag_attachment_free(att);
	if (!r && (info.state != UNFRAG_STATE_READY || strcmp(info.netns, "current")))
		r = -EBADMSG;
	return r;
}

static void without_a_namespace_it_is_the_callers_own(void *state)
{
	struct bpf_object *obj = life_load(LIFE_OBJECT("plain"));
	const struct life *l = state;
	struct unfrag_attachment_info info;
	uint64_t inode;

	test_ok(unfrag_netns_inode(l->path, &inode));
	test_ok(lab_ns_call(l->ns, attach_here, obj));
	assert_int_equal(life_state(NAME, &info), UNFRAG_STATE_READY);
	assert_true(info.netns_inode == inode);
	assert_string_not_equal(info.netns, "current");
	life_expect_judging(l, NAME, &info);
	life_detach(NAME);
	bpf_object__close(obj);
}

static const struct test tests[] = {
	TEST_WITH(it_lives_from_attach_to_detach_at_each_family_and_hook, life_up, life_down),
	TEST_WITH(it_tells_what_it_is, life_up, life_down),
	TEST_WITH(it_is_not_made_if_any_of_its_places_is_taken, life_up, life_down),
	TEST_WITH(bad_arguments_are_refused_and_leave_nothing, life_up, life_down),
	TEST_WITH(options_of_a_newer_caller_that_are_not_set_do_no_harm, life_up, life_down),
	TEST_WITH(a_name_is_given_once, life_up, life_down),
	TEST_WITH(all_are_listed_in_order_until_told_to_stop, life_up, life_down),
	TEST_WITH(a_handle_outlives_what_it_stands_for, life_up, life_down),
	TEST_WITH(any_process_can_go_on_with_it, life_up, life_down),
	TEST_WITH(without_a_namespace_it_is_the_callers_own, life_up, life_down),
};

TEST_MAIN(tests);
