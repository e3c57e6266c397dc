// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each policy reads where fragments overlap, against what is published of the models. Their
 * sources are named in src/reasm/policy.h.
 */
#include <stdlib.h>
#include <string.h>

#include <engine.h>
#include <relations.h>

#define UNIT 8

static int push_units(struct engine *e, struct interval at, char byte, bool more)
{
	char bytes[UNIT * 16];

	memset(bytes, byte, sizeof(bytes));
	return engine_push_bytes(e, AF_INET, 7, UNIT * at.from, bytes, UNIT * (at.to - at.from),
				 more);
}

/* The first byte of each unit of the whole. */
static void read_units(const struct engine *e, char *out, int units)
{
	uint8_t whole[20 + UNIT * 16];
	int i;

	assert_int_equal(e->res.outcome, UNFRAG_REASM_COMPLETE);
	assert_int_equal(unfrag_reasm_copy(e->r, &e->res, whole, sizeof(whole)), 20 + UNIT * units);
	for (i = 0; i < units; i++)
		out[i] = (char)whole[20 + UNIT * i];
}

/*
 * Two fragments that overlap, in each way there is, the one held when the other comes. Unit 0 is
 * the header and the last unit the end, each brought alone. The last column has who is read where
 * both are, the held one (h) or the newcomer (n), by first, last, bsd, bsd-right, linux, windows,
 * solaris.
 */
static const struct {
	struct interval held, newcomer;
	const char *who;
} pairs[] = {
	{ { 2, 5 }, { 1, 3 }, "hnnhnhh" }, /* starts before, ends within */
	{ { 1, 3 }, { 2, 5 }, "hnhnhhh" }, /* starts within, ends after */
	{ { 1, 5 }, { 2, 3 }, "hnhnhhh" }, /* within */
	{ { 1, 5 }, { 1, 3 }, "hnhnnhh" }, /* within, with its start */
	{ { 1, 5 }, { 3, 5 }, "hnhnhhh" }, /* within, with its end */
	{ { 1, 5 }, { 1, 5 }, "hnhnnhh" }, /* the same */
	{ { 2, 3 }, { 1, 5 }, "hnnhnnn" }, /* around */
	{ { 1, 3 }, { 1, 5 }, "hnhnnhh" }, /* around, from its start on */
	{ { 3, 5 }, { 1, 5 }, "hnnhnhn" }, /* around, up to its end */
};

static bool is_in(struct interval i, int unit)
{
	return i.from <= unit && unit < i.to;
}

static void check_pair(enum unfrag_reasm_policy policy, struct interval held,
		       struct interval newcomer, char who)
{
	char read[7] = "", want[7] = "0....5";
	struct engine e;
	int unit;

	for (unit = 1; unit < 5; unit++) {
		if (is_in(held, unit) && is_in(newcomer, unit))
			want[unit] = who;
		else
			want[unit] = is_in(held, unit) ? 'h' : 'n';
	}
	engine_policy(&e, policy);
	push_units(&e, held, 'h', true);
	push_units(&e, newcomer, 'n', true);
	push_units(&e, (struct interval){ 5, 6 }, '5', false);
	push_units(&e, (struct interval){ 0, 1 }, '0', true);
	read_units(&e, read, 6);
	assert_string_equal(read, want);
	engine_close(&e);
}

static void policies_decide_each_pair_as_published(void)
{
	enum unfrag_reasm_policy policy;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (policy = UNFRAG_REASM_FIRST; policy < UNFRAG_REASM_POLICY_MAX; policy++)
			check_pair(policy, pairs[i].held, pairs[i].newcomer,
				   pairs[i].who[policy - UNFRAG_REASM_FIRST]);
}

/*
 * The example that the models were first told apart by (Shankar and Paxson 2003, Novak 2005): six
 * fragments in order of arrival, one digit a unit.
 *
 *	unit  0 1 2 3 4 5 6 7 8 9 . .
 *	      1 1 1   2 2 3 3 3
 *	        4 4 4 4   5 5 5 6 6 6
 */
static void policies_read_the_classic_example_as_published(void)
{
	static const struct interval at[] = { { 0, 3 }, { 4, 6 }, { 6, 9 },
					      { 1, 5 }, { 6, 9 }, { 9, 12 } };
	static const char *const want[] = {
		[UNFRAG_REASM_FIRST] = "111422333666",   [UNFRAG_REASM_LAST] = "144442555666",
		[UNFRAG_REASM_BSD] = "111442333666",     [UNFRAG_REASM_BSD_RIGHT] = "144422555666",
		[UNFRAG_REASM_LINUX] = "111442555666",   [UNFRAG_REASM_WINDOWS] = "111422333666",
		[UNFRAG_REASM_SOLARIS] = "111422333666",
	};
	enum unfrag_reasm_policy policy;
	char read[13] = "";
	struct engine e;
	int i;

	for (policy = UNFRAG_REASM_FIRST; policy < UNFRAG_REASM_POLICY_MAX; policy++) {
		engine_policy(&e, policy);
		for (i = 0; i < 6; i++)
			push_units(&e, at[i], (char)('1' + i), i < 5);
		read_units(&e, read, 12);
		assert_string_equal(read, want[policy]);
		engine_close(&e);
	}
}

static const struct test tests[] = {
	TEST(policies_decide_each_pair_as_published),
	TEST(policies_read_the_classic_example_as_published),
};

TEST_MAIN(tests);
