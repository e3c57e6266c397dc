// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the guard refuses: arguments that can't be, limits that contradict each other or the
 * machine, places that are not there or taken, too few privileges. Each is said in words, and
 * leaves nothing: no pin, no link, no changed sysctl. And what becomes of it when its namespace
 * goes, or when somebody else changes a sysctl.
 */
#define _GNU_SOURCE
#include <child.h>
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <test.h>
#include <ward.h>

#define ARGS 10

struct row {
	int status;
	const char *word;
	const char *args[ARGS];
};

static void run_row(struct ward *g, const struct row *row, struct command *c)
{
	const char *args[ARGS + 4] = { "guard", "--netns", g->path };
	size_t i;

	for (i = 0; i < ARGS && row->args[i]; i++)
		args[3 + i] = row->args[i];
	command_v(c, args);
	if (c->status != row->status || !strstr(c->err, row->word))
		for (i = 0; i < ARGS && row->args[i]; i++)
			printf("# argument: '%s'\n", row->args[i]);
	command_expect(c, row->status, row->word);
	assert_string_equal(c->out, "");
}

static void expect_rows(struct ward *g, const struct row *rows, size_t n)
{
	struct command c;

	for (size_t i = 0; i < n; i++) {
		memset(&c, 0, sizeof(c));
		run_row(g, &rows[i], &c);
		ward_expect_nothing(g);
	}
}

#define EXPECT_ROWS(g, rows) expect_rows((g), (rows), sizeof(rows) / sizeof((rows)[0]))

static void arguments_that_can_t_be_are_refused(void *state)
{
	static const struct row rows[] = {
		{ 2, "one of on, off", { NULL } },
		{ 2, "one of on, off", { "maybe" } },
		{ 2, "one of on, off", { "on", "off" } },
		{ 2, "does not go with 'off'", { "off", "--memory", "1M" } },
		{ 2, "does not go with 'status'", { "status", "--at", "tc" } },
		{ 2, "does not go with 'on'", { "on", "--all" } },
		{ 2, "does not go with 'watch'", { "watch", "-n", "3" } },
		{ 2, "--at 'bridge'", { "on", "--at", "bridge" } },
		{ 2, "--xdp 'fast'", { "on", "--xdp", "fast" } },
		{ 2, "--memory '0'", { "on", "--memory", "0" } },
		{ 2, "--memory '16Q'", { "on", "--memory", "16Q" } },
		{ 2, "--memory '-1'", { "on", "--memory=-1" } },
		{ 2, "--timeout '3'", { "on", "--timeout", "3" } },
		{ 2, "--timeout '0s'", { "on", "--timeout", "0s" } },
		{ 2, "--share '101%'", { "on", "--share", "101%" } },
		{ 2, "--floor '5G'", { "on", "--floor", "5G" } },
		{ 2, "--events ''", { "on", "--events", "" } },
		{ 2, "unknown reason 'flood'", { "on", "--allow", "tiny,flood" } },
		{ 2, "'memory' is no rule", { "on", "--allow", "memory" } },
		{ 2, "unknown family", { "on", "-f", "ipx" } },
		{ 2, "a limit to change", { "tune" } },
		{ 2, "please", { "status", "--json", "--openmetrics" } },
		{ 2, "--id and --netns", { "off", "--id", "1" } },
	};

	EXPECT_ROWS(state, rows);
}

static void limits_that_contradict_each_other_are_refused(void *state)
{
	static const struct row rows[] = {
		{ 1, "more than an eighth", { "on", "--memory", "1M", "--floor", "256K" } },
		{ 1, "use 1024", { "on", "--datagrams", "1000" } },
		{ 1, "use 256", { "on", "--datagrams", "32" } },
		{ 1, "IPv4 prefix 33", { "on", "--ipv4-prefix", "33" } },
		{ 1, "IPv6 prefix 129", { "on", "--ipv6-prefix", "129" } },
		{ 1, "whole seconds", { "on", "--timeout", "1500ms" } },
		{ 1, "timeout (ms) 500", { "on", "--timeout", "500ms" } },
		{ 1, "forget 10 ", { "on", "--forget", "10ms" } },
		{ 1, "than this machine has to spare", { "on", "--memory", "900G" } },
		{ 1, "too much for 8192 datagrams", { "on", "--memory", "17179869183G" } },
		{ 1, "threshold for IPv4", { "on", "--no-tune", "--memory", "5M" } },
		{ 1, "less than the kernel's for IPv4", { "on", "--no-tune", "--timeout", "3s" } },
	};

	EXPECT_ROWS(state, rows);
}

