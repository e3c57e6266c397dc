// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Defragmentation held without a program: it is on while anyone holds it, whoever that is and
 * whether their process lives, and off with the last. What traffic makes of it is in
 * test_hold_traffic.c.
 */
#include <child.h>
#include <errno.h>
#include <life.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <test.h>

#define BOTH UNFRAG_FAMILIES_BOTH

static struct unfrag_hold_opts hold_opts(const struct life *l, const char *holder)
{
	return (struct unfrag_hold_opts){
		.sz = sizeof(struct unfrag_hold_opts),
		.netns = l->path,
		.holder = holder,
	};
}

static struct unfrag_hold *hold(const struct life *l, const char *holder)
{
	struct unfrag_hold_opts opts = hold_opts(l, holder);
	struct unfrag_hold *h;

	test_ok(unfrag_defrag_hold(&h, &opts));
	return h;
}

/* What is on by family, as a mask. */
static uint32_t held(const char *netns)
{
	int v4 = test_ok(unfrag_defrag_status(netns, UNFRAG_FAMILIES_IPV4));
	int v6 = test_ok(unfrag_defrag_status(netns, UNFRAG_FAMILIES_IPV6));

	return (v4 ? UNFRAG_FAMILIES_IPV4 : 0) | (v6 ? UNFRAG_FAMILIES_IPV6 : 0);
}

/* What ends with a process ends a moment after it. */
static void expect_off_soon(const char *netns)
{
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;

	while (held(netns) && lab_ms_left(deadline))
		poll(NULL, 0, 2);
	assert_int_equal(held(netns), 0);
}

static int match_end(const char *id, void *arg)
{
	const char **want = arg;
	size_t len = strlen(id), end = strlen(want[0]);

	if (len <= end || strcmp(id + len - end, want[0]) || id[len - end - 1] != '-')
		return 0;
	snprintf((char *)want[1], 128, "%s", id);
	return 1;
}

/* The hold of a holder, opened again; NULL if there is none. */
static struct unfrag_hold *reopen(const char *holder)
{
	char id[128];
	const char *arg[] = { holder, id };
	struct unfrag_hold *h;

	if (!test_ok(unfrag_hold_each(match_end, arg)))
		return NULL;
	test_ok(unfrag_hold_open(&h, id));
	return h;
}

static void release(const char *holder)
{
	struct unfrag_hold *h = reopen(holder);

	assert_non_null(h);
	test_ok(unfrag_defrag_release(h));
}

static void it_is_off_with_the_last_of_several_holders(void *state)
{
	const struct life *l = state;
	struct unfrag_hold *mine, *a, *b;

	assert_int_equal(held(l->path), 0);
	mine = hold(l, NULL);
	a = hold(l, "a");
	b = hold(l, "b");
	assert_int_equal(held(l->path), BOTH);
	test_ok(unfrag_defrag_release(a));
	assert_int_equal(held(l->path), BOTH);
	test_ok(unfrag_defrag_release(mine));
	assert_int_equal(held(l->path), BOTH);
	test_ok(unfrag_defrag_release(b));
	assert_int_equal(held(l->path), 0);
	life_expect_nothing();
}

static void families_are_held_separately(void *state)
{
	const struct life *l = state;
	struct unfrag_hold_opts opts = hold_opts(l, "four");
	struct unfrag_hold_info info = { .sz = sizeof(info) };
	struct unfrag_hold *four, *six;

	opts.families = UNFRAG_FAMILIES_IPV4;
	test_ok(unfrag_defrag_hold(&four, &opts));
	assert_int_equal(held(l->path), UNFRAG_FAMILIES_IPV4);
	test_ok(unfrag_hold_info(four, &info));
	assert_int_equal(info.families, UNFRAG_FAMILIES_IPV4);
	opts.holder = NULL;
	opts.families = UNFRAG_FAMILIES_IPV6;
	test_ok(unfrag_defrag_hold(&six, &opts));
	assert_int_equal(held(l->path), BOTH);
	test_ok(unfrag_defrag_release(four));
	assert_int_equal(held(l->path), UNFRAG_FAMILIES_IPV6);
	test_ok(unfrag_defrag_release(six));
	assert_int_equal(held(l->path), 0);
}

