// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's defragmenters as modules: loaded by the first who asks for them, held while somebody
 * does, given back; and what is said when they can't be loaded. Loads and unloads modules and
 * changes kernel.modprobe: for guests.
 */
#define _GNU_SOURCE
#include <command.h>
#include <errno.h>
#include <fcntl.h>
#include <life.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <test.h>

#define MODPROBE "/proc/sys/kernel/modprobe"
#define WRAPPER  "/tmp/modprobe"
#define CALLS    "/tmp/modprobe.calls"

static const char *const modules[2] = { "nf_defrag_ipv4", "nf_defrag_ipv6" };

static void write_file(const char *path, const char *text, unsigned int mode)
{
	lab_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void read_file(const char *path, char *buf, size_t size)
{
	lab_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
}

static bool loaded(const char *module)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return !access(path, F_OK);
}

static int references(const char *module)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	read_file(path, text, sizeof(text));
	return text[0] ? atoi(text) : -1;
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

/* What others before us loaded may need a moment to be given back. */
static void unload_all(void)
{
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;
	int i;

	for (i = 0; i < 2; i++) {
		while (loaded(modules[i]) && unload(modules[i]) && lab_ms_left(deadline))
			poll(NULL, 0, 10);
		assert_false(loaded(modules[i]));
	}
}

static void up(void **state)
{
	life_up(state);
	write_file(WRAPPER, "#!/bin/sh\necho \"$*\" >>" CALLS "\nexec /sbin/modprobe \"$@\"\n",
		   0755);
	write_file(MODPROBE, WRAPPER "\n", 0);
	unload_all();
	write_file(CALLS, "", 0644);
}

static void down(void *state)
{
	write_file(MODPROBE, "/sbin/modprobe\n", 0);
	life_down(state);
}

#define RUN(l, c, ...) command_run((c), __VA_ARGS__, "--netns", (l)->path)
#define OBJECT         LIFE_OBJECT("plain")

static void the_first_attachment_loads_both_and_holds_them(void *state)
{
	const struct life *l = state;
	char calls[256];
	struct command c;
	int i, round;

	for (round = 0; round < 2; round++) {
		write_file(CALLS, "", 0644);
		assert_int_equal(RUN(l, &c, "attach", "-n", "m", OBJECT), 0);
		read_file(CALLS, calls, sizeof(calls));
		assert_string_equal(calls, "-q -- nf_defrag_ipv4\n-q -- nf_defrag_ipv6\n");
		for (i = 0; i < 2; i++) {
			assert_int_equal(references(modules[i]), 1);
			test_err(unload(modules[i]), -EAGAIN);
		}
		assert_int_equal(command_run(&c, "detach", "m"), 0);
		for (i = 0; i < 2; i++) {
			assert_int_equal(references(modules[i]), 0);
			test_ok(unload(modules[i]));
		}
	}
}

static void every_link_holds_one_reference(void *state)
{
	const struct life *l = state;
	struct command c;

	assert_int_equal(RUN(l, &c, "attach", "-n", "m", "-k", "input,forward,output", "-f", "ipv4",
			     OBJECT),
			 0);
	assert_int_equal(references(modules[0]), 3);
	assert_false(loaded(modules[1]));
	assert_int_equal(RUN(l, &c, "defrag", "on", "-f", "ipv4"), 0);
	assert_int_equal(references(modules[0]), 4);
	assert_int_equal(command_run(&c, "detach", "m"), 0);
	assert_int_equal(references(modules[0]), 1);
	assert_int_equal(RUN(l, &c, "defrag", "off"), 0);
	assert_int_equal(references(modules[0]), 0);
}

static void ipv6_does_not_need_ipv4(void *state)
{
	const struct life *l = state;
	struct command c;

	assert_int_equal(RUN(l, &c, "defrag", "on", "-f", "ipv6"), 0);
	assert_true(loaded(modules[1]));
	assert_false(loaded(modules[0]));
	assert_int_equal(RUN(l, &c, "defrag", "off"), 0);
}

