// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard, cut short: killed before each single one of its calls that changes anything. It must
 * be whole, absent or shown as broken, and "off" must clean it and put every sysctl back.
 */
#include <errno.h>
#include <test.h>
#include <ward_stop.h>

static void on_killed_at_each_call_is_whole_absent_or_cleaned(void)
{
	struct stop_seen s = ward_stop(ward_stop_on, 0);

	stop_report("guard on", &s);
	assert_true(s.absent && s.broken && s.ready);
}

static void off_killed_at_each_call_is_whole_absent_or_cleaned(void)
{
	struct stop_seen s = ward_stop(ward_stop_off, 0);

	stop_report("guard off", &s);
	assert_true(s.absent && s.broken && s.ready);
}

static void tune_killed_at_each_call_is_strict_and_put_back(void)
{
	struct stop_seen s = ward_stop(ward_stop_tune, 0);

	stop_report("guard tune", &s);
	assert_true(s.points > 10);
}

static const struct test tests[] = {
	TEST(on_killed_at_each_call_is_whole_absent_or_cleaned),
	TEST(off_killed_at_each_call_is_whole_absent_or_cleaned),
	TEST(tune_killed_at_each_call_is_strict_and_put_back),
};

TEST_MAIN(tests);