static void places_that_are_not_there_are_refused(void *state)
{
	static const struct row rows[] = {
		{ 1, "no device 'nope'", { "on", "--at", "tc", "--dev", "nope" } },
		{ 1, "no device 'nope'", { "on", "--at", "xdp", "--dev", "lo", "--dev", "nope" } },
		{ 1,
		  "no device 'a-name-that-is-too-long'",
		  { "on", "--at", "tc", "--dev", "a-name-that-is-too-long" } },
		{ 1, "named twice", { "on", "--at", "tc", "--dev", "lo", "--dev", "lo" } },
		{ 1, "name one", { "on", "--at", "xdp" } },
		{ 1, "name none", { "on", "--dev", "lo" } },
		{ 1, "neither native nor generic", { "on", "--xdp", "native" } },
		{ 1, "has no priority", { "on", "--at", "tc", "--dev", "lo", "-p", "-500" } },
		{ 1, "both families", { "on", "--at", "tc", "--dev", "lo", "-f", "ipv4" } },
		{ 1, "must be below -400", { "on", "--priority", "-400" } },
		{ 3,
		  "can't do XDP natively",
		  { "on", "--at", "xdp", "--xdp", "native", "--dev", "lo" } },
		{ 1, "there is no guard", { "status" } },
		{ 1, "there is no guard", { "off" } },
		{ 1, "there is no guard", { "top" } },
		{ 1, "there is no guard", { "watch" } },
		{ 1, "there is no guard", { "tune", "--memory", "1M" } },
	};

	EXPECT_ROWS(state, rows);
}

/* The second of two devices can't: the first one is left again. */
static void a_device_that_can_t_takes_the_others_with_it(void *state)
{
	static const struct row row = {
		3,
		"'lo' can't do XDP natively",
		{ "on", "--at", "xdp", "--xdp", "native", "--dev", LAB_SERVER_IF, "--dev", "lo" },
	};

	expect_rows(state, &row, 1);
}

static void a_second_guard_is_refused(void *state)
{
	struct ward *g = state;
	struct command c;

	ward_on(g);
	assert_int_equal(ward_run(g, &c, "on"), 1);
	command_expect(&c, 1, "a guard is there already");
	assert_int_equal(ward_run(g, &c, "on", "--at", "tc", "--dev", "lo"), 1);
	assert_int_equal(ward_state(g, NULL), UNFRAG_STATE_READY);
	ward_off(g);
}

static void a_place_that_is_taken_is_refused(void *state)
{
	struct ward *g = state;
	struct unfrag_netfilter_opts opts = {
		.sz = sizeof(opts),
		.pf = 10,
		.hook = UNFRAG_HOOK_PREROUTING,
		.priority = atoi(g->priority) - 1,
	};
	char priority[16];
	struct unfrag_attach_opts attach = {
		.sz = sizeof(attach),
		.netns = g->path,
		.families = UNFRAG_FAMILIES_IPV6,
		.hooks = 1u << UNFRAG_HOOK_PREROUTING,
		.priority = opts.priority,
		.flags = UNFRAG_ATTACH_PRIORITY | UNFRAG_ATTACH_NO_DEFRAG,
	};
	struct unfrag_attachment *att;
	struct command c;

	snprintf(priority, sizeof(priority), "%d", opts.priority);
	test_ok(life_attach(&att, "taken", LIFE_OBJECT("plain"), &attach));
	assert_int_equal(ward_run(g, &c, "on", "--datagrams", "256", "--priority", priority), 1);
	command_expect(&c, 1, priority);
	life_end(att);
	ward_expect_nothing(g);
}

static void become_nobody(struct command *c)
{
	(void)c;
	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
	    setresuid(65534, 65534, 65534) || access(TEST_UNFRAG, X_OK))
		_exit(120);
}

