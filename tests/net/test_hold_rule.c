// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verb defrag where the kernel has no BPF netfilter links: an nftables table stands for each
 * hold. Kernels that have them are made to say that they don't, for the command only.
 */
#include <child.h>
#include <command.h>
#include <errno.h>
#include <jansson.h>
#include <life.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <test.h>
#include <unistd.h>

#define TABLE  "unfrag-defrag-"
#define AT(l)  "--netns", (l)->path
#define STEPS  200 /* more than any run has */
#define HOLDER "--holder", "h"

/* bpf(2) that loads no program. */
static void no_programs(struct command *c)
{
	const struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5 /* BPF_PROG_LOAD */, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = {
		.len = sizeof(insns) / sizeof(insns[0]),
		.filter = (struct sock_filter *)insns,
	};

	(void)c;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(120);
}

/* Runs "unfrag defrag ..." and asserts its exit status; what it said is in *c. */
#define DEFRAG(c, want, ...) \
	({ \
		memset((c), 0, sizeof(*(c))); \
		(c)->before = no_programs; \
		command((c), "defrag", __VA_ARGS__, NULL); \
		if ((c)->status != (want)) \
			printf("# %s", (c)->err); \
		assert_int_equal((c)->status, (want)); \
	})

static json_t *status(const char *netns)
{
	json_t *root;
	struct command c;

	if (netns)
		DEFRAG(&c, 0, "status", "--json", "--netns", netns);
	else
		DEFRAG(&c, 0, "status", "--json", "--all");
	root = json_loads(c.out, 0, NULL);
	assert_non_null(root);
	return root;
}

static void expect_on(const struct life *l, bool v4, bool v6)
{
	json_t *root = status(l->path);

	assert_int_equal(json_is_true(json_object_get(root, "ipv4")), v4);
	assert_int_equal(json_is_true(json_object_get(root, "ipv6")), v6);
	json_decref(root);
}

/* A text of the only hold in that namespace. */
static void only_hold(const char *netns, const char *key, char *buf, size_t size)
{
	json_t *root = status(netns), *holds = json_object_get(root, "holds");

	assert_int_equal(json_array_size(holds), 1);
	snprintf(buf, size, "%s",
		 json_string_value(json_object_get(json_array_get(holds, 0), key)));
	json_decref(root);
}

static int tables(const struct life *l)
{
	char text[2048];
	int n = 0;

	assert_int_equal(lab_ns_output(l->ns, text, sizeof(text), "nft list tables"), 0);
	for (const char *at = text; (at = strstr(at, TABLE)); at++)
		n++;
	return n;
}

static void on_makes_a_table_and_off_removes_it(void *state)
{
	const struct life *l = state;
	struct command c;
	char text[128];

	expect_on(l, false, false);
	DEFRAG(&c, 0, "on", AT(l), HOLDER);
	assert_string_equal(c.err, "");
	only_hold(l->path, "table", text, sizeof(text));
	assert_string_equal(text, TABLE "h");
	only_hold(l->path, "state", text, sizeof(text));
	assert_string_equal(text, "ready");
	assert_int_equal(tables(l), 1);
	expect_on(l, true, true);
	DEFRAG(&c, 0, "on", AT(l), HOLDER);
	assert_non_null(strstr(c.out, "already"));
	DEFRAG(&c, 0, "off", AT(l), HOLDER);
	assert_string_equal(c.err, "");
	assert_int_equal(tables(l), 0);
	expect_on(l, false, false);
	DEFRAG(&c, 1, "off", AT(l), HOLDER);
	life_expect_nothing();
}

static void it_is_off_with_the_last_holder(void *state)
{
	const struct life *l = state;
	struct command c;

	DEFRAG(&c, 0, "on", AT(l), "--holder", "a", "-f", "ipv4");
	expect_on(l, true, false);
	DEFRAG(&c, 0, "on", AT(l), "--holder", "b");
	expect_on(l, true, true);
	assert_int_equal(tables(l), 2);
	DEFRAG(&c, 0, "off", AT(l), "--holder", "b");
	expect_on(l, true, false);
	DEFRAG(&c, 0, "off", AT(l), "--holder", "a");
	expect_on(l, false, false);
}

