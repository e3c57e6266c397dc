// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Case 2: Allen's 13 relations of two fragments and the 409 of three, in every order of arrival, in
 * both families, under every policy, against the slow reference.
 *
 *	unit      0       1 ... 5       6         each of 8 bytes
 *	          header  the relation  the end   holes are filled: only the relation counts
 */
#include <stdlib.h>
#include <string.h>

#include <engine.h>
#include <reference.h>

#define POINTS    6 /* end points are 0..5 */
#define RELATIONS (13 + 409)
#define PIECES    (3 + POINTS + 2)
#define LAST_LEN  5

struct interval {
	int from, to;
};

struct relation {
	int n;
	struct interval of[3];
};

struct piece {
	int off, len;
	bool more;
	uint8_t data[8 * POINTS];
};

static struct relation relations[RELATIONS];
static struct reference ref;

/* The same relation with its end points numbered 0, 1, 2... */
static struct relation compressed(struct relation rel)
{
	int rank[POINTS] = { 0 }, i, used = 0;

	for (i = 0; i < rel.n; i++) {
		rank[rel.of[i].from] = 1;
		rank[rel.of[i].to] = 1;
	}
	for (i = 0; i < POINTS; i++)
		rank[i] = rank[i] ? used++ : 0;
	for (i = 0; i < rel.n; i++) {
		rel.of[i].from = rank[rel.of[i].from];
		rel.of[i].to = rank[rel.of[i].to];
	}
	return rel;
}

static bool same(const struct relation *a, const struct relation *b)
{
	return a->n == b->n && !memcmp(a->of, b->of, (size_t)a->n * sizeof(a->of[0]));
}

static int add_relation(struct relation rel, int found)
{
	int i;

	rel = compressed(rel);
	for (i = 0; i < found; i++)
		if (same(&relations[i], &rel))
			return found;
	assert_true(found < RELATIONS);
	relations[found] = rel;
	return found + 1;
}

static int intervals(struct interval *all)
{
	int from, to, n = 0;

	for (from = 0; from < POINTS; from++)
		for (to = from + 1; to < POINTS; to++)
			all[n++] = (struct interval){ from, to };
	return n;
}

static int find_relations(void)
{
	struct interval all[POINTS * POINTS];
	int n = intervals(all), found = 0, a, b, c;

	for (a = 0; a < n; a++)
		for (b = 0; b < n; b++)
			found = add_relation((struct relation){ 2, { all[a], all[b] } }, found);
	assert_int_equal(found, 13);
	for (a = 0; a < n; a++)
		for (b = 0; b < n; b++)
			for (c = 0; c < n; c++)
				found = add_relation((struct relation){ 3,
									{ all[a], all[b],
									  all[c] } },
						     found);
	assert_int_equal(found, RELATIONS);
	return found;
}

static void fill(struct piece *piece, int seed)
{
	lab_pattern(piece->data, sizeof(piece->data), (uint64_t)seed);
}

/* A fragment of units from..to; its bytes are its own, or those of the place. */
static struct piece piece_of(int from, int to, int number, bool same_bytes)
{
	struct piece piece = { 8 * (from + 1), 8 * (to - from), true, { 0 } };
	struct piece place;

	fill(&piece, 100 + number);
	if (same_bytes) {
		fill(&place, 1);
		memcpy(piece.data, place.data + 8 * (size_t)from, (size_t)piece.len);
	}
	return piece;
}

static bool is_hole(const struct relation *rel, int unit)
{
	int i;

	for (i = 0; i < rel->n; i++)
		if (rel->of[i].from <= unit && unit < rel->of[i].to)
			return false;
	return true;
}

/* The fragments of a relation, then what fills its holes, then the end, then the header. */
static int pieces_of(const struct relation *rel, const int *order, bool same_bytes,
		     struct piece *pieces)
{
	int n = 0, unit;

	for (; n < rel->n && n < 3; n++)
		pieces[n] = piece_of(rel->of[order[n]].from, rel->of[order[n]].to, order[n],
				     same_bytes);
	for (unit = 0; unit < POINTS - 1; unit++)
		if (is_hole(rel, unit))
			pieces[n++] = piece_of(unit, unit + 1, 10 + unit, same_bytes);
	pieces[n] = piece_of(POINTS - 1, POINTS, 20, same_bytes);
	pieces[n].len = LAST_LEN;
	pieces[n++].more = false;
	pieces[n++] = piece_of(-1, 0, 30, false);
	return n;
}

