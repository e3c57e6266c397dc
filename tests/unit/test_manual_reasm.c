// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libunfrag-reasm(3) has all that the engine's headers have, and says of it what they say. That its
 * program compiles and runs: test_install.c.
 */
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <test.h>

#include <unfrag/reasm.h>

#define HEADERS TEST_SOURCE "/include/unfrag"

static char *page(void)
{
	char *text = text_file("%s", TEST_SOURCE "/doc/libunfrag-reasm.3.scd");

	text_unescape(text);
	return text;
}

static char *headers(void)
{
	return text_of("cd '%s' && cat reasm.h reasm_result.h reason.h", HEADERS);
}

static void every_function_is_there_as_declared(void)
{
	text_auto char *map = text_file("%s", TEST_SOURCE "/src/reasm/libunfrag-reasm.map");
	text_auto char *header = headers(), *manual = page();

	assert_true(text_expect_functions(manual, header, map) > 10);
}

static void every_member_is_there(void)
{
	text_auto char *header = headers(), *manual = page();
	struct words members = { 0 };
	size_t i;

	text_uncomment(header);
	text_unpreprocess(header);
	words_members(&members, header, "struct unfrag_");
	assert_true(members.count > 30);
	for (i = 0; i < members.count; i++)
		text_expect(manual, "*%s*", members.word[i]);
}

/* Names of values, and limits; not those that only end a list. */
static void every_constant_is_there(void)
{
	text_auto char *header = headers(), *manual = page();
	struct words all = { 0 };
	size_t i, len;

	text_uncomment(header);
	words_collect(&all, header, "UNFRAG_", UPPER NUMBERS "_");
	assert_true(all.count > 20);
	for (i = 0; i < all.count; i++) {
		len = strlen(all.word[i]);
		if (all.word[i][len - 1] != '_' && strcmp(all.word[i] + len - 4, "_MAX"))
			text_expect(manual, "%s", all.word[i]);
	}
}

static void outcomes_reasons_and_policies_are_named(void)
{
	text_auto char *manual = page();
	uint32_t i;

	text_flatten(manual);
	for (i = 0; i < UNFRAG_REASM_OUTCOME_MAX; i++)
		text_expect(manual, "* :%s %s :", i ? "" : "[", unfrag_reasm_outcome_name(i));
	for (i = 0; i < UNFRAG_REASM_POLICY_MAX; i++)
		text_expect(manual, "* :%s %s :", i ? "" : "[", unfrag_reasm_policy_name(i));
	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		text_expect(manual, "*%s* :%s %s", unfrag_reason_name(i), i ? "" : "<",
			    unfrag_reason_text(i));
}

static void defaults_and_limits_are_as_told(void)
{
	text_auto char *manual = page();

	text_flatten(manual);
	text_expect(manual, "*UNFRAG_REASM_MEMORY_MIN* (%u KiB)", UNFRAG_REASM_MEMORY_MIN >> 10);
	text_expect(manual, "*UNFRAG_REASM_MEMORY* (%u MiB)", UNFRAG_REASM_MEMORY >> 20);
	text_expect(manual, "*UNFRAG_REASM_IPV4_TIMEOUT* (%u s)",
		    (unsigned int)(UNFRAG_REASM_IPV4_TIMEOUT / 1000000000));
	text_expect(manual, "*UNFRAG_REASM_IPV6_TIMEOUT* (%u s)",
		    (unsigned int)(UNFRAG_REASM_IPV6_TIMEOUT / 1000000000));
	text_expect(manual, "*UNFRAG_REASM_SOURCE_SHARE* (%d)", UNFRAG_REASM_SOURCE_SHARE);
	text_expect(manual, "*UNFRAG_REASM_PIECES* (%d)", UNFRAG_REASM_PIECES);
}

static const struct test tests[] = {
	TEST(every_function_is_there_as_declared),
	TEST(every_member_is_there),
	TEST(every_constant_is_there),
	TEST(outcomes_reasons_and_policies_are_named),
	TEST(defaults_and_limits_are_as_told),
};

TEST_MAIN(tests);
