// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard with each single one of its calls failing that changes anything: whole if the command
 * said so, and as it was before if not, every sysctl included.
 */
#include <errno.h>
#include <test.h>
#include <ward_stop.h>

static void on_with_each_call_failing_is_whole_or_absent(void)
{
	struct stop_seen s = ward_stop(ward_stop_on, ENOMEM);

	stop_report("guard on", &s);
	assert_true(s.absent && s.ready && !s.broken);
}

static void off_with_each_call_failing_can_be_done_again(void)
{
	struct stop_seen s = ward_stop(ward_stop_off, ENOMEM);

	stop_report("guard off", &s);
	assert_true(s.failed);
}

static void tune_with_each_call_failing_is_strict_and_put_back(void)
{
	struct stop_seen s = ward_stop(ward_stop_tune, ENOMEM);

	stop_report("guard tune", &s);
	assert_true(s.failed);
}

static const struct test tests[] = {
	TEST(on_with_each_call_failing_is_whole_or_absent),
	TEST(off_with_each_call_failing_can_be_done_again),
	TEST(tune_with_each_call_failing_is_strict_and_put_back),
};

TEST_MAIN(tests);
