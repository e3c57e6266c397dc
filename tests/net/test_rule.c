// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Defragmentation switched on by an nftables rule, as the library does it where there are no links.
 * Where there are some, nothing but these tests calls it. Whether it is on is asked of loopback;
 * that this tells the truth, of conntrack.
 */
#include <child.h>
#include <errno.h>
#include <hold_rule.h>
#include <life.h>
#include <loopback.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define IPV4 UNFRAG_FAMILIES_IPV4
#define IPV6 UNFRAG_FAMILIES_IPV6
#define BOTH UNFRAG_FAMILIES_BOTH

static int ask(void *arg)
{
	return loopback_defrags(*(const unsigned int *)arg);
}

/* What is on by family, as a mask. */
static uint32_t held(const struct life *l)
{
	unsigned int families[2] = { 0, 1 };

	return (test_ok(lab_ns_call(l->ns, ask, &families[0])) ? IPV4 : 0) |
	       (test_ok(lab_ns_call(l->ns, ask, &families[1])) ? IPV6 : 0);
}

static bool tables(const struct life *l, const char *word)
{
	static char text[8192];

	assert_int_equal(lab_ns_output(l->ns, text, sizeof(text), "nft list ruleset"), 0);
	return strstr(text, word);
}

static void loopback_tells_what_conntrack_switches_on(void *state)
{
	const struct life *l = state;

	assert_int_equal(held(l), 0);
	assert_int_equal(lab_ns_run(l->ns,
				    "nft 'add table ip t; add chain ip t c { type filter "
				    "hook output priority 0; }; add rule ip t c ct state "
				    "invalid counter'"),
			 0);
	assert_int_equal(held(l), IPV4);
	/* Conntrack of the family inet has both. */
	assert_int_equal(lab_ns_run(l->ns,
				    "nft 'add table inet t; add chain inet t c; "
				    "add rule inet t c ct state invalid'"),
			 0);
	assert_int_equal(held(l), BOTH);
}

static void where_loopback_is_guarded_or_down_nothing_is_said(void *state)
{
	const struct life *l = state;
	unsigned int family;

	assert_int_equal(lab_ns_run(l->ns,
				    "nft 'add table inet t; add chain inet t c { type "
				    "filter hook output priority -500; policy drop; }'"),
			 0);
	for (family = 0; family < 2; family++)
		test_err(lab_ns_call(l->ns, ask, &family), -ENODATA);
	assert_int_equal(lab_ns_run(l->ns, "nft flush ruleset; ip link set lo down"), 0);
	for (family = 0; family < 2; family++)
		test_err(lab_ns_call(l->ns, ask, &family), -ENODATA);
}

static void a_rule_switches_one_family_on(void *state)
{
	const struct life *l = state;

	test_ok(rule_make(lab_ns_fd(l->ns), "four", IPV4));
	assert_int_equal(held(l), IPV4);
	test_ok(rule_make(lab_ns_fd(l->ns), "six", IPV6));
	assert_int_equal(held(l), BOTH);
	assert_int_equal(rule_exists(lab_ns_fd(l->ns), "four"), 1);
	test_ok(rule_remove(lab_ns_fd(l->ns), "four"));
	assert_int_equal(rule_exists(lab_ns_fd(l->ns), "four"), 0);
	assert_int_equal(rule_exists(lab_ns_fd(l->ns), "six"), 1);
	test_ok(rule_remove(lab_ns_fd(l->ns), "six"));
	test_ok(rule_remove(lab_ns_fd(l->ns), "six"));
}

/* With the last, too, on kernels that can; what others do is in tests/kernels. */
static void it_is_off_with_the_last_rule(void *state)
{
	const struct life *l = state;

	assert_int_equal(rule_sticks(), 0);
	test_ok(rule_make(lab_ns_fd(l->ns), "a", BOTH));
	test_ok(rule_make(lab_ns_fd(l->ns), "b", IPV4));
	test_ok(rule_remove(lab_ns_fd(l->ns), "a"));
	assert_int_equal(held(l), IPV4);
	test_ok(rule_remove(lab_ns_fd(l->ns), "b"));
	assert_int_equal(held(l), 0);
}

static void an_owned_table_goes_with_its_descriptor(void *state)
{
	const struct life *l = state;
	int fd = test_ok(rule_make_owned(lab_ns_fd(l->ns), "owned", BOTH));

	assert_int_equal(held(l), BOTH);
	close(fd);
	assert_int_equal(held(l), 0);
	assert_false(tables(l, "owned"));
}

static void a_table_that_is_there_stays_as_it_is(void *state)
{
	const struct life *l = state;

	assert_int_equal(lab_ns_run(l->ns, "nft 'add table inet mine; add chain inet mine keep'"),
			 0);
	test_err(rule_make(lab_ns_fd(l->ns), "mine", BOTH), -EEXIST);
	assert_non_null(strstr(life_said(), "'inet mine' is there already"));
	assert_true(tables(l, "keep"));
	assert_false(tables(l, "tproxy"));
	assert_int_equal(held(l), 0);
}

static void no_hook_leads_to_it_and_nft_can_load_what_it_lists(void *state)
{
	const struct life *l = state;

	test_ok(rule_make(lab_ns_fd(l->ns), "again", BOTH));
	assert_true(tables(l, "tproxy ip to :1"));
	assert_true(tables(l, "tproxy ip6 to :1"));
	assert_false(tables(l, "hook"));
	assert_int_equal(lab_ns_run(l->ns,
				    "old=$(nft list ruleset) && nft flush ruleset && "
				    "echo \"$old\" | nft -f - && "
				    "test \"$old\" = \"$(nft list ruleset)\""),
			 0);
	assert_int_equal(held(l), BOTH);
}

static const struct test tests[] = {
	TEST_WITH(loopback_tells_what_conntrack_switches_on, life_up, life_down),
	TEST_WITH(where_loopback_is_guarded_or_down_nothing_is_said, life_up, life_down),
	TEST_WITH(a_rule_switches_one_family_on, life_up, life_down),
	TEST_WITH(it_is_off_with_the_last_rule, life_up, life_down),
	TEST_WITH(an_owned_table_goes_with_its_descriptor, life_up, life_down),
	TEST_WITH(a_table_that_is_there_stays_as_it_is, life_up, life_down),
	TEST_WITH(no_hook_leads_to_it_and_nft_can_load_what_it_lists, life_up, life_down),
};

TEST_MAIN(tests);
