// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernels before 5.13, which can't switch their defragmenter off again in a namespace: the verb
 * defrag does what can be done and says what can't, before and after.
 */
#include <child.h>
#include <command.h>
#include <errno.h>
#include <hold_rule.h>
#include <life.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define BEFORE "this kernel can't switch defragmentation off again (needs 5.13): it will stay on"
#define AFTER  "it stays on in that network namespace until that ends"

static void expect_status(const struct life *l, const char *text)
{
	struct command c;

	command_run(&c, "defrag", "status", "--netns", l->path);
	command_expect(&c, 0, NULL);
	if (strncmp(c.out, text, strlen(text)))
		printf("# %s", c.out);
	assert_int_equal(strncmp(c.out, text, strlen(text)), 0);
}

static void it_is_said_before_and_after_and_it_stays_on(void *state)
{
	const struct life *l = state;
	struct command c;

	expect_status(l, "ipv4  off\nipv6  off\n");
	command_run(&c, "defrag", "on", "--netns", l->path);
	command_expect(&c, 0, BEFORE);
	assert_non_null(strstr(c.out, "defragmentation is on, held by 'default'\n"));
	expect_status(l, "ipv4  on\nipv6  on\n\nHOLDER");
	command_run(&c, "defrag", "off", "--netns", l->path);
	command_expect(&c, 0, AFTER);
	assert_non_null(strstr(c.out, "released"));
	expect_status(l, "ipv4  on\nipv6  on\n");
	life_expect_nothing();
	/* Again it is no different. */
	command_run(&c, "defrag", "on", "--netns", l->path, "--holder", "again");
	command_expect(&c, 0, BEFORE);
	command_run(&c, "defrag", "off", "--netns", l->path, "--holder", "again");
	command_expect(&c, 0, AFTER);
}

static void one_family_leaves_the_other_alone(void *state)
{
	const struct life *l = state;
	struct command c;

	command_run(&c, "defrag", "on", "--netns", l->path, "-f", "ipv6");
	command_expect(&c, 0, BEFORE);
	expect_status(l, "ipv4  off\nipv6  on\n");
	command_run(&c, "defrag", "off", "--netns", l->path);
	command_expect(&c, 0, AFTER);
	expect_status(l, "ipv4  off\nipv6  on\n");
}

static void a_new_namespace_is_not_affected(void *state)
{
	const struct life *l = state;
	struct command c;
	char name[32];

	life_named_ns(l, name, sizeof(name));
	assert_int_equal(lab_ns_run(NULL, "ip netns exec %s ip link set lo up", name), 0);
	command_run(&c, "defrag", "on", "--netns", l->path);
	command_expect(&c, 0, BEFORE);
	command_run(&c, "defrag", "status", "--netns", name);
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "ipv4  off\nipv6  off\n"));
	assert_int_equal(lab_ns_run(NULL, "ip netns del %s", name), 0);
	command_run(&c, "defrag", "off", "--netns", l->path);
	command_expect(&c, 0, AFTER);
}

static void a_hold_can_not_end_with_its_process(void *state)
{
	const struct life *l = state;
	struct unfrag_hold_opts opts = { .sz = sizeof(opts), .netns = l->path };
	struct unfrag_hold *hold = NULL;

	test_err(unfrag_defrag_hold(&hold, &opts), -EOPNOTSUPP);
	assert_null(hold);
	assert_non_null(strstr(life_said(), "needs 5.12); name a holder"));
	expect_status(l, "ipv4  off\nipv6  off\n");
}

static void that_it_sticks_is_found_by_trying(void *state)
{
	(void)state;
	assert_int_equal(rule_sticks(), 1);
}

static const struct test tests[] = {
	TEST_WITH(that_it_sticks_is_found_by_trying, life_up, life_down),
	TEST_WITH(it_is_said_before_and_after_and_it_stays_on, life_up, life_down),
	TEST_WITH(one_family_leaves_the_other_alone, life_up, life_down),
	TEST_WITH(a_new_namespace_is_not_affected, life_up, life_down),
	TEST_WITH(a_hold_can_not_end_with_its_process, life_up, life_down),
};

TEST_MAIN(tests);
