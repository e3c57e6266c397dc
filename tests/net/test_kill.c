// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command, cut short: killed before each single one of its calls that changes anything, and
 * with each single one of them failing.
 *
 * Killed, an attachment must be whole, absent or shown as broken, packets must pass, and detach
 * must clean it. Failed, it must be whole if the command said so, and as it was before if not. In
 * neither case may a link stay, or the defragmentation that it asked for.
 */
#include <command.h>
#include <errno.h>
#include <life.h>
#include <stdio.h>
#include <stop.h>
#include <string.h>
#include <test.h>

#define NAME "kill"

#define PINNED "about counters link-ipv4-input link-ipv6-input maps maps-%u program-%u slot "

/* Runs a verb that is stopped at its n-th call; one that is not says nothing. */
static bool stopped(struct command *c, struct stop_seen *s, unsigned int n, int err,
		    const char *const *args)
{
	if (stop_at_call(c, s, n, err, args))
		return true;
	command_expect(c, 0, NULL);
	return false;
}

static void expect_no_defrag(const struct life *l)
{
	assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 0);
	assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV6), 0);
}

static void expect_shown_as_broken(const struct unfrag_attachment_info *info)
{
	struct command c;

	assert_int_equal(info->state, UNFRAG_STATE_BROKEN);
	assert_string_not_equal(info->problem, "");
	assert_int_equal(command_run(&c, "list"), 0);
	assert_non_null(strstr(c.out, "broken"));
	assert_non_null(strstr(c.err, "unfrag detach " NAME));
}

/* Absent, whole or broken; then cleaned by the command. Its state before that, or -ENOENT. */
static int expect_cleanable(const struct life *l, struct stop_seen *s)
{
	struct unfrag_attachment_info info;
	int state = life_state(NAME, &info);
	struct command c;

	if (state == UNFRAG_STATE_READY) {
		s->ready++;
		life_expect_judging(l, NAME, &info);
	} else if (state != -ENOENT) {
		s->broken++;
		expect_shown_as_broken(&info);
	} else {
		s->absent++;
	}
	life_expect_pings(l);
	if (state != -ENOENT)
		assert_int_equal(command_run(&c, "detach", NAME), 0);
	life_expect_nothing();
	expect_no_defrag(l);
	return state;
}

static struct stop_seen in_parts(stop_loop loop, int err)
{
	static const struct stop_world world = { life_up, life_down };

	return stop_run(&world, loop, err);
}

static const char *priority(void)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d", life_priority(0));
	return text;
}

static void stop_attach(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const char *const args[] = {
		"attach",     "--netns",  l->path,  "--name", NAME,
		"--priority", priority(), "--hook", "input",  LIFE_OBJECT("plain"),
		NULL
	};
	struct command c;
	int state;

	for (; stopped(&c, s, n, err, args); n += STOP_PARTS) {
		state = expect_cleanable(l, s);
		if (err)
			assert_int_equal(state, c.status ? -ENOENT : UNFRAG_STATE_READY);
	}
	assert_int_equal(life_state(NAME, NULL), UNFRAG_STATE_READY);
	life_detach(NAME);
}

static void attach_killed_at_each_call_is_whole_absent_or_cleaned(void)
{
	struct stop_seen s = in_parts(stop_attach, 0);

	stop_report("attach", &s);
	assert_true(s.absent && s.broken && s.ready);
}

static void attach_with_each_call_failing_is_whole_or_absent(void)
{
	struct stop_seen s = in_parts(stop_attach, ENOMEM);

	stop_report("attach", &s);
	assert_true(s.absent && s.ready && !s.broken);
}

static void attach(const struct life *l, const char *path)
{
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH,
						   1u << UNFRAG_HOOK_INPUT);
	struct unfrag_attachment *att;

	test_ok(life_attach(&att, NAME, path, &opts));
	unfrag_attachment_free(att);
}

