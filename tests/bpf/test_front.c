// SPDX-License-Identifier: GPL-2.0-or-later
#include <test.h>

static void placeholder(void)
{
	assert_true(1);
}

static const struct test tests[] = { TEST(placeholder) };

TEST_MAIN(tests);