static void a_hold_tells_what_it_is(void *state)
{
	const struct life *l = state;
	struct unfrag_hold_info info = { .sz = sizeof(info) };
	struct unfrag_hold *h, *again;
	time_t before = time(NULL);
	uint64_t inode;

	test_ok(unfrag_netns_inode(l->path, &inode));
	h = hold(l, "teller");
	again = reopen("teller");
	assert_non_null(again);
	test_ok(unfrag_hold_info(again, &info));
	assert_int_equal(info.state, UNFRAG_STATE_READY);
	assert_string_equal(info.problem, "");
	assert_string_equal(info.holder, "teller");
	assert_int_equal(info.families, BOTH);
	assert_true(info.netns_inode == inode);
	assert_string_not_equal(info.netns, "");
	assert_true(info.since >= before && info.since <= time(NULL));
	unfrag_hold_free(again);
	test_ok(unfrag_defrag_release(h));
	assert_null(reopen("teller"));
}

static void a_handle_without_a_holder_ends_its_hold(void *state)
{
	const struct life *l = state;
	struct unfrag_hold_info info = { .sz = sizeof(info) };
	struct unfrag_hold *h = hold(l, NULL);

	assert_int_equal(held(l->path), BOTH);
	test_err(unfrag_hold_info(h, &info), -EINVAL);
	unfrag_hold_free(h);
	assert_int_equal(held(l->path), 0);
	h = hold(l, "stays");
	unfrag_hold_free(h);
	assert_int_equal(held(l->path), BOTH);
	release("stays");
	assert_int_equal(held(l->path), 0);
}

/* A process that takes a hold and ends without a word. */
static void hold_in_a_child(const struct life *l, const char *holder)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		hold(l, holder);
		_exit(held(l->path) == BOTH ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(lab_child_wait(pid, LIFE_DEADLINE_MS), 0);
}

static void a_holder_outlives_its_process_and_others_do_not(void *state)
{
	const struct life *l = state;

	hold_in_a_child(l, NULL);
	expect_off_soon(l->path);
	hold_in_a_child(l, "child");
	assert_int_equal(held(l->path), BOTH);
	release("child");
	assert_int_equal(held(l->path), 0);
}

static void one_holder_holds_once_in_each_namespace(void *state)
{
	const struct life *l = state;
	struct unfrag_hold_opts opts = hold_opts(l, "once");
	struct unfrag_hold *h = hold(l, "once"), *other = NULL;
	lab_auto_ns struct lab_ns *ns = NULL;

	test_err(unfrag_defrag_hold(&other, &opts), -EEXIST);
	assert_null(other);
	opts.families = UNFRAG_FAMILIES_IPV6;
	test_err(unfrag_defrag_hold(&other, &opts), -EEXIST);
	test_ok(lab_ns_new(&ns));
	opts.families = 0;
	opts.netns = lab_ns_path(ns);
	test_ok(unfrag_defrag_hold(&other, &opts));
	test_ok(unfrag_defrag_release(h));
	assert_int_equal(held(l->path), 0);
	assert_int_equal(held(lab_ns_path(ns)), BOTH);
	test_ok(unfrag_defrag_release(other));
}

