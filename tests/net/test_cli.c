// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command when all is well: help, defaults, and what it says of what it did. What scripts and
 * terminals get is in test_cli_output.c.
 */
#include <child.h>
#include <command.h>
#include <life.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define NAME "said"

static const char *const verbs[] = {
	"probe", "attach", "replace", "detach", "list", "stats", "defrag", "pcap",
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void said_down(void *state)
{
	life_remove(NAME);
	life_down(state);
}

static void attach(const struct life *l)
{
	struct command c;

	command_run(&c, "attach", "--netns", l->path, "-n", NAME, "-k", "prerouting,input",
		    LIFE_OBJECT("a"));
	command_expect(&c, 0, NULL);
}

static void help_lists_every_verb(void *state)
{
	static const char *const ways[] = { "--help", "-h", "help" };
	struct command c;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		command_run(&c, ways[i]);
		command_expect(&c, 0, NULL);
		assert_non_null(strstr(c.out, "usage: unfrag VERB"));
		for (size_t v = 0; v < VERBS; v++)
			assert_non_null(strstr(c.out, verbs[v]));
		command_expect_lines(c.out);
	}
}

static void every_verb_has_help(void *state)
{
	static const char *const ways[] = { "--help", "-h" };
	struct command c;
	char usage[64];

	(void)state;
	for (size_t v = 0; v < VERBS; v++) {
		for (size_t i = 0; i < 2; i++) {
			command_run(&c, verbs[v], ways[i]);
			command_expect(&c, 0, NULL);
			snprintf(usage, sizeof(usage), "usage: unfrag %s ", verbs[v]);
			assert_true(strstr(c.out, usage) == c.out);
			command_expect_lines(c.out);
		}
	}
}

static void the_version_is_the_librarys(void *state)
{
	char want[64];
	struct command c;

	(void)state;
	snprintf(want, sizeof(want), "unfrag %s, libbpf ", unfrag_version());
	command_run(&c, "--version");
	command_expect(&c, 0, NULL);
	assert_true(strstr(c.out, want) == c.out);
	command_run(&c, "-V");
	assert_true(strstr(c.out, want) == c.out);
}

/* A second hold of the same holder must not be taken for what it is not. */
static void a_hold_for_one_family_is_not_said_to_be_for_both(void *state)
{
	const struct life *l = state;
	struct command c;

	command_run(&c, "defrag", "on", "--netns", l->path, "-f", "ipv4");
	command_expect(&c, 0, NULL);
	command_run(&c, "defrag", "on", "--netns", l->path, "-f", "ipv4");
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "already"));
	command_run(&c, "defrag", "on", "--netns", l->path);
	command_expect(&c, 1, "ipv4 only");
	command_run(&c, "defrag", "off", "--netns", l->path);
	command_expect(&c, 0, NULL);
	life_expect_nothing();
}

static void output_that_cannot_be_written_is_a_failure(void *state)
{
	static const char *const full = "/dev/full", *const closed = "";
	struct command c;

	attach(state);
	for (size_t v = 0; v < VERBS; v++) {
		c = (struct command){ .stdout_path = full };
		command(&c, verbs[v], "--help", NULL);
		command_expect(&c, 1, "output can't be written: No space left");
		c = (struct command){ .stdout_path = closed };
		command(&c, verbs[v], "--help", NULL);
		command_expect(&c, 1, "output can't be written: Bad file");
	}
	c = (struct command){ .stdout_path = full };
	command(&c, "list", NULL);
	command_expect(&c, 1, "output can't be written");
	c = (struct command){ .stdout_path = closed };
	command(&c, "stats", "--json", NULL);
	command_expect(&c, 1, "output can't be written");
}

/* What was to be done is done, though nobody hears of it. */
static void a_closed_stdout_is_not_mistaken_for_a_map(void *state)
{
	struct unfrag_attachment_info info;
	const struct life *l = state;
	struct command c = { .stdout_path = "" };

	command(&c, "attach", "--netns", l->path, "-n", NAME, LIFE_OBJECT("a"), NULL);
	command_expect(&c, 1, "output can't be written");
	assert_int_equal(life_state(NAME, &info), UNFRAG_STATE_READY);
	life_expect_judging(l, NAME, &info);
	c = (struct command){ .stdout_path = "" };
	command(&c, "replace", NAME, LIFE_OBJECT("b"), NULL);
	command_expect(&c, 1, "output can't be written");
	assert_int_equal(life_state(NAME, &info), UNFRAG_STATE_READY);
	assert_string_equal(info.program, "life_judge_b");
	c = (struct command){ .stdout_path = "" };
	command(&c, "detach", NAME, NULL);
	command_expect(&c, 1, "output can't be written");
	life_expect_nothing();
}

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void of_the_verifiers_log_the_end_is_shown_or_all(void *state)
{
	const struct life *l = state;
	struct command c;
	size_t len;

	command_run(&c, "attach", "--netns", l->path, LIFE_OBJECT("refused"));
	command_expect(&c, 1, "At program exit the register R0");
	assert_non_null(strstr(c.err, "--verifier-log shows all"));
	assert_true(lines(c.err) >= 10 && lines(c.err) <= 20);
	len = c.err_len;
	command_run(&c, "attach", "--netns", l->path, "--verifier-log", LIFE_OBJECT("refused"));
	command_expect(&c, 1, "At program exit the register R0");
	assert_null(strstr(c.err, "--verifier-log shows all"));
	assert_true(lines(c.err) > 50 && c.err_len > 2 * len);
}

