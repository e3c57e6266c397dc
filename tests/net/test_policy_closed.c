// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "--on-fail closed": a ruleset that can't be loaded leaves every packet dropped, whatever was the
 * matter with it. What drops all stands at priorities that others use too, but no other process is
 * in this namespace.
 */
#include <child.h>
#include <policed.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define CHAIN \
	"table inet t {\nchain c {\ntype filter hook input priority %d; policy accept;\n" \
	"counter\n}\n}\n"

static void load(const struct life *l, const char *path, const char *memory, const char *word)
{
	struct command c;

	command_run(&c, "policy", "load", "--on-fail", "closed", "--memory", memory, "--netns",
		    l->path, "--name", POLICED_NAME, path);
	command_expect(&c, 1, word);
	command_expect(&c, 1, "EVERY PACKET IS DROPPED at input, forward and output");
}

static void expect_closed(const struct life *l, const char *places)
{
	struct command c;

	life_expect_passing(l, false, false);
	command_run(&c, "policy", "show", POLICED_NAME);
	command_expect(&c, 0, NULL);
	if (!strstr(c.out, places))
		printf("# %s", c.out);
	assert_non_null(strstr(c.out, places));
	assert_non_null(strstr(c.out, "# EVERY PACKET IS DROPPED: its file could not be loaded\n"));
	assert_non_null(strstr(c.out, "\ntable inet closed {\n\tchain input {\n"));
	assert_non_null(strstr(c.out, "\t\ttype filter hook output priority "));
}

static void expect_opened_again(const struct life *l)
{
	struct command c;

	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 0, NULL);
	life_expect_pings(l);
	life_expect_links(2);
}

#define AT(priority) \
	": ipv4,ipv6 input " priority ", ipv4,ipv6 forward " priority \
	", ipv4,ipv6 output " priority "\n"

static void all_is_dropped_until_a_ruleset_comes(void *state)
{
	const struct life *l = state;
	struct command c;

	load(l, policed_file("no ruleset"), "1M", "syntax error");
	expect_closed(l, AT("0"));
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 1, "what was in force stays in force");
	expect_closed(l, AT("0"));
	policed_file(CHAIN, life_priority(0));
	expect_opened_again(l);
}

static void little_memory_is_enough_to_close(void *state)
{
	const struct life *l = state;
	struct command c;

	load(l, policed_file(CHAIN, life_priority(0)), "1K", "and may take 1024 bytes");
	expect_closed(l, AT("0"));
	/* Which is still what the ruleset may take. */
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 1, "and may take 1024 bytes");
	command_run(&c, "policy", "reload", "--memory", "1M", POLICED_NAME);
	command_expect(&c, 0, NULL);
	life_expect_pings(l);
}

static void others_at_its_priority_do_not_keep_it_open(void *state)
{
	const struct life *l = state;

	assert_int_equal(lab_ns_run(l->ns,
				    "nft 'table inet t { "
				    "chain a { type filter hook output priority 0; }; "
				    "chain b { type filter hook input priority -1; }; }'"),
			 0);
	load(l, policed_file("no ruleset"), "1M", "priority 0 at ipv4 output is taken");
	expect_closed(l, AT("-2"));
	policed_file(CHAIN, life_priority(0));
	expect_opened_again(l);
}

#define POLICED_TEST(fn) TEST_WITH(fn, policed_up, policed_down)

static const struct test tests[] = {
	POLICED_TEST(all_is_dropped_until_a_ruleset_comes),
	POLICED_TEST(little_memory_is_enough_to_close),
	POLICED_TEST(others_at_its_priority_do_not_keep_it_open),
};

TEST_MAIN(tests);