static void without_defragmentation_nothing_is_loaded(void *state)
{
	const struct life *l = state;
	struct command c;
	char calls[64];

	assert_int_equal(RUN(l, &c, "attach", "-n", "m", "--no-defrag", OBJECT), 0);
	read_file(CALLS, calls, sizeof(calls));
	assert_string_equal(calls, "");
	assert_false(loaded(modules[0]) || loaded(modules[1]));
	assert_int_equal(command_run(&c, "detach", "m"), 0);
}

/* The sentence names the module, and what is to be installed and run. */
static void expect_missing(const struct command *c, const char *module)
{
	struct utsname u;
	char word[256];

	uname(&u);
	snprintf(word, sizeof(word),
		 "module %s is missing and could not be loaded; install the modules of Linux %s "
		 "and run 'modprobe %s'",
		 module, u.release, module);
	command_expect(c, 1, word);
	life_expect_nothing();
}

static void expect_no_attachment(const struct life *l)
{
	struct command c;

	RUN(l, &c, "attach", "-n", "m", "-f", "ipv4", OBJECT);
	expect_missing(&c, modules[0]);
	RUN(l, &c, "attach", "-n", "m", "-f", "ipv6", OBJECT);
	expect_missing(&c, modules[1]);
}

static void a_modprobe_that_fails_is_a_missing_module(void *state)
{
	const struct life *l = state;
	struct command c;

	write_file(MODPROBE, "/bin/false\n", 0);
	expect_no_attachment(l);
	RUN(l, &c, "defrag", "on", "-f", "ipv6");
	expect_missing(&c, modules[1]);
	command_run(&c, "probe");
	command_expect(&c, 3, NULL);
	assert_non_null(strstr(c.out, "module nf_defrag_ipv4 is missing"));
	assert_non_null(strstr(c.out, "module nf_defrag_ipv6 is missing"));
	write_file(MODPROBE, "/sbin/modprobe\n", 0);
	assert_int_equal(RUN(l, &c, "attach", "-n", "m", OBJECT), 0);
	assert_int_equal(command_run(&c, "detach", "m"), 0);
	assert_int_equal(command_run(&c, "probe"), 0);
}

static void no_modprobe_at_all_is_a_missing_module(void *state)
{
	write_file(MODPROBE, "/nowhere/modprobe\n", 0);
	expect_no_attachment(state);
	write_file(MODPROBE, "\n", 0);
	expect_no_attachment(state);
}

/* How often a text is in the kernel's log, which is then emptied. */
static int take_log(const char *text)
{
	static char log[1 << 18];
	int n = klogctl(4 /* read all and clear */, log, sizeof(log) - 1), found = 0;
	const char *at;

	log[test_ok(n)] = '\0';
	for (at = log; (at = strstr(at, text)); at++)
		found++;
	return found;
}

/* The kernel warns of it, once in its life, and that is its right: it is taken from the log. */
static void a_modprobe_that_loads_nothing_is_a_missing_module(void *state)
{
	take_log("bad registration");
	write_file(MODPROBE, "/bin/true\n", 0);
	expect_no_attachment(state);
	assert_int_equal(take_log("bad registration"), 1);
}

static const struct test tests[] = {
	TEST_WITH(the_first_attachment_loads_both_and_holds_them, up, down),
	TEST_WITH(every_link_holds_one_reference, up, down),
	TEST_WITH(ipv6_does_not_need_ipv4, up, down),
	TEST_WITH(without_defragmentation_nothing_is_loaded, up, down),
	TEST_WITH(a_modprobe_that_fails_is_a_missing_module, up, down),
	TEST_WITH(no_modprobe_at_all_is_a_missing_module, up, down),
	TEST_WITH(a_modprobe_that_loads_nothing_is_a_missing_module, up, down),
};

TEST_MAIN(tests);