/* Of a log that does not fit the reason is still told, and not that there is no room for it. */
static void of_an_endless_log_the_end_is_kept(void *state)
{
	const struct life *l = state;
	struct command c;

	command_run(&c, "attach", "--netns", l->path, LIFE_OBJECT("endless"));
	command_expect(&c, 1, "At program exit the register R0");
	assert_null(strstr(c.err, "No space left"));
	assert_true(lines(c.err) <= 20);
	command_run(&c, "attach", "--netns", l->path, "--verifier-log", LIFE_OBJECT("endless"));
	assert_int_equal(c.status, 1);
	assert_true(c.err_len > 1000000 && c.err_len < 1100000);
	life_expect_nothing();
}

static void a_program_is_chosen_by_name(void *state)
{
	struct unfrag_attachment_info info;
	const struct life *l = state;
	struct command c;

	command_run(&c, "attach", "--netns", l->path, "-n", NAME, "--program", "life_drop",
		    LIFE_OBJECT("several"));
	command_expect(&c, 0, NULL);
	assert_false(life_ping(l, AF_INET, 50));
	command_run(&c, "replace", NAME, "-P", "life_accept", LIFE_OBJECT("several"));
	command_expect(&c, 0, NULL);
	assert_true(life_ping(l, AF_INET, LIFE_DEADLINE_MS));
	assert_int_equal(life_state(NAME, &info), UNFRAG_STATE_READY);
	assert_string_equal(info.program, "life_accept");
}

static void expect_name(const struct life *l, const char *file, const char *name)
{
	char path[128];
	struct command c;

	snprintf(path, sizeof(path), "/tmp/unfrag-test-%d/%s", (int)getpid(), file);
	assert_int_equal(symlink(LIFE_OBJECT("plain"), path), 0);
	command_run(&c, "attach", "--netns", l->path, path);
	command_expect(&c, 0, NULL);
	assert_int_equal(life_state(name, NULL), UNFRAG_STATE_READY);
	command_run(&c, "detach", name);
	command_expect(&c, 0, NULL);
	assert_int_equal(unlink(path), 0);
}

static void without_a_name_the_files_is_taken(void *state)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/tmp/unfrag-test-%d", (int)getpid());
	assert_int_equal(lab_ns_run(NULL, "mkdir %s", dir), 0);
	expect_name(state, "simple", "simple");
	expect_name(state, "only-this.bpf.o", "only-this");
	expect_name(state, "my prog+1.o", "my_prog_1");
	expect_name(state, "7.o", "7");
	assert_int_equal(rmdir(dir), 0);
}

static void several_are_detached_and_each_failure_is_told(void *state)
{
	const struct life *l = state;
	struct command c;

	attach(l);
	command_run(&c, "attach", "--netns", l->path, "-n", "other", "-p", "5",
		    LIFE_OBJECT("plain"));
	command_expect(&c, 0, NULL);
	command_run(&c, "detach", NAME, "none", "other");
	command_expect(&c, 1, "no attachment 'none'");
	assert_non_null(strstr(c.out, "'" NAME "'"));
	assert_non_null(strstr(c.out, "'other'"));
	life_expect_nothing();
}

static const struct test tests[] = {
	TEST_WITH(help_lists_every_verb, life_up, said_down),
	TEST_WITH(every_verb_has_help, life_up, said_down),
	TEST_WITH(the_version_is_the_librarys, life_up, said_down),
	TEST_WITH(a_hold_for_one_family_is_not_said_to_be_for_both, life_up, said_down),
	TEST_WITH(output_that_cannot_be_written_is_a_failure, life_up, said_down),
	TEST_WITH(a_closed_stdout_is_not_mistaken_for_a_map, life_up, said_down),
	TEST_WITH(of_the_verifiers_log_the_end_is_shown_or_all, life_up, said_down),
	TEST_WITH(of_an_endless_log_the_end_is_kept, life_up, said_down),
	TEST_WITH(a_program_is_chosen_by_name, life_up, said_down),
	TEST_WITH(without_a_name_the_files_is_taken, life_up, said_down),
	TEST_WITH(several_are_detached_and_each_failure_is_told, life_up, said_down),
};

TEST_MAIN(tests);