static int push(struct engine *e, int family, uint32_t id, const struct piece *piece)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	static uint8_t payload[1024];
	struct lab_datagram dg;

	make_datagram(&dg, family, sizeof(payload), id);
	memcpy(payload + piece->off, piece->data, (size_t)piece->len);
	dg.payload = payload;
	test_ok(lab_fragment_at(&dg, (size_t)piece->off, (size_t)piece->len, piece->more,
				&packets));
	return engine_push_packet(e, &packets, 0);
}

static void check_bytes(const struct engine *e)
{
	uint8_t whole[2048];
	long len = unfrag_reasm_copy(e->r, &e->res, whole, sizeof(whole));

	assert_int_equal(len, e->res.header + (uint32_t)ref.end);
	assert_memory_equal(whole + e->res.header, ref.data, (size_t)ref.end);
}

/* Returns whether it became whole. */
static bool run(struct engine *e, int family, uint32_t id, const struct piece *pieces, int n)
{
	enum unfrag_reasm_outcome want = UNFRAG_REASM_HELD;
	enum unfrag_reason reason;
	int i;

	for (i = 0; i < n; i++) {
		want = reference_push(&ref, pieces[i].off, pieces[i].data, pieces[i].len,
				      pieces[i].more, &reason);
		assert_int_equal(push(e, family, id, &pieces[i]), want);
		if (want == UNFRAG_REASM_DROPPED)
			engine_assert_dropped(e, reason);
		if (want == UNFRAG_REASM_COMPLETE) {
			check_bytes(e);
			assert_int_equal(i, n - 1);
		}
	}
	return want == UNFRAG_REASM_COMPLETE;
}

static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
				  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

/* How many of the relations become whole, which must not depend on the order. */
static int count(int family, enum unfrag_reasm_policy policy, bool same_bytes)
{
	int n = find_relations(), whole = 0, in_order, i, k;
	struct piece pieces[PIECES];
	struct engine e;
	uint32_t id = 0;

	engine_policy(&e, policy);
	for (i = 0; i < n; i++) {
		in_order = 0;
		for (k = 0; k < 6; k++) {
			if (relations[i].n == 2 && orders[k][2] != 2)
				continue;
			reference_reset(&ref, policy);
			in_order += run(&e, family, ++id, pieces,
					pieces_of(&relations[i], orders[k], same_bytes, pieces));
		}
		assert_true(in_order == 0 || in_order == (relations[i].n == 2 ? 2 : 6));
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

static void other_policies_reassemble_all_as_the_reference(void)
{
	enum unfrag_reasm_policy policy;

	for (policy = UNFRAG_REASM_FIRST; policy < UNFRAG_REASM_POLICY_MAX; policy++) {
		assert_int_equal(count(AF_INET, policy, false), RELATIONS);
		assert_int_equal(count(AF_INET6, policy, false), RELATIONS);
		assert_int_equal(count(AF_INET, policy, true), RELATIONS);
	}
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
	uint8_t whole[256];
	struct engine e;
	int i;

	for (policy = UNFRAG_REASM_FIRST; policy < UNFRAG_REASM_POLICY_MAX; policy++) {
		engine_policy(&e, policy);
		for (i = 0; i < 6; i++) {
			struct piece piece = {
				8 * at[i].from, 8 * (at[i].to - at[i].from), i < 5, { 0 }
			};

			memset(piece.data, '1' + i, sizeof(piece.data));
			push(&e, AF_INET, 7, &piece);
		}
		assert_int_equal(e.res.outcome, UNFRAG_REASM_COMPLETE);
		assert_int_equal(unfrag_reasm_copy(e.r, &e.res, whole, sizeof(whole)), 20 + 96);
		for (i = 0; i < 12; i++)
			read[i] = (char)whole[20 + 8 * i];
		assert_string_equal(read, want[policy]);
		engine_close(&e);
	}
}

static const struct test tests[] = {
	TEST(drop_reassembles_28_of_422),
	TEST(drop_takes_14_more_with_equal_bytes_and_380_give_nothing),
	TEST(other_policies_reassemble_all_as_the_reference),
	TEST(policies_read_the_classic_example_as_published),
};

TEST_MAIN(tests);
