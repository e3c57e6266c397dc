// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is told of work that takes longer than a second: to whom, and that nothing of it is left.
 * The test makes the work as long as it likes, as it gives the ruleset by standard input.
 */
#include <background.h>
#include <policed.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <terminal.h>
#include <test.h>

#define CLEAR       "\r\033[K"
#define READING     "\runfrag: reading standard input ...\033[K"
#define STEP(words) "\runfrag: " words " ...\033[K"

#define RULESET \
	"table inet t {\nset s { type ipv4_addr; }\nchain c {\n" \
	"type filter hook input priority 0\nip saddr @s counter\n}\n}\n"

/* Asserts that the line was taken away right before the last thing that was said, or at the end. */
static void expect_last(const struct terminal *t, const char *last)
{
	size_t n = strlen(last) + strlen(CLEAR);
	char want[512];

	snprintf(want, sizeof(want), CLEAR "%s", last);
	if (t->n < n || strcmp(t->said + t->n - n, want) != 0)
		printf("# '%s' is not the end of: %s\n", last, t->said);
	assert_true(t->n >= n);
	assert_string_equal(t->said + t->n - n, want);
}

static void each_step_is_told_at_a_terminal_and_gone_at_the_end(void *state)
{
	struct terminal t = { .columns = 100 };
	const char *end;

	(void)state;
	terminal_start(&t, "policy", "check", "-");
	terminal_says(&t, READING);
	terminal_feed(&t, RULESET);
	assert_int_equal(terminal_end(&t), 0);
	assert_true(!strncmp(t.said, READING, strlen(READING)));
	assert_non_null(strstr(t.said, READING STEP("compiling")));
	end = strstr(t.said, CLEAR "-: 1 rule, 1 chain, ");
	assert_non_null(end);
	assert_null(strstr(end + strlen(CLEAR), "\033"));
}

static void a_line_is_as_long_as_there_is_room(void *state)
{
	struct terminal t = { .columns = 20 };

	(void)state;
	terminal_start(&t, "policy", "explain", "-", "--packet", "udp 10.0.0.1:1 > 10.0.0.2:2");
	terminal_says(&t, "\runfrag: reading sta\033[K");
	terminal_feed(&t, "table ip t {\n");
	assert_int_equal(terminal_end(&t), 1);
}

static void nothing_is_left_after_a_signal(void *state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct terminal t = { .columns = 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		terminal_start(&t, "policy", "check", "-");
		terminal_says(&t, READING);
		if (signals[i] == SIGINT)
			terminal_press(&t, "\3");
		else
			assert_int_equal(kill(t.pid, signals[i]), 0);
		assert_int_equal(terminal_end(&t), 128 + signals[i]);
		expect_last(&t, "");
	}
}

static void an_ignored_signal_stays_ignored(void *state)
{
	struct terminal t = { .columns = 100 };

	(void)state;
	signal(SIGHUP, SIG_IGN);
	terminal_start(&t, "policy", "check", "-");
	signal(SIGHUP, SIG_DFL);
	terminal_says(&t, READING);
	assert_int_equal(kill(t.pid, SIGHUP), 0);
	terminal_says(&t, READING CLEAR);
	terminal_feed(&t, RULESET);
	assert_int_equal(terminal_end(&t), 0);
}

static void an_error_stands_alone(void *state)
{
	struct terminal t = { .columns = 100 };

	(void)state;
	terminal_start(&t, "policy", "check", "-");
	terminal_says(&t, READING);
	terminal_feed(&t, "table ip t {\nchain c { no such thing; }\n}\n");
	assert_int_equal(terminal_end(&t), 1);
	terminal_says(&t, READING CLEAR "/dev/stdin:2");
	assert_null(strstr(t.said + strlen(READING CLEAR), "\033"));
	terminal_start(&t, "policy", "check", "--memory", "1K", "-");
	terminal_says(&t, READING);
	terminal_feed(&t, RULESET);
	assert_int_equal(terminal_end(&t), 1);
	terminal_says(&t, STEP("compiling") CLEAR "unfrag: -: the ruleset takes ");
}