static void who_is_not_root_is_told_so(void *state)
{
	static const char *const words[] = { "on", "status", "off", "top", "watch" };
	struct ward *g = state;
	struct command c;

	for (int i = 0; i < 5; i++) {
		const char *const args[] = { "guard", words[i], NULL };

		memset(&c, 0, sizeof(c));
		c.ns = g->ns;
		c.before = become_nobody;
		if (command_v(&c, args) == 120)
			test_skip("user 65534 can't reach the command");
		command_expect(&c, 1, i ? "run as root" : "lacks CAP_NET_ADMIN");
	}
	ward_expect_nothing(g);
}

static void make_sysctls_read_only(struct command *c)
{
	(void)c;
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) ||
	    mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
		_exit(121);
}

static void sysctls_that_can_t_be_written_are_said(void *state)
{
	static const struct row row = { 1, "ipfrag_high_thresh can't be set", { "on" } };
	static const struct row tune = { 1,
					 "ipfrag_time can't be set",
					 { "tune", "--timeout", "5s" } };
	struct unfrag_guard_limits limits = { .sz = sizeof(limits) };
	struct unfrag_guard *guard;
	struct ward *g = state;
	struct command c = { .before = make_sysctls_read_only };

	run_row(g, &row, &c);
	assert_non_null(strstr(c.err, "--no-tune"));
	ward_expect_nothing(g);
	ward_on(g);
	memset(&c, 0, sizeof(c));
	c.before = make_sysctls_read_only;
	run_row(g, &tune, &c);
	assert_int_equal(ward_sysctl(g, "ipfrag_time"), 3);
	test_ok(unfrag_guard_open(&guard, g->path));
	test_ok(unfrag_guard_get_limits(guard, &limits));
	unfrag_guard_free(guard);
	assert_int_equal(limits.timeout[0], 3000);
	ward_off(g);
}

static void what_others_changed_meanwhile_is_left(void *state)
{
	struct ward *g = state;
	struct command c;

	ward_on(g);
	test_ok(lab_ns_sysctl(g->ns, "net/ipv4/ipfrag_time", "17"));
	assert_int_equal(ward_run(g, &c, "off"), 0);
	command_expect(&c, 0, "ipfrag_time was changed to 17 meanwhile");
	assert_int_equal(ward_sysctl(g, "ipfrag_time"), 17);
	test_ok(lab_ns_sysctl(g->ns, "net/ipv4/ipfrag_time", "30"));
	ward_expect_nothing(g);
}

static void no_tune_leaves_sysctls(void *state)
{
	struct unfrag_guard_limits limits = { .sz = sizeof(limits) };
	int64_t now[WARD_SYSCTLS];
	struct unfrag_guard *guard;
	struct ward *g = state;

	ward_on(g, "--no-tune");
	ward_read_sysctls(g, now);
	assert_memory_equal(now, g->sysctls, sizeof(now));
	test_ok(unfrag_guard_open(&guard, g->path));
	test_ok(unfrag_guard_get_limits(guard, &limits));
	unfrag_guard_free(guard);
	assert_int_equal(limits.memory[0], g->sysctls[1] / 8 * 7);
	assert_int_equal(limits.memory[1], g->sysctls[5] / 8 * 7);
	assert_int_equal(limits.timeout[0], g->sysctls[2] * 1000);
	assert_int_equal(limits.timeout[1], g->sysctls[6] * 1000);
	ward_off(g);
}

/* Thresholds below the lower ones, far above, and back. */
static void tune_follows_up_and_down(void *state)
{
	static const char *const sizes[] = { "1M", "64M", "2M" };
	struct ward *g = state;
	struct command c;

	ward_on(g);
	assert_int_equal(ward_sysctl(g, "ipfrag_max_dist"), 0);
	for (int i = 0; i < 3; i++) {
		int64_t memory = atoi(sizes[i]) * 1048576LL;

		assert_int_equal(ward_run(g, &c, "tune", "--memory", sizes[i], "--timeout", "2s"),
				 0);
		assert_int_equal(ward_sysctl(g, "ipfrag_high_thresh"), memory / 8 * 9 + 1048576);
		assert_int_equal(ward_sysctl(g, "nf_conntrack_frag6_high_thresh"),
				 memory / 8 * 9 + 1048576);
		assert_int_equal(ward_sysctl(g, "nf_conntrack_frag6_timeout"), 2);
		assert_int_equal(ward_number(g, AF_INET, memory_limit), memory);
	}
	assert_int_equal(ward_run(g, &c, "tune", "--datagrams", "512"), 1);
	command_expect(&c, 1, "can't be changed while the guard is on");
	ward_off(g);
}