static uint64_t own_netns(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

/* Every call that takes a namespace, by one way to name it; each must leave us where we are. */
static void hold_by(const struct life *l, const char *netns)
{
	struct unfrag_hold_opts opts = hold_opts(l, "by");
	uint64_t inode, want, own = own_netns();
	struct unfrag_hold *h;

	test_ok(unfrag_netns_inode(l->path, &want));
	opts.netns = netns;
	assert_int_equal(held(netns), 0);
	assert_true(own_netns() == own);
	test_ok(unfrag_defrag_hold(&h, &opts));
	assert_true(own_netns() == own);
	assert_int_equal(held(l->path), BOTH);
	assert_int_equal(held(netns), BOTH);
	test_ok(unfrag_netns_inode(netns, &inode));
	assert_true(inode == want);
	test_ok(unfrag_defrag_release(h));
	assert_true(own_netns() == own);
	assert_int_equal(held(l->path), 0);
}

static void a_namespace_is_named_by_path_pid_and_name(void *state)
{
	const struct life *l = state;
	char text[64];

	hold_by(l, l->path);
	snprintf(text, sizeof(text), "/proc/%d/ns/net", (int)l->keeper);
	hold_by(l, text);
	snprintf(text, sizeof(text), "%d", (int)l->keeper);
	hold_by(l, text);
	snprintf(text, sizeof(text), "life-%d", (int)getpid());
	assert_int_equal(lab_ns_run(NULL, "ip netns attach %s %d", text, (int)l->keeper), 0);
	hold_by(l, text);
	/* A name of digits only is a name before it is a process. */
	snprintf(text, sizeof(text), "%d", (int)getpid());
	assert_int_equal(lab_ns_run(NULL, "ip netns attach %s %d", text, (int)l->keeper), 0);
	hold_by(l, text);
	assert_int_equal(lab_ns_run(NULL, "ip netns del %s", text), 0);
	assert_int_equal(lab_ns_run(NULL, "ip netns del life-%d", (int)getpid()), 0);
}

struct here {
	struct unfrag_hold *hold;
	uint32_t held;
};

static int hold_here(void *arg)
{
	struct here *h = arg;
	int r = unfrag_defrag_hold(&h->hold, NULL);

	if (!r && unfrag_defrag_status(NULL, UNFRAG_FAMILIES_IPV4) == 1 &&
	    unfrag_defrag_status(NULL, UNFRAG_FAMILIES_IPV6) == 1)
		h->held = BOTH;
	return r;
}

static void without_a_namespace_it_is_the_callers_own(void *state)
{
	const struct life *l = state;
	struct here h = { 0 };

	test_ok(lab_ns_call(l->ns, hold_here, &h));
	assert_int_equal(h.held, BOTH);
	assert_int_equal(held(l->path), BOTH);
	test_ok(unfrag_defrag_release(h.hold));
	assert_int_equal(held(l->path), 0);
}

static void expect_refused(const struct unfrag_hold_opts *opts, int err, const char *word)
{
	struct unfrag_hold *h = NULL;

	test_err(unfrag_defrag_hold(&h, opts), err);
	assert_null(h);
	if (!strstr(life_said(), word))
		printf("# '%s' is not in: %s\n", word, life_said());
	assert_non_null(strstr(life_said(), word));
	life_expect_nothing();
}

static void bad_holds_are_refused_and_leave_nothing(void *state)
{
	static const char *const holders[] = {
		"",    "-x",  "_x",
		".",   "..",  "a/b",
		"a b", "a.b", "0123456789012345678901234567890123456789x",
	};
	const struct life *l = state;
	struct unfrag_hold_opts opts = hold_opts(l, "x");
	struct unfrag_hold *h = NULL;

	for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++) {
		opts.holder = holders[i];
		expect_refused(&opts, -EINVAL, "holder");
	}
	opts = hold_opts(l, "x");
	opts.families = 0x4;
	expect_refused(&opts, -EINVAL, "not know");
	opts = hold_opts(l, "x");
	opts.sz = 4;
	expect_refused(&opts, -EINVAL, "not know");
	opts = hold_opts(l, "x");
	opts.netns = "no-such-namespace";
	expect_refused(&opts, -ENOENT, "no-such-namespace");
	opts.netns = "/dev/null";
	expect_refused(&opts, -EINVAL, "/dev/null");
	opts.netns = "/proc/self/ns/mnt";
	expect_refused(&opts, -EINVAL, "not a network namespace");
	test_err(unfrag_defrag_status(l->path, BOTH), -EINVAL);
	test_err(unfrag_defrag_status("no-such-namespace", UNFRAG_FAMILIES_IPV4), -ENOENT);
	test_err(unfrag_hold_open(&h, "1-nobody"), -ENOENT);
	test_err(unfrag_hold_open(&h, "../x"), -EINVAL);
	assert_null(h);
	assert_int_equal(held(l->path), 0);
}