/* All wait for the same time, which is long enough for the one that is at a terminal. */
static void json_and_pipes_have_none_of_it(void *state)
{
	struct terminal json = { .columns = 100 }, pipe = { .is_pipe = true };
	struct terminal watched = { .columns = 100 };

	(void)state;
	terminal_start(&json, "policy", "check", "--json", "-");
	terminal_start(&pipe, "policy", "check", "-");
	terminal_start(&watched, "policy", "check", "-");
	terminal_says(&watched, READING);
	terminal_feed(&json, RULESET);
	terminal_feed(&pipe, RULESET);
	terminal_feed(&watched, RULESET);
	assert_int_equal(terminal_end(&json), 0);
	assert_int_equal(terminal_end(&pipe), 0);
	assert_int_equal(terminal_end(&watched), 0);
	assert_int_equal(json.said[0], '{');
	assert_null(strchr(json.said, '\033'));
	assert_true(!strncmp(pipe.said, "-: 1 rule, ", 11));
	assert_null(strchr(pipe.said, '\033'));
}

static void rulesets_that_go_into_force_tell_their_steps(void *state)
{
	const struct life *l = state;
	struct terminal t = { .columns = 100 };

	terminal_start(&t, "policy", "load", "--netns", l->path, "--name", POLICED_NAME, "-");
	terminal_says(&t, READING);
	terminal_feed(&t, RULESET);
	assert_int_equal(terminal_end(&t), 0);
	terminal_says(&t, READING STEP("compiling") STEP("loading") STEP("putting it into force")
				  CLEAR "loaded '" POLICED_NAME "': ");
	terminal_start(&t, "policy", "reload", POLICED_NAME, "-");
	terminal_says(&t, READING);
	terminal_feed(&t, RULESET);
	assert_int_equal(terminal_end(&t), 0);
	terminal_says(&t, READING STEP("compiling") STEP("loading") STEP("putting it into force")
				  CLEAR "reloaded '" POLICED_NAME "': ");
	terminal_start(&t, "policy", "set", "import", POLICED_NAME, "s", "-");
	terminal_says(&t, READING);
	terminal_feed(&t, "10.0.0.1\n10.0.0.3\n");
	assert_int_equal(terminal_end(&t), 0);
	expect_last(&t, "set 's' of '" POLICED_NAME "' has 2 elements\r\n");
	terminal_start(&t, "policy", "diff", POLICED_NAME, "-");
	terminal_says(&t, READING);
	terminal_feed(&t, RULESET);
	assert_int_equal(terminal_end(&t), 1);
	terminal_says(&t, READING STEP("comparing") CLEAR "table inet t");
}

static void a_ruleset_that_runs_still_ends_with_ctrl_c(void *state)
{
	const struct life *l = state;
	struct terminal t = { .columns = 100 };

	terminal_start(&t, "run", "--netns", l->path, "--name", POLICED_NAME, "-");
	terminal_says(&t, READING);
	terminal_feed(&t, RULESET);
	terminal_says(&t, STEP("loading") CLEAR);
	terminal_says(&t, "running '" POLICED_NAME "': ");
	terminal_press(&t, "\3");
	assert_int_equal(terminal_end(&t), 0);
	life_expect_nothing();
}

static const struct test tests[] = {
	TEST_WITH(each_step_is_told_at_a_terminal_and_gone_at_the_end, policed_up, policed_down),
	TEST_WITH(a_line_is_as_long_as_there_is_room, policed_up, policed_down),
	TEST_WITH(nothing_is_left_after_a_signal, policed_up, policed_down),
	TEST_WITH(an_ignored_signal_stays_ignored, policed_up, policed_down),
	TEST_WITH(an_error_stands_alone, policed_up, policed_down),
	TEST_WITH(json_and_pipes_have_none_of_it, policed_up, policed_down),
	TEST_WITH(rulesets_that_go_into_force_tell_their_steps, policed_up, policed_down),
	TEST_WITH(a_ruleset_that_runs_still_ends_with_ctrl_c, policed_up, policed_down),
};

TEST_MAIN(tests);
