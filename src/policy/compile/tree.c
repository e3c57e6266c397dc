// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "words.h"

#define LINE_WORDS (sizeof(struct gate_line) / sizeof(uint32_t))
#define LINES(n)   (((n) + LINE_WORDS - 1) / LINE_WORDS)

/* Where what is in a tree, before it is made. */
struct plan {
	size_t keys; /* a line */
	uint32_t depth;
	uint32_t level[GATE_TREE_LEVELS]; /* first lines, from the root down */
	uint32_t n_level[GATE_TREE_LEVELS];
	size_t values, lines;
};

static size_t lines_of(size_t n, size_t keys)
{
	return (n + keys - 1) / keys;
}

static int plan_make(struct plan *p, size_t n, uint32_t bits, bool values)
{
	size_t count = n, at = 1;
	uint32_t i;

	memset(p, 0, sizeof(*p));
	p->keys = LINE_WORDS / GATE_WORDS_OF(bits);
	do {
		if (p->depth == GATE_TREE_LEVELS)
			return -E2BIG;
		count = lines_of(count, p->keys);
		p->n_level[p->depth++] = (uint32_t)count;
	} while (count > 1);
	for (i = 0; i < p->depth / 2; i++) {
		uint32_t other = p->n_level[p->depth - 1 - i];

		p->n_level[p->depth - 1 - i] = p->n_level[i];
		p->n_level[i] = other;
	}
	for (i = 0; i < p->depth; i++) {
		p->level[i] = (uint32_t)at;
		at += p->n_level[i];
	}
	p->values = at;
	p->lines = at + (values ? LINES(n) : 0);
	return p->lines > UINT32_MAX ? -E2BIG : 0;
}

/* Key i of a level stands for `step` positions; it is the first one's start. */
static void fill_level(struct gate_line *lines, const struct position *positions, size_t n,
		       size_t step, uint32_t bits)
{
	size_t words = GATE_WORDS_OF(bits), i;

	for (i = 0; i * step < n; i++)
		fields_split(&lines[i * words / LINE_WORDS].word[i * words % LINE_WORDS],
			     positions[i * step].at, bits);
}

int tree_new(struct image_tree *out, const struct position *positions, size_t n, uint32_t bits,
	     bool values)
{
	struct gate_line *lines;
	struct plan p;
	size_t i, step = 1;
	uint32_t *header;
	int err = plan_make(&p, n, bits, values);

	if (err)
		return err;
	lines = malloc(p.lines * sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	memset(lines, 0xff, p.lines * sizeof(*lines));
	memset(lines, 0, sizeof(*lines));
	header = lines[0].word;
	header[GATE_TREE_DEPTH] = p.depth;
	header[GATE_TREE_COUNT] = (uint32_t)n;
	header[GATE_TREE_VALUES] = values ? (uint32_t)p.values : 0;
	header[GATE_TREE_FIRST] = values ? 0 : positions[0].value != 0;
	memcpy(&header[GATE_TREE_LEVEL], p.level, sizeof(p.level));
	for (i = p.depth; i-- > 0; step *= p.keys)
		fill_level(&lines[p.level[i]], positions, n, step, bits);
	for (i = 0; values && i < n; i++)
		lines[p.values + i / LINE_WORDS].word[i % LINE_WORDS] = positions[i].value;
	out->lines = lines;
	out->n = p.lines;
	return 0;
}

/* Adds a position unless it goes on with the value of the last, which it ends if it is there. */
static size_t add_position(struct position *positions, size_t n, value at, uint32_t to)
{
	if (n && positions[n - 1].at == at)
		n--;
	if (n && positions[n - 1].value == to)
		return n;
	positions[n].at = at;
	positions[n].value = to;
	return n + 1;
}

static int check_element(const struct set *s, size_t i, struct complaint *c)
{
	const struct span *span = s->elements[i].span;

	if (span->from > span->to || span->to > fields_max(s->bits[0]) ||
	    (i && span->from <= s->elements[i - 1].span->to))
		return complain(c, -EINVAL, "element %zu of set '%s' is out of order", i,
				s->name ? s->name : "");
	return 0;
}

int image_tree_of_set(struct image_tree *out, const struct set *s, struct complaint *c)
{
	struct position *positions = malloc((2 * s->n_elements + 1) * sizeof(*positions));
	size_t i, n;
	int err = 0;

	if (!positions)
		return complain(c, -ENOMEM, "no memory for the elements of set '%s'", s->name);
	n = add_position(positions, 0, 0, 0);
	for (i = 0; !err && i < s->n_elements; i++) {
		const struct element *e = &s->elements[i];

		err = check_element(s, i, c);
		n = add_position(positions, n, e->span->from, s->verdicts ? e->verdict : 1);
		if (e->span->to < fields_max(s->bits[0]))
			n = add_position(positions, n, e->span->to + 1, 0);
	}
	if (!err)
		err = tree_new(out, positions, n, s->bits[0], s->verdicts);
	free(positions);
	if (err == -E2BIG)
		complain(c, err, "set '%s' has more elements than a tree can hold", s->name);
	return err == -ENOMEM ? complain(c, err, "no memory for a tree") : err;
}
