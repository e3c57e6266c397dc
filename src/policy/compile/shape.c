// SPDX-License-Identifier: GPL-2.0-or-later
#include "shape.h"

#include <errno.h>

#define WORD_BITS 32u

/* Elements of different verdicts became one when bits were left out. No verdict has this number. */
#define MIXED (GATE_VERDICT_CONTINUE - 1)

struct pair {
	const struct set *set;
	const shape *a, *b;
};

static uint32_t word_mask(uint32_t bits, uint32_t word)
{
	if (bits <= WORD_BITS * word)
		return 0;
	bits -= WORD_BITS * word;
	return bits >= WORD_BITS ? ~0u : ~(~0u >> bits);
}

static uint32_t words_of(const struct set *s, uint32_t component)
{
	return GATE_WORDS_OF((uint32_t)s->bits[component]);
}

/* A key with only the bits that both shapes have. */
static struct gate_tuple meet(const struct pair *p, const struct gate_tuple *key)
{
	struct gate_tuple met = { .set = key->set };
	uint32_t i, j, at = 0;

	for (i = 0; i < p->set->n; i++)
		for (j = 0; j < words_of(p->set, i); j++, at++)
			met.word[at] = key->word[at] & word_mask(p->a->bits[i], j) &
				       word_mask(p->b->bits[i], j);
	return met;
}

/* Verdicts of the elements of shape a, by what they have in common with those of shape b. */
static int collect(struct tuple_table *seen, const struct pair *p, const struct tuple_table *t,
		   uint32_t mark)
{
	union gate_tuple_value *there;
	struct gate_tuple met;
	size_t i;

	tuple_table_clear(seen);
	for (i = 0; i < t->n; i++) {
		if (t->tuples[i].key.mark != mark)
			continue;
		met = meet(p, &t->tuples[i].key);
		there = tuple_table_put(seen, &met);
		if (!there)
			return -ENOMEM;
		if (there->verdict && there->verdict != t->tuples[i].value.verdict)
			there->verdict = MIXED;
		else
			there->verdict = t->tuples[i].value.verdict;
	}
	return 0;
}

static bool conflicts(const struct tuple_table *seen, const struct pair *p,
		      const struct tuple_table *t, uint32_t mark)
{
	const union gate_tuple_value *there;
	struct gate_tuple met;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (t->tuples[i].key.mark != mark)
			continue;
		met = meet(p, &t->tuples[i].key);
		there = tuple_table_find(seen, &met);
		if (there && there->verdict != t->tuples[i].value.verdict)
			return true;
	}
	return false;
}

int shapes_conflict(const struct shapes *shapes, const struct tuple_table *t, const struct set *s)
{
	struct tuple_table seen = { 0 };
	uint32_t a, b;
	int answer = 0;

	for (a = 0; a < shapes->n && !answer; a++) {
		for (b = a + 1; b < shapes->n && !answer; b++) {
			const struct pair p = { s, &shapes->shape[a], &shapes->shape[b] };

			answer = collect(&seen, &p, t, a);
			if (!answer)
				answer = conflicts(&seen, &p, t, b);
		}
	}
	tuple_table_release(&seen);
	return answer;
}
