// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A load of a ruleset, cut short: killed before each of its calls that change anything. It leaves
 * the ruleset whole, absent or shown as broken.
 */
#include <errno.h>
#include <policed.h>
#include <stdio.h>
#include <stop.h>
#include <string.h>
#include <test.h>

#define RULE "udp dport 9 counter accept"

static const char *rules(const char *more)
{
	return policed_file(
		"table inet t {\nchain c {\ntype filter hook input priority %d; "
		"policy drop;\n" RULE "\n%s\n}\n}\n",
		life_priority(0), more);
}

static void stop_load(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const char *const args[] = { "policy", "load",       "--netns", l->path,
				     "--name", POLICED_NAME, rules(""), NULL };
	struct command c;
	int state;

	for (; stop_at_call(&c, s, n, err, args); n += stop_stride()) {
		state = life_state(POLICED_NAME, NULL);
		s->absent += state == -ENOENT;
		s->ready += state == UNFRAG_STATE_READY;
		s->broken += state == UNFRAG_STATE_BROKEN;
		if (err)
			assert_int_equal(state, c.status ? -ENOENT : UNFRAG_STATE_READY);
		life_expect_pings(l);
		if (state != -ENOENT)
			assert_int_equal(command_run(&c, "policy", "unload", POLICED_NAME), 0);
		life_expect_nothing();
	}
	life_detach(POLICED_NAME);
}

static struct stop_seen in_parts(stop_loop loop, int err)
{
	static const struct stop_world world = { policed_up, policed_down };

	return stop_run(&world, loop, err);
}

static void load_killed_at_each_call_is_whole_absent_or_cleaned(void)
{
	struct stop_seen s = in_parts(stop_load, 0);

	stop_report("policy load", &s);
	assert_true(s.absent && s.broken);
}

static const struct test tests[] = {
	TEST(load_killed_at_each_call_is_whole_absent_or_cleaned),
};

TEST_MAIN(tests);
