// SPDX-License-Identifier: GPL-2.0-or-later
/* Where unfrag is built without libnftables: read_absent.c stands in this test, not read.c. */
#include <errno.h>
#include <string.h>
#include <test.h>

#include "policy.h"

static void what_would_read_a_file_says_that_it_is_not_there(void)
{
	struct policy_messages messages = { 0 };
	const struct policy_read_opts opts = { .netns = -1, .messages = &messages };
	struct ruleset rs, before;

	memset(&rs, 0x5a, sizeof(rs));
	before = rs;
	assert_int_equal(policy_read(&rs, "edge.nft", &opts), -EOPNOTSUPP);
	assert_int_equal(memcmp(&rs, &before, sizeof(rs)), 0);
	assert_int_equal(messages.n, 1);
	assert_string_equal(messages.text[0],
			    "edge.nft: this unfrag was built without libnftables, which reads it");
	policy_messages_release(&messages);
}

static const struct test tests[] = {
	TEST(what_would_read_a_file_says_that_it_is_not_there),
};

TEST_MAIN(tests);
