// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag run: a ruleset in force as long as the command runs, and not a moment longer.
 */
#include <child.h>
#include <errno.h>
#include <policed.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define RULE "udp dport 9 counter accept"

#define RULES(rules) \
	"table inet t {\nchain c {\ntype filter hook input priority %d; policy drop;\n" rules \
	"\n}\n}\n"

static void start(struct background *r, const struct life *l, const char *path)
{
	background_start(r, "run", "--netns", l->path, "--name", POLICED_NAME, path);
}

/* The first counters are on the screen once it is in force. */
static void start_well(struct background *r, const struct life *l, const char *path)
{
	start(r, l, path);
	background_says(r, false, "c: " RULE "\n");
}

static void its_ruleset_goes_when_it_ends(void *state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const struct life *l = state;
	struct background r;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		start_well(&r, l, policed_file(RULES(RULE), life_priority(0)));
		assert_int_equal(life_state(POLICED_NAME, NULL), UNFRAG_STATE_READY);
		life_expect_pings(l);
		assert_int_equal(background_end(&r, signals[i]), 0);
		assert_string_equal(r.err, "");
		life_expect_nothing();
	}
}

static void counters_are_told_while_they_count(void *state)
{
	const struct life *l = state;
	struct background r;

	start_well(&r, l, policed_file(RULES(RULE), life_priority(0)));
	assert_non_null(strstr(r.out, "running '" POLICED_NAME "': 1 rule, 1 chain, "));
	assert_non_null(strstr(r.out, " of memory\nwhole 0, reassembled 0\n"));
	policed_send(l, AF_INET, 3);
	policed_send(l, AF_INET6, 2);
	background_says(&r, false, "whole 5, reassembled 0\n");
	background_says(&r, false, "PACKETS  BYTES  RULE\n      5    185  c: " RULE "\n");
	assert_int_equal(background_end(&r, SIGINT), 0);
	command_expect_lines(r.out);
}

/* What others put in its place counts too. */
static void a_reload_meanwhile_is_followed(void *state)
{
	const struct life *l = state;
	struct background r;
	struct command c;

	start_well(&r, l, policed_file(RULES(RULE), life_priority(0)));
	policed_send(l, AF_INET, 3);
	policed_file(RULES("ip6 hoplimit 1 counter\n" RULE), life_priority(0));
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 0, NULL);
	policed_send(l, AF_INET, 4);
	background_says(&r, false, "      7    203  c: " RULE "\n");
	background_says(&r, false, "      0      0  c: ip6 hoplimit 1 counter\n");
	assert_int_equal(background_end(&r, SIGINT), 0);
	life_expect_nothing();
}

static void an_unload_meanwhile_ends_it(void *state)
{
	const struct life *l = state;
	struct background r;
	struct command c;

	start_well(&r, l, policed_file(RULES(RULE), life_priority(0)));
	command_run(&c, "policy", "unload", POLICED_NAME);
	command_expect(&c, 0, NULL);
	assert_int_equal(background_end(&r, 0), 1);
	assert_string_equal(r.err, "unfrag: '" POLICED_NAME "' is no longer in force\n");
	life_expect_nothing();
}

static void a_second_one_of_the_name_fails_and_the_first_goes_on(void *state)
{
	const struct life *l = state;
	const char *path = policed_file(RULES(RULE), life_priority(0));
	struct background first, second;
	struct command c;

	start_well(&first, l, path);
	start(&second, l, path);
	assert_int_equal(background_end(&second, 0), 1);
	assert_non_null(strstr(second.err, "'" POLICED_NAME "' already"));
	assert_string_equal(second.out, "");
	command_run(&c, "policy", "load", "--netns", l->path, "--name", POLICED_NAME, path);
	command_expect(&c, 1, "already");
	life_expect_pings(l);
	assert_int_equal(policed_packets(RULE), 2);
	assert_int_equal(background_end(&first, SIGINT), 0);
	life_expect_nothing();
}

