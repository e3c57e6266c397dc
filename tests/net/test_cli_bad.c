// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command and bad input of every kind: refused with the exit status that the manual promises
 * and with words that name what is wrong, and everything is left as it was. What the system does
 * not let it do is in test_cli_limits.c.
 */
#include <fcntl.h>
#include <refused.h>
#include <test.h>
#include <unistd.h>

/* "attach" with all that is right, for rows to spoil one thing: of options the last one counts. */
#define ATTACH "attach", "--netns", NETNS, "-n", "new", "-p", PRIO, "-k", "input"
#define GOOD   LIFE_OBJECT("plain")

static void objects_that_cannot_be_attached(void *state)
{
	static const struct row rows[] = {
		{ 1, "No such file", { ATTACH, "/nowhere/x.bpf.o" } },
		{ 1, "not a file", { ATTACH, "/tmp" } },
		{ 1, "not a file", { ATTACH, "/dev/zero" } },
		{ 1, "not an ELF object", { ATTACH, "/proc/self/status" } },
		{ 1, "not an ELF object", { ATTACH, TMP } },
		{ 1, "can't be read as a BPF object", { ATTACH, TEST_UNFRAG } },
		{ 1, "has no BPF program", { ATTACH, LIFE_OBJECT("nothing") } },
		{ 1, "name one with --program", { ATTACH, LIFE_OBJECT("several") } },
		{ 1, "no program 'x'", { ATTACH, "-P", "x", LIFE_OBJECT("several") } },
		{ 1, "of type xdp", { ATTACH, "-P", "life_pass", LIFE_OBJECT("several") } },
		{ 1, "of type xdp", { ATTACH, LIFE_OBJECT("xdp") } },
		{ 1, "refused by the kernel's verifier", { ATTACH, LIFE_OBJECT("refused") } },
		{ 2, "an object file is needed", { ATTACH } },
		{ 2, "one object file only", { ATTACH, GOOD, GOOD } },
	};
	struct refused *r = state;
	int fd = open(r->file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	REFUSED_ROWS(r, rows);
}

/* At any length a damaged file is refused by words and not by a crash. */
static void objects_that_are_cut_short(void *state)
{
	static const struct row row = { 1, "can't be read as a BPF object", { ATTACH, TMP } };
	static char data[65536];
	struct refused *r = state;
	lab_autoclose int from = open(GOOD, O_RDONLY | O_CLOEXEC);
	lab_autoclose int to = open(r->file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ssize_t len = read(from, data, sizeof(data));

	assert_true(len > 1000 && to >= 0);
	assert_int_equal(write(to, data, (size_t)len), len);
	for (ssize_t cut = len - 1; cut > 4; cut -= len / 7) {
		assert_int_equal(ftruncate(to, cut), 0);
		refused_run(r, &row, false, NULL);
	}
}

static void names_and_places_that_cannot_be(void *state)
{
	static const struct row rows[] = {
		{ 1, "name 'a/b' is not valid", { ATTACH, "-n", "a/b", GOOD } },
		{ 1, "name '' is not valid", { ATTACH, "-n", "", GOOD } },
		{ 1, "name '-x' is not valid", { ATTACH, "-n", "-x", GOOD } },
		{ 1, "name '_defrag' is not valid", { ATTACH, "-n", "_defrag", GOOD } },
		{ 1, "name '..' is not valid", { ATTACH, "-n", "..", GOOD } },
		{ 1, "name 'a.b' is not valid", { ATTACH, "-n", "a.b", GOOD } },
		{ 1,
		  "1 to 63",
		  { ATTACH, "-n",
		    "n234567890123456789012345678901234567890123456789012345678901234", GOOD } },
		{ 1, "the name 'taken' is in use", { ATTACH, "-n", REFUSED_TAKEN, GOOD } },
		{ 2, "unknown hook 'ingress'", { ATTACH, "-k", "ingress", GOOD } },
		{ 2, "unknown hook ''", { ATTACH, "-k", "", GOOD } },
		{ 2, "unknown hook ''", { ATTACH, "-k", "input,", GOOD } },
		{ 2, "unknown hook 'x'", { ATTACH, "-k", "input,x", GOOD } },
		{ 2, "unknown family 'ipx'", { ATTACH, "-f", "ipx", GOOD } },
		{ 1, "namespace 'no-such'", { ATTACH, "--netns", "no-such", GOOD } },
		{ 1, "namespace '4194304'", { ATTACH, "--netns", "4194304", GOOD } },
		{ 1, "'' is not a network namespace", { ATTACH, "--netns", "", GOOD } },
		{ 1, "not a network namespace", { ATTACH, "--netns", "/etc/passwd", GOOD } },
		{ 1, "not a network namespace", { ATTACH, "--netns", "/proc/self/ns/mnt", GOOD } },
	};

	REFUSED_ROWS(state, rows);
}

static void priorities_that_cannot_be(void *state)
{
	static const struct row rows[] = {
		{ 2, "'x' is not a number", { ATTACH, "-p", "x", GOOD } },
		{ 2, "'' is not a number", { ATTACH, "-p", "", GOOD } },
		{ 2, "'12x' is not a number", { ATTACH, "-p", "12x", GOOD } },
		{ 2, "'99999999999' is not a number", { ATTACH, "-p", "99999999999", GOOD } },
		{ 1, "use -2147483647 to 2147483646", { ATTACH, "-p", "2147483647", GOOD } },
		{ 1, "2147483646", { ATTACH, "-p", "-2147483648", "--no-defrag", GOOD } },
		{ 1, "use -399 or higher", { ATTACH, "-p", "-400", GOOD } },
		{ 1, "use -399 or higher", { ATTACH, "-p", "-5000", GOOD } },
		{ 1, "at ipv4 input is taken", { ATTACH, "-p", USED, GOOD } },
		{ 1, "at ipv6 input is taken", { ATTACH, "-f", "ipv6", "-p", USED, GOOD } },
	};

	REFUSED_ROWS(state, rows);
}

static void options_that_cannot_be(void *state)
{
	static const struct row rows[] = {
		{ 2, "use drop or accept", { ATTACH, "--fragments", "maybe", GOOD } },
		{ 2, "use drop or accept", { ATTACH, "--unreadable", "", GOOD } },
		{ 2, "use drop or accept", { ATTACH, "--empty", "1", GOOD } },
		{ 2, "--no-such", { ATTACH, "--no-such", GOOD } },
		{ 2, "requires an argument", { "attach", GOOD, "--name" } },
		{ 2, "unknown verb 'attack'", { "attack", GOOD } },
		{ 2, "unknown verb ''", { "" } },
		{ 2, "usage: unfrag VERB", { NULL } },
		{ 2, "one argument too many", { "list", "x" } },
		{ 2, "one argument too many", { "probe", "x" } },
		{ 2, "one name, or none", { "stats", "x", "y" } },
		{ 2, "exclude each other", { "stats", "--json", "--openmetrics" } },
		{ 2, "a name is needed", { "detach" } },
		{ 2, "a name and an object file are needed", { "replace", REFUSED_TAKEN } },
		{ 2, "on, off and status", { "defrag" } },
		{ 2, "on, off and status", { "defrag", "maybe" } },
		{ 2, "on, off and status", { "defrag", "on", "off" } },
		{ 2, "unknown family 'x'", { "defrag", "on", "-f", "x", "--netns", NETNS } },
	};

	REFUSED_ROWS(state, rows);
}

static void what_is_not_there(void *state)
{
	static const struct row rows[] = {
		{ 1, "no attachment 'x'", { "detach", "x" } },
		{ 1, "no attachment 'x'", { "stats", "x" } },
		{ 1, "no attachment 'x'", { "replace", "x", GOOD } },
		{ 1, "not valid", { "detach", "../x" } },
		{ 1, "not valid", { "stats", "_defrag" } },
		{ 1, "not valid", { "replace", "", GOOD } },
		{ 1, "no-such", { "probe", "--netns", "no-such" } },
		{ 1, "no-such", { "defrag", "on", "--netns", "no-such" } },
		{ 1, "no-such", { "defrag", "status", "--netns", "no-such" } },
		{ 1, "no-such", { "defrag", "off", "--netns", "no-such" } },
		{ 1, "does not hold", { "defrag", "off", "--netns", NETNS } },
		{ 1, "no hold '1-x'", { "defrag", "off", "--id", "1-x" } },
		{ 1, "no id of a hold", { "defrag", "off", "--id", "../x" } },
		{ 1,
		  "'a/b' is not valid",
		  { "defrag", "on", "--netns", NETNS, "--holder", "a/b" } },
	};

	REFUSED_ROWS(state, rows);
}

static void a_replace_that_is_refused(void *state)
{
	static const struct row rows[] = {
		{ 1, "No such file", { "replace", REFUSED_TAKEN, "/nowhere/x" } },
		{ 1, "of type xdp", { "replace", REFUSED_TAKEN, LIFE_OBJECT("xdp") } },
		{ 1, "--program", { "replace", REFUSED_TAKEN, LIFE_OBJECT("several") } },
		{ 1,
		  "refused by the kernel's verifier",
		  { "replace", REFUSED_TAKEN, LIFE_OBJECT("refused") } },
		{ 1, "not an ELF", { "replace", "--keep-maps", REFUSED_TAKEN, "/etc/passwd" } },
	};

	REFUSED_ROWS(state, rows);
}

static const struct test tests[] = {
	TEST_WITH(objects_that_cannot_be_attached, refused_up, refused_down),
	TEST_WITH(objects_that_are_cut_short, refused_up, refused_down),
	TEST_WITH(names_and_places_that_cannot_be, refused_up, refused_down),
	TEST_WITH(priorities_that_cannot_be, refused_up, refused_down),
	TEST_WITH(options_that_cannot_be, refused_up, refused_down),
	TEST_WITH(what_is_not_there, refused_up, refused_down),
	TEST_WITH(a_replace_that_is_refused, refused_up, refused_down),
};

TEST_MAIN(tests);
