// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names and option structs: what callers of other versions hand in, and what people do.
 */
#include <errno.h>
#include <string.h>
#include <test.h>

#include "names.h"
#include "opts.h"

#include <unfrag/unfrag.h>

static void hooks_are_found_by_their_names(void)
{
	for (int hook = 0; hook < UNFRAG_HOOK_MAX; hook++)
		assert_int_equal(unfrag_hook_by_name(unfrag_hook_name((enum unfrag_hook)hook)),
				 hook);
	assert_null(unfrag_hook_name(UNFRAG_HOOK_MAX));
	assert_null(unfrag_hook_name((enum unfrag_hook) - 1));
	test_err(unfrag_hook_by_name("ingress"), -EINVAL);
	test_err(unfrag_hook_by_name("INPUT"), -EINVAL);
	test_err(unfrag_hook_by_name(""), -EINVAL);
}

static void states_have_names(void)
{
	assert_string_equal(unfrag_state_name(UNFRAG_STATE_READY), "ready");
	assert_string_equal(unfrag_state_name(UNFRAG_STATE_BUSY), "busy");
	assert_string_equal(unfrag_state_name(UNFRAG_STATE_BROKEN), "broken");
	assert_string_equal(unfrag_state_name(UNFRAG_STATE_ORPHANED), "orphaned");
	assert_null(unfrag_state_name(UNFRAG_STATE_MAX));
}

static void each_outcome_has_a_name_of_its_own_and_a_text(void)
{
	int judged = 0;

	for (int i = 0; i < UNFRAG_OUTCOME_MAX; i++) {
		enum unfrag_outcome o = (enum unfrag_outcome)i;

		assert_true(strspn(unfrag_outcome_name(o), "abcdefghijklmnopqrstuvwxyz_") ==
			    strlen(unfrag_outcome_name(o)));
		assert_string_not_equal(unfrag_outcome_text(o), "");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(unfrag_outcome_name(o),
						unfrag_outcome_name((enum unfrag_outcome)j));
		judged += unfrag_outcome_judged(o);
	}
	assert_int_equal(judged, 2);
	assert_null(unfrag_outcome_name(UNFRAG_OUTCOME_MAX));
	assert_null(unfrag_outcome_text(UNFRAG_OUTCOME_MAX));
	assert_false(unfrag_outcome_judged(UNFRAG_OUTCOME_MAX));
}

static void families_are_single_bits(void)
{
	assert_int_equal(family_index(UNFRAG_FAMILIES_IPV4), 0);
	assert_int_equal(family_index(UNFRAG_FAMILIES_IPV6), 1);
	test_err(family_index(UNFRAG_FAMILIES_BOTH), -EINVAL);
	test_err(family_index(0), -EINVAL);
	assert_int_equal(family_pf(0), 2);
	assert_int_equal(family_pf(1), 10);
}

static void names_are_letters_digits_dashes_and_underscores(void)
{
	static const char *const good[] = { "a", "Z", "0", "a-b", "a_b", "1-", "x9_-" };
	static const char *const bad[] = {
		"", "-", "_", "-a", "_a", ".", "..", "a.b", "a/b", "/a", "a b", "a\n", "\xc3\xa4",
	};
	char name[UNFRAG_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(name_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(name_valid(bad[i]));
	memset(name, 'n', sizeof(name));
	name[UNFRAG_NAME_MAX] = '\0';
	assert_true(name_valid(name));
	name[UNFRAG_NAME_MAX] = 'n';
	name[UNFRAG_NAME_MAX + 1] = '\0';
	assert_false(name_valid(name));
}

struct old {
	size_t sz;
	uint32_t first;
};

struct new
{
	size_t sz;
	uint32_t first;
	uint32_t second;
	uint64_t third;
};

static void options_of_an_older_caller_are_filled_up_with_zeroes(void)
{
	struct old old = { .sz = sizeof(old), .first = 7 };
	struct new got;

	memset(&got, 0xff, sizeof(got));
	/* To the byte: what follows in the caller's memory is not looked at. */
	old.sz = offsetof(struct old, first) + sizeof(old.first);
	test_ok(opts_get(&got, sizeof(got), &old));
	assert_int_equal(got.first, 7);
	assert_int_equal(got.second, 0);
	assert_true(got.third == 0);
	test_ok(opts_get(&got, sizeof(got), NULL));
	assert_int_equal(got.first, 0);
}

static void options_of_a_newer_caller_are_fine_as_long_as_they_are_zero(void)
{
	struct new new = { .sz = sizeof(new), .first = 7 };
	struct old got;

	test_ok(opts_get(&got, sizeof(got), &new));
	assert_int_equal(got.first, 7);
	new.third = 1;
	test_err(opts_get(&got, sizeof(got), &new), -EINVAL);
	new.third = 1ull << 56;
	test_err(opts_get(&got, sizeof(got), &new), -EINVAL);
}

static void options_without_a_size_are_refused(void)
{
	struct new new = { .sz = 0 };
	struct new got;

	test_err(opts_get(&got, sizeof(got), &new), -EINVAL);
	new.sz = sizeof(size_t) - 1;
	test_err(opts_get(&got, sizeof(got), &new), -EINVAL);
	test_err(opts_put(&new, &got, sizeof(got)), -EINVAL);
}

static void results_fill_what_the_caller_has_room_for(void)
{
	const struct new result = { .sz = sizeof(result), .first = 1, .second = 2, .third = 3 };
	struct {
		struct old old;
		uint32_t behind[4];
	} small = { .old.sz = sizeof(small.old), .behind = { 9, 9, 9, 9 } };
	struct {
		struct new new;
		uint64_t fourth;
	} large = { .new.sz = sizeof(large), .fourth = 4 };

	test_ok(opts_put(&small.old, &result, sizeof(result)));
	assert_int_equal(small.old.first, 1);
	assert_int_equal(small.behind[0], 9);
	assert_true(small.old.sz == sizeof(small.old));
	test_ok(opts_put(&large.new, &result, sizeof(result)));
	assert_true(large.new.third == 3);
	/* What this version does not know of is nothing. */
	assert_true(large.fourth == 0);
	assert_true(large.new.sz == sizeof(large));
}

static const struct test tests[] = {
	TEST(hooks_are_found_by_their_names),
	TEST(states_have_names),
	TEST(each_outcome_has_a_name_of_its_own_and_a_text),
	TEST(families_are_single_bits),
	TEST(names_are_letters_digits_dashes_and_underscores),
	TEST(options_of_an_older_caller_are_filled_up_with_zeroes),
	TEST(options_of_a_newer_caller_are_fine_as_long_as_they_are_zero),
	TEST(options_without_a_size_are_refused),
	TEST(results_fill_what_the_caller_has_room_for),
};

TEST_MAIN(tests);
