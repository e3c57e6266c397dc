// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A load of a ruleset, and a reload, cut short: killed before each of their calls that change
 * anything. A load leaves the ruleset whole, absent or shown as broken; a reload leaves the old one
 * or the new one in force.
 */
#include <errno.h>
#include <policed.h>
#include <stop.h>
#include <string.h>
#include <test.h>

/*
 * All rulesets have a rule that all packets meet once. Of a reload each has one of its own too, at
 * another hook or priority. What comes is counted by both rules of one of them, or it met a part of
 * each.
 */
#define COMMON  "udp dport 9 counter accept"
#define OWN     "meta length 1-100 counter"
#define OWN_OLD OWN " comment \"old\""
#define OWN_NEW OWN " comment \"new\""

/* More than a reload has from the first one on that changes what is in force. */
#define CHANGE_CALLS 100

static const char *rules(void)
{
	return policed_file(
		"table inet t {\nchain c {\ntype filter hook input priority %d; "
		"policy drop;\n" COMMON "\n}\n}\n",
		life_priority(0));
}

static void stop_load(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const char *const args[] = { "policy", "load",       "--netns", l->path,
				     "--name", POLICED_NAME, rules(),   NULL };
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

/* Who holds the lock goes on with it; who is killed does not. */
static void what_is_being_loaded_is_no_ruleset_yet(void *state)
{
	const struct life *l = state;
	struct unfrag_attachment *att;
	struct command c = { 0 };

	for (unsigned int at = 1; life_state(POLICED_NAME, NULL) != UNFRAG_STATE_BROKEN; at++) {
		assert_true(at < CHANGE_CALLS);
		c = (struct command){ .stop_at = at };
		command(&c, "policy", "load", "--netns", l->path, "--name", POLICED_NAME, rules(),
			NULL);
		assert_int_not_equal(c.status, 0);
	}
	test_ok(unfrag_attachment_open(&att, POLICED_NAME));
	test_ok(unfrag_attachment_lock(att));
	command_run(&c, "policy", "show", POLICED_NAME);
	command_expect(&c, 1, "is being loaded or unloaded by another process");
	assert_null(strstr(c.err, "broken"));
	command_run(&c, "policy", "show");
	command_expect(&c, 0, "no ruleset is in force");
	assert_null(strstr(c.err, "broken"));
	unfrag_attachment_unlock(att);
	unfrag_attachment_free(att);
	command_run(&c, "policy", "unload", POLICED_NAME);
	assert_int_equal(c.status, 0);
	life_expect_nothing();
}

static const char *ruleset(bool old)
{
	return policed_file(
		"table inet t {\n"
		"chain c {\ntype filter hook input priority %d; policy drop;\n" COMMON
		"\n}\n"
		"chain %s {\ntype filter hook %s priority %d;\n%s\n}\n}\n",
		life_priority(0), old ? "o" : "n", old ? "input" : "output",
		life_priority(old ? 2 : 1), old ? OWN_OLD : OWN_NEW);
}

/* Asserts that the old or the new one is in force as a whole; which of them. */
static bool expect_old_or_new(const struct life *l)
{
	uint64_t common = policed_packets(COMMON), own, none;
	bool old = policed_find(OWN_OLD, &own);

	assert_int_equal(life_state(POLICED_NAME, NULL), UNFRAG_STATE_READY);
	assert_int_equal(policed_find(OWN_NEW, old ? &none : &own), !old);
	life_expect_pings(l);
	assert_int_equal(policed_packets(COMMON), common + 2);
	assert_int_equal(policed_packets(old ? OWN_OLD : OWN_NEW), own + 2);
	return old;
}

/* What comes after it works: another reload, or (anew) an unload and a load. */
static void put_old(const struct life *l, bool anew)
{
	const char *path = ruleset(true);
	struct command c;

	if (anew) {
		command_run(&c, "policy", "unload", POLICED_NAME);
		command_expect(&c, 0, NULL);
		life_expect_nothing();
		policed_load(l, path);
	} else {
		command_run(&c, "policy", "reload", POLICED_NAME, path);
		command_expect(&c, 0, NULL);
	}
	assert_true(expect_old_or_new(l));
	life_expect_links(4);
}

/* The call from which on it changes what is in force, or one before it. */
static unsigned int begin_of_change(const struct life *l)
{
	struct command c = { .watch = true };

	assert_int_equal(command(&c, "policy", "reload", POLICED_NAME, ruleset(false), NULL), 0);
	put_old(l, false);
	assert_true(c.calls > CHANGE_CALLS);
	return c.calls - CHANGE_CALLS;
}

static void stop_reload(void *world, int err, struct stop_seen *s, unsigned int n)
{
	const struct life *l = world;
	const char *path = ruleset(true);
	const char *const args[] = { "policy", "reload", POLICED_NAME, path, NULL };
	struct command c;
	unsigned int from;
	bool old;

	policed_load(l, path);
	from = begin_of_change(l);
	for (ruleset(false); stop_at_call(&c, s, n, err, args); ruleset(false)) {
		old = expect_old_or_new(l);
		s->absent += old;
		s->ready += !old;
		put_old(l, s->points % 8 == 1);
		n += stop_stride_of(n, from);
	}
	assert_false(expect_old_or_new(l));
}

static void reload_killed_at_each_call_is_the_old_or_the_new(void)
{
	struct stop_seen s = in_parts(stop_reload, 0);

	stop_report("policy reload", &s);
	assert_true(s.absent && s.ready);
}

static const struct test tests[] = {
	TEST(load_killed_at_each_call_is_whole_absent_or_cleaned),
	TEST_WITH(what_is_being_loaded_is_no_ruleset_yet, policed_up, policed_down),
	TEST(reload_killed_at_each_call_is_the_old_or_the_new),
};

TEST_MAIN(tests);
