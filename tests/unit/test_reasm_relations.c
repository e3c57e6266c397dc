// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Case 2: Allen's 13 relations of two fragments and the 409 of three, in every order of arrival, in
 * both families, under every policy, against the slow reference. How they are made: relations.h.
 */
#include <stdlib.h>
#include <string.h>

#include <engine.h>
#include <reference.h>
#include <relations.h>

static struct reference ref;

static void check_bytes(const struct engine *e)
{
	uint8_t whole[2048];
	long len = unfrag_reasm_copy(e->r, &e->res, whole, sizeof(whole));

	assert_int_equal(len, e->res.header + (uint32_t)ref.end);
	assert_memory_equal(whole + e->res.header, ref.data, (size_t)ref.end);
}

/* Returns whether it became whole. */
static bool run(struct engine *e, int family, uint32_t id, const struct relation_piece *pieces,
		int n)
{
	enum unfrag_reasm_outcome want = UNFRAG_REASM_HELD;
	enum unfrag_reason reason;
	int i;

	for (i = 0; i < n; i++) {
		want = reference_push(&ref, pieces[i].off, pieces[i].data, pieces[i].len,
				      pieces[i].more, &reason);
		assert_int_equal(engine_push_bytes(e, family, id, pieces[i].off, pieces[i].data,
						   pieces[i].len, pieces[i].more),
				 want);
		if (want == UNFRAG_REASM_DROPPED)
			engine_assert_dropped(e, reason);
		if (want == UNFRAG_REASM_COMPLETE) {
			check_bytes(e);
			assert_int_equal(i, n - 1);
		}
	}
	return want == UNFRAG_REASM_COMPLETE;
}

/* How many of the relations become whole, which must not depend on the order. */
static int count(int family, enum unfrag_reasm_policy policy, bool same_bytes)
{
	const struct relation *all = relations_all();
	int whole = 0, in_order, i, k;
	struct relation_piece pieces[RELATION_PIECES];
	struct engine e;
	uint32_t id = 0;

	engine_policy(&e, policy);
	for (i = 0; i < RELATIONS; i++) {
		in_order = 0;
		for (k = 0; k < relation_orders(&all[i]); k++) {
			reference_reset(&ref, policy);
			in_order += run(&e, family, ++id, pieces,
					relation_pieces(&all[i], relation_order[k], same_bytes,
							pieces));
		}
		assert_true(in_order == 0 || in_order == relation_orders(&all[i]));
		whole += in_order > 0;
	}
	engine_close(&e);
	return whole;
}

static void drop_reassembles_28_of_422(void)
{
	assert_int_equal(count(AF_INET, UNFRAG_REASM_DROP, false), 28);
	assert_int_equal(count(AF_INET6, UNFRAG_REASM_DROP, false), 28);
}

static void drop_takes_14_more_with_equal_bytes_and_380_give_nothing(void)
{
	assert_int_equal(count(AF_INET, UNFRAG_REASM_DROP, true), 28 + 14);
	assert_int_equal(count(AF_INET6, UNFRAG_REASM_DROP, true), 422 - 380);
}

#if !ENGINE_LENDS
static void other_policies_reassemble_all_as_the_reference(void)
{
	enum unfrag_reasm_policy policy;

	for (policy = UNFRAG_REASM_FIRST; policy < UNFRAG_REASM_POLICY_MAX; policy++) {
		assert_int_equal(count(AF_INET, policy, false), RELATIONS);
		assert_int_equal(count(AF_INET6, policy, false), RELATIONS);
		assert_int_equal(count(AF_INET, policy, true), RELATIONS);
	}
}

#endif /* !ENGINE_LENDS: packets are lent under the first policy only */

static const struct test tests[] = {
	TEST(drop_reassembles_28_of_422),
	TEST(drop_takes_14_more_with_equal_bytes_and_380_give_nothing),
#if !ENGINE_LENDS
	TEST(other_policies_reassemble_all_as_the_reference),
#endif
};

TEST_MAIN(tests);
