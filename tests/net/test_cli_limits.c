// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command where the system does not let it: too few privileges, too small limits, kernels
 * without the feature. Each is told by what is missing, and leaves everything as it was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <refused.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <test.h>
#include <unistd.h>

#define NOBODY 65534

#define ATTACH "attach", "-n", "new", "-p", PRIO
#define GOOD   LIFE_OBJECT("plain")

static void become_nobody(struct command *c)
{
	(void)c;
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || access(TEST_UNFRAG, X_OK))
		_exit(120);
}

static void who_is_nobody_is_told_what_is_missing(void *state)
{
	static const struct row rows[] = {
		{ 1, "lacks CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF", { ATTACH, GOOD } },
		{ 1, "run as root", { ATTACH, GOOD } },
		{ 1, "lacks CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF", { "replace", "taken", GOOD } },
		{ 1, "run as root", { "detach", "taken" } },
		{ 1, "run as root", { "list" } },
		{ 1, "run as root", { "stats" } },
		{ 1, "run as root", { "stats", "taken" } },
		{ 1, "CAP_NET_ADMIN", { "defrag", "on" } },
		{ 1, "CAP_NET_ADMIN", { "defrag", "status" } },
		{ 1, "run as root", { "defrag", "off" } },
	};
	static const struct row probe = { 0, "", { "probe" } };
	struct refused *r = state;

	if (refused_try(r, &probe, true, become_nobody) == 120)
		test_skip("user %d can't reach the command", NOBODY);
	refused_run(r, &probe, true, become_nobody);
	/* What could not be tried is not "no". */
	assert_non_null(strstr(r->command.out, "unknown"));
	assert_null(strstr(r->command.out, "since Linux"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused_run(r, &rows[i], true, become_nobody);
}

static void drop(int cap)
{
	if (prctl(PR_CAPBSET_DROP, cap))
		_exit(121);
}

static void drop_net_admin(struct command *c)
{
	(void)c;
	drop(CAP_NET_ADMIN);
}

static void drop_sys_admin(struct command *c)
{
	(void)c;
	drop(CAP_SYS_ADMIN);
}

static void drop_bpf(struct command *c)
{
	(void)c;
	drop(CAP_SYS_ADMIN);
	drop(CAP_BPF);
}

static void drop_perfmon(struct command *c)
{
	(void)c;
	drop(CAP_SYS_ADMIN);
	drop(CAP_PERFMON);
}

/* Root without some: CAP_SYS_ADMIN stands for two others and is needed to enter a namespace. */
static void who_lacks_one_capability_is_told_which(void *state)
{
	struct row row = { 1, "lacks CAP_NET_ADMIN;", { ATTACH, GOOD } };
	static const struct row there = { 1, "CAP_SYS_ADMIN", { ATTACH, "--netns", NETNS, GOOD } };

	refused_run(state, &row, true, drop_net_admin);
	row.word = "lacks CAP_BPF;";
	refused_run(state, &row, true, drop_bpf);
	row.word = "lacks CAP_PERFMON;";
	refused_run(state, &row, true, drop_perfmon);
	refused_run(state, &there, true, drop_sys_admin);
}

/* It works after all, and is taken away again. */
static void expect_attached(struct refused *r, void (*before)(struct command *c))
{
	static const struct row row = { 0, "", { ATTACH, GOOD } };

	assert_int_equal(refused_try(r, &row, true, before), 0);
	command_expect(&r->command, 0, NULL);
	assert_int_equal(life_state("new", NULL), UNFRAG_STATE_READY);
	life_detach("new");
	refused_expect_unchanged(r);
}

static void sys_admin_is_not_needed_at_home(void *state)
{
	expect_attached(state, drop_sys_admin);
}

static unsigned int files;

static void limit_files(struct command *c)
{
	struct rlimit limit = { .rlim_cur = files, .rlim_max = files };

	(void)c;
	/* Whoever started the test may have left descriptors open, which would count. */
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* From "hardly the libraries" up to "enough", a descriptor at a time. */
static void too_few_files_are_said_and_leave_nothing(void *state)
{
	static const struct row row = { 1, "Too many open files", { ATTACH, GOOD } };
	struct refused *r = state;

	for (files = 4; files < 100; files++) {
		if (!refused_try(r, &row, true, limit_files))
			break;
		command_expect(&r->command, 1, row.word);
		refused_expect_unchanged(r);
	}
	assert_true(files > 4 && files < 100);
	life_detach("new");
	refused_expect_unchanged(r);
}

static void limit_locked_memory(struct command *c)
{
	struct rlimit limit = { 0 };

	(void)c;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

static void no_memory_may_be_locked_and_it_works_all_the_same(void *state)
{
	expect_attached(state, limit_locked_memory);
}

/* bpf(2) as kernels have it that do not know a command, or nothing of it. */
static void filter_bpf(unsigned int cmd, unsigned int err)
{
	const struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, cmd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = {
		.len = sizeof(insns) / sizeof(insns[0]),
		.filter = (struct sock_filter *)insns,
	};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(122);
}

static void no_links(struct command *c)
{
	(void)c;
	filter_bpf(28 /* BPF_LINK_CREATE */, EINVAL);
}

static void no_defrag(struct command *c)
{
	(void)c;
	filter_bpf(28 /* BPF_LINK_CREATE */, EAFNOSUPPORT);
}

static void no_programs(struct command *c)
{
	(void)c;
	filter_bpf(5 /* BPF_PROG_LOAD */, EINVAL);
}

static void no_bpf_for_us(struct command *c)
{
	(void)c;
	filter_bpf(5 /* BPF_PROG_LOAD */, EPERM);
}

static void kernels_that_cannot_are_told_apart(void *state)
{
	static const struct {
		void (*before)(struct command *c);
		struct row row;
	} kernels[] = {
		{ no_programs, { 3, "no BPF netfilter programs (needs 6.4", { ATTACH, GOOD } } },
		{ no_defrag, { 3, "built without nf_defrag_ipv4", { ATTACH, GOOD } } },
		{ no_defrag, { 3, "built without nf_defrag_ipv4", { "defrag", "on" } } },
		{ no_bpf_for_us, { 1, "locked down or filtered", { ATTACH, GOOD } } },
		{ no_programs, { 3, "", { "probe" } } },
		{ no_links, { 3, "", { "probe" } } },
	};

	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
		refused_run(state, &kernels[i].row, true, kernels[i].before);
}

static const struct test tests[] = {
	TEST_WITH(who_is_nobody_is_told_what_is_missing, refused_up, refused_down),
	TEST_WITH(who_lacks_one_capability_is_told_which, refused_up, refused_down),
	TEST_WITH(sys_admin_is_not_needed_at_home, refused_up, refused_down),
	TEST_WITH(too_few_files_are_said_and_leave_nothing, refused_up, refused_down),
	TEST_WITH(no_memory_may_be_locked_and_it_works_all_the_same, refused_up, refused_down),
	TEST_WITH(kernels_that_cannot_are_told_apart, refused_up, refused_down),
};

TEST_MAIN(tests);
