// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attachments with places, cut short: attach, and a replace that moves places, killed before each
 * single one of their calls that changes anything, and with each single one of them failing.
 *
 * What must hold is what test_kill.c says. A replace, moreover, leaves the old programs at the old
 * places or the new ones at the new places.
 */
#include <command.h>
#include <errno.h>
#include <placed.h>
#include <stdio.h>
#include <stop.h>
#include <string.h>
#include <test.h>

struct work {
	const struct life *life;
	struct bpf_object *obj; /* loaded once: what loads it is the caller's */
	const struct unfrag_place *places;
	uint32_t n;
};

static int do_attach(void *arg)
{
	const struct work *w = arg;
	struct unfrag_attachment *att;
	int r = placed_attach_object(&att, w->life, w->obj, w->places, w->n);

	if (!r)
		unfrag_attachment_free(att);
	return r;
}

static int do_replace(void *arg)
{
	const struct work *w = arg;
	struct unfrag_attachment *att;
	int r = unfrag_attachment_open(&att, PLACED_NAME);

	if (r)
		return r;
	r = placed_replace_object(att, w->obj, w->places, w->n);
	unfrag_attachment_free(att);
	return r;
}

static struct stop_seen in_parts(stop_loop loop, int err)
{
	static const struct stop_world world = { life_up, life_down };

	return stop_run(&world, loop, err);
}

static void stop_attach(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const struct unfrag_place places[] = { placed_at(UNFRAG_HOOK_INPUT, 0, 0),
					       placed_at(UNFRAG_HOOK_INPUT, 1, 1) };
	struct work w = { l, placed_load(NULL, 1, -1), places, 2 };
	struct command c;
	int state;

	for (; stop_function(&c, s, n, err, do_attach, &w); n += stop_stride()) {
		state = life_state(PLACED_NAME, NULL);
		s->absent += state == -ENOENT;
		s->ready += state == UNFRAG_STATE_READY;
		s->broken += state == UNFRAG_STATE_BROKEN;
		assert_true(state == -ENOENT || state == UNFRAG_STATE_READY ||
			    state == UNFRAG_STATE_BROKEN);
		if (err)
			assert_int_equal(state, c.status ? -ENOENT : UNFRAG_STATE_READY);
		if (state == UNFRAG_STATE_READY)
			placed_expect_more(l, 2, 2, 0);
		life_expect_pings(l);
		life_remove(PLACED_NAME);
		life_expect_nothing();
	}
	life_detach(PLACED_NAME);
	bpf_object__close(w.obj);
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

/* Program 0 before, 1 and 2 after. */
static bool expect_old_or_new(const struct life *l)
{
	struct unfrag_attachment_info info;
	uint64_t packets = life_count(PLACED_NAME, UNFRAG_OUTCOME_WHOLE);
	bool old;

	assert_int_equal(life_state(PLACED_NAME, &info), UNFRAG_STATE_READY);
	old = info.n_places == 1;
	if (old)
		placed_expect_more(l, 2, 0, 0);
	else
		placed_expect_more(l, 0, 4, 2);
	/* Once at each hook and family. */
	packets = life_count(PLACED_NAME, UNFRAG_OUTCOME_WHOLE) - packets;
	assert_int_equal(packets, old ? 2 : 4);
	return old;
}

static void stop_replace(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const struct unfrag_place old[] = { placed_at(UNFRAG_HOOK_INPUT, 1, 0) };
	const struct unfrag_place new[] = { placed_at(UNFRAG_HOOK_INPUT, 0, 1),
					    placed_at(UNFRAG_HOOK_INPUT, 2, 1),
					    placed_at(UNFRAG_HOOK_OUTPUT, 1, 2) };
	struct work start = { l, placed_load(NULL, 1, -1), old, 1 }, w = { l, NULL, new, 3 };
	struct unfrag_attachment *att;
	bool going = true, is_old;
	struct command c;

	test_ok(placed_attach_object(&att, l, start.obj, old, 1));
	w.obj = placed_load(att, 2, -1);
	unfrag_attachment_free(att);
	for (; going; n += stop_stride()) {
		going = stop_function(&c, s, n, err, do_replace, &w);
		is_old = expect_old_or_new(l);
		s->absent += is_old;
		s->ready += !is_old;
		if (err)
			assert_int_equal(is_old, c.status != 0);
		test_ok(unfrag_attachment_open(&att, PLACED_NAME));
		test_ok(placed_replace_object(att, start.obj, old, 1));
		unfrag_attachment_free(att);
		assert_true(expect_old_or_new(l));
		life_expect_links(2);
	}
	life_detach(PLACED_NAME);
	life_expect_nothing();
	bpf_object__close(start.obj);
	bpf_object__close(w.obj);
}

static void replace_killed_at_each_call_leaves_old_or_new_places(void)
{
	struct stop_seen s = in_parts(stop_replace, 0);

	stop_report("replace", &s);
	assert_true(s.absent && s.ready);
}

static void replace_with_each_call_failing_keeps_old_places(void)
{
	struct stop_seen s = in_parts(stop_replace, ENOMEM);

	stop_report("replace", &s);
	assert_true(s.absent && s.ready);
}

static const struct test tests[] = {
	TEST(attach_killed_at_each_call_is_whole_absent_or_cleaned),
	TEST(attach_with_each_call_failing_is_whole_or_absent),
	TEST(replace_killed_at_each_call_leaves_old_or_new_places),
	TEST(replace_with_each_call_failing_keeps_old_places),
};

TEST_MAIN(tests);