static void a_flushed_ruleset_breaks_the_hold_and_off_cleans(void *state)
{
	const struct life *l = state;
	char text[128];
	struct command c;

	DEFRAG(&c, 0, "on", AT(l), HOLDER);
	assert_int_equal(lab_ns_run(l->ns, "nft flush ruleset"), 0);
	only_hold(l->path, "problem", text, sizeof(text));
	assert_string_equal(text, "its nftables table 'inet unfrag-defrag-h' was deleted");
	DEFRAG(&c, 1, "on", AT(l), HOLDER);
	assert_non_null(strstr(c.err, "is broken"));
	DEFRAG(&c, 0, "off", AT(l), HOLDER);
	life_expect_nothing();
	DEFRAG(&c, 0, "on", AT(l), HOLDER);
	expect_on(l, true, true);
	DEFRAG(&c, 0, "off", AT(l), HOLDER);
}

static void somebody_elses_table_is_left_alone(void *state)
{
	const struct life *l = state;
	struct command c;

	assert_int_equal(lab_ns_run(l->ns, "nft add table inet " TABLE "h"), 0);
	DEFRAG(&c, 1, "on", AT(l), HOLDER);
	assert_non_null(strstr(c.err, "is there already"));
	assert_int_equal(tables(l), 1);
	life_expect_nothing();
}

static void a_table_does_not_keep_a_namespace_alive(void *state)
{
	const struct life *l = state;
	char name[32], text[128], id[128];
	struct command c;

	life_named_ns(l, name, sizeof(name));
	DEFRAG(&c, 0, "on", "--netns", name, HOLDER);
	only_hold(name, "state", text, sizeof(text));
	assert_string_equal(text, "ready");
	assert_int_equal(lab_ns_run(NULL, "ip netns del %s", name), 0);
	life_expect_named_ns_gone(l);
	only_hold(NULL, "state", text, sizeof(text));
	assert_string_equal(text, "orphaned");
	only_hold(NULL, "id", id, sizeof(id));
	DEFRAG(&c, 0, "off", "--id", id);
	life_expect_nothing();
}

static int release(const char *id, void *arg)
{
	struct unfrag_hold *hold;

	(void)arg;
	test_ok(unfrag_hold_open(&hold, id));
	return unfrag_defrag_release(hold);
}

/* Ends what a killed run left. */
static void clean(const struct life *l)
{
	test_ok(unfrag_hold_each(release, NULL));
	assert_int_equal(tables(l), 0);
	life_expect_nothing();
}

/* Kills the command at its n-th step; false when it came to its end. */
static bool cut_short(const struct life *l, const char *word, unsigned int n)
{
	struct command c = { .before = no_programs, .stop_at = n };

	command(&c, "defrag", word, AT(l), HOLDER, NULL);
	if (c.status)
		assert_int_equal(c.status, 128 + SIGKILL);
	return c.status;
}

static void killed_at_any_step_it_can_be_cleaned(void *state)
{
	const struct life *l = state;
	struct command c;
	unsigned int n;

	for (n = 1; n < STEPS && cut_short(l, "on", n); n++)
		clean(l);
	assert_true(n > 5 && n < STEPS);
	expect_on(l, true, true);
	for (n = 1; n < STEPS && cut_short(l, "off", n); n++) {
		clean(l);
		DEFRAG(&c, 0, "on", AT(l), HOLDER);
	}
	assert_true(n > 5 && n < STEPS);
	expect_on(l, false, false);
	life_expect_nothing();
}

static void what_loopback_does_not_tell_is_unknown(void *state)
{
	const struct life *l = state;
	struct command c;

	assert_int_equal(lab_ns_run(l->ns, "ip link set lo down"), 0);
	DEFRAG(&c, 0, "on", AT(l), HOLDER);
	DEFRAG(&c, 0, "status", AT(l));
	assert_non_null(strstr(c.out, "ipv4  unknown\nipv6  unknown\n"));
	assert_non_null(strstr(c.out, "ready"));
	assert_non_null(strstr(c.err, "can't be told"));
	DEFRAG(&c, 0, "off", AT(l), HOLDER);
}

static const struct test tests[] = {
	TEST_WITH(on_makes_a_table_and_off_removes_it, life_up, life_down),
	TEST_WITH(it_is_off_with_the_last_holder, life_up, life_down),
	TEST_WITH(a_flushed_ruleset_breaks_the_hold_and_off_cleans, life_up, life_down),
	TEST_WITH(somebody_elses_table_is_left_alone, life_up, life_down),
	TEST_WITH(a_table_does_not_keep_a_namespace_alive, life_up, life_down),
	TEST_WITH(killed_at_any_step_it_can_be_cleaned, life_up, life_down),
	TEST_WITH(what_loopback_does_not_tell_is_unknown, life_up, life_down),
};

TEST_MAIN(tests);