/* What a judge counts goes up where the program in force has its maps. */
static void expect_judged_by(const struct life *l, const struct unfrag_attachment_info *info)
{
	enum life_judge who = strcmp(info->program, "life_judge_a") ? LIFE_B : LIFE_A;
	struct life_judged before = life_judged(NAME, info->program_id, who);
	struct life_judged after;

	life_expect_judging(l, NAME, info);
	after = life_judged(NAME, info->program_id, who);
	assert_int_equal(after.mine - before.mine, 2);
	assert_int_equal(after.fragments, 0);
}

static void expect_pins_of(uint32_t id)
{
	char pins[512], want[512];

	snprintf(want, sizeof(want), PINNED, id, id);
	life_entries(NAME, pins, sizeof(pins));
	assert_string_equal(pins, want);
	snprintf(want, sizeof(want), "maps-%u", id);
	life_entries(NAME "/maps", pins, sizeof(pins));
	pins[strcspn(pins, "_")] = '\0';
	assert_string_equal(pins, "judged layout life");
}

static void stop_replace(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const char *const objects[] = { LIFE_OBJECT("a"), LIFE_OBJECT("b") };
	struct unfrag_attachment_info info;
	uint32_t old;
	bool going = true;
	struct command c;

	attach(l, LIFE_OBJECT("a"));
	for (; going; n += STOP_PARTS) {
		const char *const args[] = { "replace", NAME, objects[n / STOP_PARTS % 2], NULL };

		assert_int_equal(life_state(NAME, &info), UNFRAG_STATE_READY);
		old = info.program_id;
		going = stopped(&c, s, n, err, args);
		assert_int_equal(life_state(NAME, &info), UNFRAG_STATE_READY);
		expect_judged_by(l, &info);
		if (err)
			assert_int_equal(info.program_id == old, c.status != 0);
		if (info.program_id == old)
			s->absent++;
		else
			s->ready++;
		assert_int_equal(command_run(&c, "replace", NAME, objects[n / STOP_PARTS % 2]), 0);
		assert_int_equal(life_state(NAME, &info), UNFRAG_STATE_READY);
		expect_pins_of(info.program_id);
	}
	life_detach(NAME);
}

static void replace_killed_at_each_call_leaves_the_old_or_the_new_program(void)
{
	struct stop_seen s = in_parts(stop_replace, 0);

	stop_report("replace", &s);
	assert_true(s.absent && s.ready);
}

static void replace_with_each_call_failing_keeps_the_old_program(void)
{
	struct stop_seen s = in_parts(stop_replace, ENOMEM);

	stop_report("replace", &s);
	assert_true(s.absent && s.ready);
}

static void stop_detach(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const char *const args[] = { "detach", NAME, NULL };
	struct command c;
	bool going = true;
	int state;

	for (; going; n += STOP_PARTS) {
		attach(l, LIFE_OBJECT("plain"));
		going = stopped(&c, s, n, err, args);
		state = expect_cleanable(l, s);
		if (!going || (err && !c.status))
			assert_int_equal(state, -ENOENT);
	}
}

static void detach_killed_at_each_call_is_whole_absent_or_cleaned(void)
{
	struct stop_seen s = in_parts(stop_detach, 0);

	stop_report("detach", &s);
	assert_true(s.absent && s.broken && s.ready);
}

static void detach_with_each_call_failing_can_be_done_again(void)
{
	struct stop_seen s = in_parts(stop_detach, ENOMEM);

	stop_report("detach", &s);
	assert_true(s.failed);
}

/* The one hold there is: its id, or "". */
static int only_hold(const char *id, void *arg)
{
	char *only = arg;

	assert_string_equal(only, "");
	snprintf(only, 128, "%s", id);
	return 0;
}

static void expect_broken_hold(const struct life *l, const char *id)
{
	struct command c;

	assert_int_equal(command_run(&c, "defrag", "status", "--all"), 0);
	assert_non_null(strstr(c.out, "broken"));
	assert_non_null(strstr(c.err, id));
	/* Not "there already". */
	assert_int_equal(command_run(&c, "defrag", "on", "--netns", l->path, "--holder", NAME), 1);
	assert_non_null(strstr(c.err, "broken"));
}