/* A namespace that only the guard's links hold. */
static void a_guard_without_a_namespace_is_orphaned_and_cleaned(void *state)
{
	struct ward *g = state;
	struct command c;
	char id[32];

	assert_int_equal(lab_ns_run(NULL, "ip netns add guarded"), 0);
	assert_int_equal(command_run(&c, "guard", "on", "--netns", "guarded", "--datagrams", "256",
				     "--priority", g->priority),
			 0);
	assert_int_equal(lab_ns_run(NULL, "ip netns del guarded"), 0);
	assert_int_equal(command_run(&c, "guard", "status", "--all"), 0);
	assert_non_null(strstr(c.out, "orphaned"));
	command_expect(&c, 0, "'unfrag guard off --id ");
	assert_int_equal(sscanf(strstr(c.err, "--id ") + 5, "%31[0-9]", id), 1);
	assert_int_equal(command_run(&c, "guard", "status", "--id", id), 0);
	assert_int_equal(command_run(&c, "guard", "off", "--id", id), 0);
	ward_expect_nothing(g);
}

/* Links of devices hold no namespace: it is gone, and the devices with it. */
static void a_guard_of_devices_that_are_gone_is_cleaned(void *state)
{
	struct ward *g = state;
	struct command c;
	char id[32];

	assert_int_equal(lab_ns_run(NULL, "ip netns add guarded"), 0);
	assert_int_equal(command_run(&c, "guard", "on", "--netns", "guarded", "--datagrams", "256",
				     "--at", "tc", "--dev", "lo"),
			 0);
	assert_int_equal(lab_ns_run(NULL, "ip netns del guarded"), 0);
	assert_int_equal(command_run(&c, "guard", "status", "--all"), 0);
	assert_non_null(strstr(c.out, "orphaned"));
	assert_int_equal(sscanf(strstr(c.err, "--id ") + 5, "%31[0-9]", id), 1);
	assert_int_equal(command_run(&c, "guard", "off", "--id", id), 0);
	command_expect(&c, 0, "nothing leads to the guard's network namespace");
	ward_expect_nothing(g);
}

#define RACERS 2

static void of_two_at_once_one_is_on(void *state)
{
	struct ward *g = state;
	const char *const argv[] = { TEST_UNFRAG,   "guard", "on",         "--netns",   g->path,
				     "--datagrams", "256",   "--priority", g->priority, NULL };

	for (int round = 0; round < 5; round++) {
		pid_t pids[RACERS];
		int status, done = 0;

		for (int i = 0; i < RACERS; i++)
			pids[i] = test_ok(lab_ns_spawn(NULL, argv, -1));
		for (int i = 0; i < RACERS; i++) {
			status = test_ok(lab_child_wait(pids[i], 4 * LIFE_DEADLINE_MS));
			assert_true(status == 0 || status == 1);
			done += !status;
		}
		assert_int_equal(done, 1);
		ward_off(g);
	}
}

static const struct test tests[] = {
	TEST_WITH(arguments_that_can_t_be_are_refused, ward_up, ward_down),
	TEST_WITH(limits_that_contradict_each_other_are_refused, ward_up, ward_down),
	TEST_WITH(places_that_are_not_there_are_refused, ward_up, ward_down),
	TEST_WITH(a_device_that_can_t_takes_the_others_with_it, ward_up, ward_down),
	TEST_WITH(a_second_guard_is_refused, ward_up, ward_down),
	TEST_WITH(a_place_that_is_taken_is_refused, ward_up, ward_down),
	TEST_WITH(who_is_not_root_is_told_so, ward_up, ward_down),
	TEST_WITH(sysctls_that_can_t_be_written_are_said, ward_up, ward_down),
	TEST_WITH(what_others_changed_meanwhile_is_left, ward_up, ward_down),
	TEST_WITH(no_tune_leaves_sysctls, ward_up, ward_down),
	TEST_WITH(tune_follows_up_and_down, ward_up, ward_down),
	TEST_WITH(a_guard_without_a_namespace_is_orphaned_and_cleaned, ward_up, ward_down),
	TEST_WITH(a_guard_of_devices_that_are_gone_is_cleaned, ward_up, ward_down),
	TEST_WITH(of_two_at_once_one_is_on, ward_up, ward_down),
};

TEST_MAIN(tests);