static void an_attachment_is_one_more_holder(void *state)
{
	const struct life *l = state;
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_IPV4, 0);
	struct unfrag_hold *h = hold(l, "beside");
	struct unfrag_attachment *att;

	test_ok(life_attach(&att, "beside", LIFE_OBJECT("plain"), &opts));
	unfrag_attachment_free(att);
	test_ok(unfrag_defrag_release(h));
	assert_int_equal(held(l->path), UNFRAG_FAMILIES_IPV4);
	life_detach("beside");
	assert_int_equal(held(l->path), 0);
}

static void a_hold_whose_link_was_unpinned_is_broken_and_can_be_released(void *state)
{
	struct unfrag_hold_info info = { .sz = sizeof(info) };
	const struct life *l = state;
	char path[512], id[128];
	const char *arg[] = { "hurt", id };
	struct unfrag_hold *h = hold(l, "hurt");

	assert_int_equal(unfrag_hold_each(match_end, arg), 1);
	snprintf(path, sizeof(path), LIFE_ROOT "/_defrag/%s/link-ipv6-input", id);
	assert_int_equal(unlink(path), 0);
	test_ok(unfrag_hold_info(h, &info));
	assert_int_equal(info.state, UNFRAG_STATE_BROKEN);
	assert_non_null(strstr(info.problem, "link-ipv6-input"));
	test_ok(unfrag_defrag_release(h));
	expect_off_soon(l->path);
	life_expect_nothing();
}

static void a_hold_in_a_deleted_namespace_is_orphaned_and_lets_it_go(void *state)
{
	struct unfrag_hold_info info = { .sz = sizeof(info) };
	const struct life *l = state;
	struct unfrag_hold_opts opts = hold_opts(l, "orphan");
	struct unfrag_hold *h;
	char name[32];

	life_named_ns(l, name, sizeof(name));
	opts.netns = name;
	test_ok(unfrag_defrag_hold(&h, &opts));
	test_ok(unfrag_hold_info(h, &info));
	assert_int_equal(info.state, UNFRAG_STATE_READY);
	assert_string_equal(info.netns, name);
	assert_int_equal(lab_ns_run(NULL, "ip netns del %s", name), 0);
	test_ok(unfrag_hold_info(h, &info));
	assert_int_equal(info.state, UNFRAG_STATE_ORPHANED);
	assert_string_equal(info.netns, "");
	assert_true(life_named_ns_lives(l));
	test_ok(unfrag_defrag_release(h));
	life_expect_named_ns_gone(l);
}

static const struct test tests[] = {
	TEST_WITH(it_is_off_with_the_last_of_several_holders, life_up, life_down),
	TEST_WITH(families_are_held_separately, life_up, life_down),
	TEST_WITH(a_hold_tells_what_it_is, life_up, life_down),
	TEST_WITH(a_handle_without_a_holder_ends_its_hold, life_up, life_down),
	TEST_WITH(a_holder_outlives_its_process_and_others_do_not, life_up, life_down),
	TEST_WITH(one_holder_holds_once_in_each_namespace, life_up, life_down),
	TEST_WITH(a_namespace_is_named_by_path_pid_and_name, life_up, life_down),
	TEST_WITH(without_a_namespace_it_is_the_callers_own, life_up, life_down),
	TEST_WITH(bad_holds_are_refused_and_leave_nothing, life_up, life_down),
	TEST_WITH(an_attachment_is_one_more_holder, life_up, life_down),
	TEST_WITH(a_hold_whose_link_was_unpinned_is_broken_and_can_be_released, life_up, life_down),
	TEST_WITH(a_hold_in_a_deleted_namespace_is_orphaned_and_lets_it_go, life_up, life_down),
};

TEST_MAIN(tests);