static void what_fails_leaves_nothing(void *state)
{
	static const struct {
		const char *rules, *word;
	} bad[] = {
		{ "table inet t { chain", "syntax error" },
		{ "table inet t {\nchain c {\nudp dport 9 accept\n}\n}\n", "no chain has a hook" },
		{ "table inet t {\nchain c {\ntype filter hook input priority 0;\nreject\n}\n}\n",
		  "reject" },
	};
	const struct life *l = state;
	struct background r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(&r, l, policed_file("%s", bad[i].rules));
		assert_int_equal(background_end(&r, 0), 1);
		if (!strstr(r.err, bad[i].word))
			printf("# %s", r.err);
		assert_non_null(strstr(r.err, bad[i].word));
		assert_string_equal(r.out, "");
		life_expect_nothing();
		life_expect_pings(l);
	}
}

static void a_place_that_is_taken_leaves_nothing(void *state)
{
	const struct life *l = state;
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_IPV6, 2);
	struct unfrag_attachment *att;
	struct background r;

	test_ok(life_attach(&att, "other", LIFE_OBJECT("plain"), &opts));
	start(&r, l, policed_file(RULES(RULE), life_priority(0)));
	assert_int_equal(background_end(&r, 0), 1);
	assert_non_null(strstr(r.err, "is taken"));
	life_expect_links(1);
	assert_int_equal(life_state(POLICED_NAME, NULL), -ENOENT);
	life_end(att);
}

static void killed_it_can_be_unloaded(void *state)
{
	const struct life *l = state;
	struct background r;
	struct command c;

	start_well(&r, l, policed_file(RULES(RULE), life_priority(0)));
	assert_int_equal(background_end(&r, SIGKILL), 128 + SIGKILL);
	life_expect_pings(l);
	assert_int_equal(policed_packets(RULE), 2);
	command_run(&c, "policy", "unload", POLICED_NAME);
	command_expect(&c, 0, NULL);
	life_expect_nothing();
}

static void it_ends_when_nobody_reads(void *state)
{
	const struct life *l = state;

	assert_int_equal(lab_ns_run(NULL,
				    TEST_UNFRAG " run --netns %s --name " POLICED_NAME
						" %s | head -n 1 | grep -q running",
				    l->path, policed_file(RULES(RULE), life_priority(0))),
			 0);
	life_expect_nothing();
}

/* Why it can't, and not what went wrong after it. */
static void what_can_not_be_written_ends_it(void *state)
{
	const struct life *l = state;
	struct command c = { .stdout_path = "/dev/full" };

	command(&c, "run", "--netns", l->path, "--name", POLICED_NAME,
		policed_file(RULES(RULE), life_priority(0)), NULL);
	command_expect(&c, 1, "output can't be written: No space left on device");
	life_expect_nothing();
}

static void without_a_name_it_has_its_files(void *state)
{
	const struct life *l = state;
	const char *path = policed_file(RULES(RULE), life_priority(0));
	struct background r;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(path + 5, "."), path + 5);
	background_start(&r, "run", "--netns", l->path, path);
	background_says(&r, false, "c: " RULE "\n");
	assert_int_equal(life_state(name, NULL), UNFRAG_STATE_READY);
	assert_int_equal(background_end(&r, SIGTERM), 0);
	life_expect_nothing();
}

#define POLICED_TEST(fn) TEST_WITH(fn, policed_up, policed_down)

static const struct test tests[] = {
	POLICED_TEST(its_ruleset_goes_when_it_ends),
	POLICED_TEST(counters_are_told_while_they_count),
	POLICED_TEST(a_reload_meanwhile_is_followed),
	POLICED_TEST(an_unload_meanwhile_ends_it),
	POLICED_TEST(a_second_one_of_the_name_fails_and_the_first_goes_on),
	POLICED_TEST(what_fails_leaves_nothing),
	POLICED_TEST(a_place_that_is_taken_leaves_nothing),
	POLICED_TEST(killed_it_can_be_unloaded),
	POLICED_TEST(it_ends_when_nobody_reads),
	POLICED_TEST(what_can_not_be_written_ends_it),
	POLICED_TEST(without_a_name_it_has_its_files),
};

TEST_MAIN(tests);