static int expect_cleanable_hold(const struct life *l, struct stop_seen *s)
{
	struct unfrag_hold_info info = { .sz = sizeof(info) };
	struct unfrag_hold *hold;
	struct command c;
	char id[128] = "";

	test_ok(unfrag_hold_each(only_hold, id));
	if (!id[0]) {
		s->absent++;
		life_expect_nothing();
		expect_no_defrag(l);
		return -ENOENT;
	}
	test_ok(unfrag_hold_open(&hold, id));
	test_ok(unfrag_hold_info(hold, &info));
	unfrag_hold_free(hold);
	if (info.state == UNFRAG_STATE_READY) {
		s->ready++;
		assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 1);
		assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV6), 1);
	} else {
		s->broken++;
		assert_int_equal(info.state, UNFRAG_STATE_BROKEN);
		expect_broken_hold(l, id);
	}
	assert_int_equal(command_run(&c, "defrag", "off", "--id", id), 0);
	life_expect_nothing();
	expect_no_defrag(l);
	return (int)info.state;
}

static void stop_hold(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const char *const args[] = { "defrag", "on", "--netns", l->path, "--holder", NAME, NULL };
	struct command c;
	bool going = true;
	int state;

	for (; going; n += STOP_PARTS) {
		going = stopped(&c, s, n, err, args);
		state = expect_cleanable_hold(l, s);
		if (err)
			assert_int_equal(state, c.status ? -ENOENT : UNFRAG_STATE_READY);
	}
}

static void stop_release(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const char *const args[] = { "defrag", "off", "--netns", l->path, "--holder", NAME, NULL };
	struct command c;
	bool going = true;
	int state;

	for (; going; n += STOP_PARTS) {
		assert_int_equal(command_run(&c, "defrag", "on", "--netns", l->path, "--holder",
					     NAME),
				 0);
		going = stopped(&c, s, n, err, args);
		state = expect_cleanable_hold(l, s);
		if (!going || (err && !c.status))
			assert_int_equal(state, -ENOENT);
	}
}

static void hold_killed_at_each_call_is_whole_absent_or_cleaned(void)
{
	struct stop_seen s = in_parts(stop_hold, 0);

	stop_report("defrag on", &s);
	assert_true(s.absent && s.broken && s.ready);
}

static void hold_with_each_call_failing_is_whole_or_absent(void)
{
	struct stop_seen s = in_parts(stop_hold, ENOMEM);

	stop_report("defrag on", &s);
	assert_true(s.absent && s.ready && !s.broken);
}

static void release_killed_at_each_call_is_whole_absent_or_cleaned(void)
{
	struct stop_seen s = in_parts(stop_release, 0);

	stop_report("defrag off", &s);
	assert_true(s.absent && s.broken && s.ready);
}

static void release_with_each_call_failing_can_be_done_again(void)
{
	struct stop_seen s = in_parts(stop_release, ENOMEM);

	stop_report("defrag off", &s);
	assert_true(s.failed);
}

static const struct test tests[] = {
	TEST(attach_killed_at_each_call_is_whole_absent_or_cleaned),
	TEST(replace_killed_at_each_call_leaves_the_old_or_the_new_program),
	TEST(detach_killed_at_each_call_is_whole_absent_or_cleaned),
	TEST(hold_killed_at_each_call_is_whole_absent_or_cleaned),
	TEST(release_killed_at_each_call_is_whole_absent_or_cleaned),
	TEST(attach_with_each_call_failing_is_whole_or_absent),
	TEST(replace_with_each_call_failing_keeps_the_old_program),
	TEST(detach_with_each_call_failing_can_be_done_again),
	TEST(hold_with_each_call_failing_is_whole_or_absent),
	TEST(release_with_each_call_failing_can_be_done_again),
};

TEST_MAIN(tests);
