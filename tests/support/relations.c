// SPDX-License-Identifier: GPL-2.0-or-later
#include "relations.h"

#include <lab.h>
#include <string.h>
#include <test.h>

#define LAST_LEN 5

static struct relation relations[RELATIONS];

/* The same relation with its end points numbered 0, 1, 2... */
static struct relation compressed(struct relation rel)
{
	int rank[RELATION_POINTS] = { 0 }, i, used = 0;

	for (i = 0; i < rel.n; i++) {
		rank[rel.of[i].from] = 1;
		rank[rel.of[i].to] = 1;
	}
	for (i = 0; i < RELATION_POINTS; i++)
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

	for (from = 0; from < RELATION_POINTS; from++)
		for (to = from + 1; to < RELATION_POINTS; to++)
			all[n++] = (struct interval){ from, to };
	return n;
}

static void find_relations(void)
{
	struct interval all[RELATION_POINTS * RELATION_POINTS];
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
}

const struct relation *relations_all(void)
{
	if (!relations[0].n)
		find_relations();
	return relations;
}

static void fill(struct relation_piece *piece, int seed)
{
	lab_pattern(piece->data, sizeof(piece->data), (uint64_t)seed);
}

/* A fragment of units from..to; its bytes are its own, or those of the place. */
static struct relation_piece piece_of(int from, int to, int number, bool same_bytes)
{
	struct relation_piece piece = { 8 * (from + 1), 8 * (to - from), true, { 0 } };
	struct relation_piece place;

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

int relation_pieces(const struct relation *rel, const int *order, bool same_bytes,
		    struct relation_piece *pieces)
{
	int n = 0, unit;

	for (; n < rel->n && n < 3; n++)
		pieces[n] = piece_of(rel->of[order[n]].from, rel->of[order[n]].to, order[n],
				     same_bytes);
	for (unit = 0; unit < RELATION_POINTS - 1; unit++)
		if (is_hole(rel, unit))
			pieces[n++] = piece_of(unit, unit + 1, 10 + unit, same_bytes);
	pieces[n] = piece_of(RELATION_POINTS - 1, RELATION_POINTS, 20, same_bytes);
	pieces[n].len = LAST_LEN;
	pieces[n++].more = false;
	pieces[n++] = piece_of(-1, 0, 30, false);
	return n;
}

/* Those that leave the third where it is come first. */
const int relation_order[6][3] = { { 0, 1, 2 }, { 1, 0, 2 }, { 0, 2, 1 },
				   { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

int relation_orders(const struct relation *rel)
{
	return rel->n == 2 ? 2 : 6;
}
