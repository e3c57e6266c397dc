// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sets of concatenations as src/gate/layout.h has them: elements whose components are prefixes.
 *
 * An element with ranges is several: each range is cut into prefixes, and each prefix of one meets
 * each of the others. What lengths the prefixes of such a part have is its shape.
 *
 * A packet is looked up once for each shape. Where they are too many, prefixes are cut smaller, to
 * a few lengths only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "prefix.h"
#include "shape.h"

#define WORD_BITS 32u

/* A set on its way. */
struct making {
	const struct set *set;
	uint32_t number, first_word[GATE_TUPLE_FIELDS];
	uint32_t step; /* of prefix lengths */
	struct tuple_table table;
	struct shapes shapes;
	struct complaint *complaint;
};

/* The parts of one element, counted through like the digits of a number. */
struct parts {
	struct prefix *prefix[GATE_TUPLE_FIELDS];
	size_t n[GATE_TUPLE_FIELDS], at[GATE_TUPLE_FIELDS];
};

#define OVERLAP \
	"elements of map '%s' overlap with different verdicts, and nftables takes the one that " \
	"was added first: write elements that don't overlap"

static int add_tuple(struct making *m, const struct gate_tuple *key, union gate_tuple_value content)
{
	union gate_tuple_value *there = tuple_table_put(&m->table, key);

	if (!there)
		return complain(m->complaint, -ENOMEM, "no memory for the elements of set '%s'",
				m->set->name);
	if (there->verdict && there->verdict != content.verdict)
		return complain(m->complaint, -EINVAL, OVERLAP, m->set->name);
	*there = content;
	return 0;
}

static int find_shape(struct making *m, const shape *s, uint32_t *mark)
{
	uint32_t i;

	for (i = 0; i < m->shapes.n; i++) {
		if (memcmp(m->shapes.shape[i].bits, s->bits, sizeof(s->bits)) == 0) {
			*mark = i;
			return 0;
		}
	}
	if (m->shapes.n == GATE_SHAPES_MAX)
		return -ENOSPC;
	m->shapes.shape[m->shapes.n] = *s;
	*mark = m->shapes.n++;
	return 0;
}

static int add_part(struct making *m, const struct parts *p, uint32_t verdict)
{
	struct gate_tuple key = { .set = m->number };
	union gate_tuple_value content = { .bits = { 0 } };
	shape s = { .bits = { 0 } };
	uint32_t i;
	int err;

	for (i = 0; i < m->set->n; i++) {
		const struct prefix *prefix = &p->prefix[i][p->at[i]];
		uint32_t bits = m->set->bits[i];

		s.bits[i] = (uint8_t)(prefix->length + WORD_BITS * GATE_WORDS_OF(bits) - bits);
		fields_split(&key.word[m->first_word[i]], prefix->from, bits);
	}
	err = find_shape(m, &s, &key.mark);
	if (err)
		return err;
	content.verdict = m->set->verdicts ? verdict : GATE_VERDICT_CONTINUE;
	return add_tuple(m, &key, content);
}

static bool next_part(struct parts *p, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (++p->at[i] < p->n[i])
			return true;
		p->at[i] = 0;
	}
	return false;
}

static int make_parts(struct making *m, const struct element *e, struct parts *p)
{
	uint64_t n = 1;
	uint32_t i;

	for (i = 0; i < m->set->n; i++) {
		if (e->span[i].from > e->span[i].to || e->span[i].to > fields_max(m->set->bits[i]))
			return complain(m->complaint, -EINVAL,
					"component %u of an element of set '%s' is no range", i + 1,
					m->set->name);
		p->n[i] = prefixes_of(p->prefix[i], &e->span[i], m->set->bits[i], m->step);
		p->at[i] = 0;
		n *= p->n[i];
		if (m->table.n + n > TUPLES_MAX)
			return complain(m->complaint, -E2BIG,
					"set '%s' needs more than %u entries: write ranges in "
					"fewer components, or as prefixes",
					m->set->name, TUPLES_MAX);
	}
	return 0;
}

static int make_room(struct making *m, struct parts *p)
{
	uint32_t i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < m->set->n; i++) {
		p->prefix[i] = calloc(prefixes_most(m->set->bits[i], m->step), sizeof(**p->prefix));
		if (!p->prefix[i])
			return complain(m->complaint, -ENOMEM, "no memory for a set");
	}
	return 0;
}

static int add_elements(struct making *m)
{
	struct parts p;
	size_t i;
	int err = make_room(m, &p);

	for (i = 0; i < m->set->n_elements && !err; i++) {
		err = make_parts(m, &m->set->elements[i], &p);
		if (err)
			break;
		do {
			err = add_part(m, &p, m->set->elements[i].verdict);
		} while (!err && next_part(&p, m->set->n));
	}
	for (i = 0; i < m->set->n; i++)
		free(p.prefix[i]);
	return err;
}

/* Each shape is found under its number. */
static int add_shapes(struct making *m)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < m->shapes.n && !err; i++) {
		struct gate_tuple key = { .set = m->number, .mark = GATE_SHAPE + i };

		m->shapes.shape[i].bits[GATE_TUPLE_FIELDS] = i + 1 == m->shapes.n;
		err = add_tuple(m, &key, m->shapes.shape[i]);
	}
	return err;
}

static int check_overlap(struct making *m)
{
	int answer = m->set->verdicts ? shapes_conflict(&m->shapes, &m->table, m->set) : 0;

	if (answer > 0)
		return complain(m->complaint, -EINVAL, OVERLAP, m->set->name);
	return answer ? complain(m->complaint, answer, "no memory for a set") : 0;
}

static int make(struct making *m)
{
	int err = add_elements(m);

	if (!err)
		err = check_overlap(m);
	return err ? err : add_shapes(m);
}

int image_tuples_of_set(struct image_tuples *out, const struct set *s, uint32_t number,
			struct complaint *c)
{
	struct making m = { .set = s, .number = number, .complaint = c };
	uint32_t i, words = 0;
	int err = -ENOSPC;

	for (i = 0; i < s->n; i++) {
		m.first_word[i] = words;
		words += GATE_WORDS_OF((uint32_t)s->bits[i]);
	}
	if (words > GATE_TUPLE_WORDS)
		return complain(c, -E2BIG, "the key of set '%s' is longer than %u bytes", s->name,
				4 * GATE_TUPLE_WORDS);
	for (m.step = 1; err == -ENOSPC && m.step <= PREFIX_STEP_MAX; m.step *= 2) {
		tuple_table_clear(&m.table);
		m.shapes.n = 0;
		err = make(&m);
	}
	if (!err) {
		out->tuples = m.table.tuples;
		out->n = m.table.n;
		m.table.tuples = NULL;
	}
	tuple_table_release(&m.table);
	if (err != -ENOSPC)
		return err;
	return complain(
		c, -E2BIG,
		"set '%s' needs more than %u combinations of prefix lengths: write ranges in "
		"fewer components, or as prefixes",
		s->name, GATE_SHAPES_MAX);
}
