// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conditions to tables: what each value of a field lets through.
 *
 * For each field the bounds of all spans are met in order, and one vector is kept as they pass. An
 * entry has as many conditions on the field as it likes; its bit is set while none fails. Where
 * a vector was seen before, it is the same class, of whatever field.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../gate/next.h"
#include "draft.h"
#include "fields.h"
#include "tree.h"
#include "vectors.h"
#include "words.h"

/* A span begins, or has ended just before. */
struct bound {
	value at;
	uint32_t condition;
	bool begins;
};

/* One field at a time. */
struct sweep {
	struct draft *draft;
	struct vectors *vectors;
	uint32_t field;
	__u64 *words;      /* of the vector at this point */
	uint32_t *failing; /* of each entry: conditions on the field that fail here */
	uint64_t hash;
	struct bound *bounds;
	size_t n_bounds;
	struct position *positions;
	size_t n_positions;
};

static void flip(struct sweep *s, uint32_t entry)
{
	s->words[entry / 64] ^= UINT64_C(1) << entry % 64;
	s->hash ^= vectors_hash_of_bit(entry);
}

static void pass(struct sweep *s, const struct bound *b)
{
	const struct condition *c = &s->draft->conditions[b->condition];
	uint32_t i;

	for (i = c->first; i < c->end; i++) {
		if (b->begins) {
			if (--s->failing[i] == 0)
				flip(s, i);
		} else if (s->failing[i]++ == 0) {
			flip(s, i);
		}
	}
}

/* Before the first bound: all conditions fail. That is also how packets without the field fare. */
static void start(struct sweep *s)
{
	const struct draft *d = s->draft;
	size_t i;

	memset(s->words, 0, s->vectors->words * sizeof(*s->words));
	memset(s->failing, 0, d->image->n_entries * sizeof(*s->failing));
	s->hash = 0;
	for (i = 0; i < d->image->n_entries; i++)
		flip(s, (uint32_t)i);
	for (i = 0; i < d->n_conditions; i++) {
		const struct bound none = { .condition = (uint32_t)i };

		if (d->conditions[i].field == s->field)
			pass(s, &none);
	}
}

static int compare_bounds(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static int collect(struct sweep *s)
{
	const struct draft *d = s->draft;
	value max = fields_max(fields_bits(s->field));
	size_t i, j, n = 0;

	for (i = 0; i < d->n_conditions; i++)
		n += d->conditions[i].field == s->field ? 2 * d->conditions[i].n : 0;
	s->bounds = malloc((n + 1) * sizeof(*s->bounds));
	s->positions = malloc((n + 1) * sizeof(*s->positions));
	if (!s->bounds || !s->positions)
		return draft_no_memory(s->draft);
	for (i = 0, n = 0; i < d->n_conditions; i++) {
		const struct condition *c = &d->conditions[i];

		for (j = 0; c->field == s->field && j < c->n; j++) {
			s->bounds[n++] = (struct bound){ c->spans[j].from, (uint32_t)i, true };
			if (c->spans[j].to < max)
				s->bounds[n++] = (struct bound){ c->spans[j].to + 1, (uint32_t)i,
								 false };
		}
	}
	s->n_bounds = n;
	qsort(s->bounds, n, sizeof(*s->bounds), compare_bounds);
	return 0;
}

/* The rule whose spans of the field are the most. */
static uint32_t widest_rule(const struct draft *d, uint32_t field)
{
	const struct condition *most = NULL;
	size_t i;

	for (i = 0; i < d->n_conditions; i++) {
		const struct condition *c = &d->conditions[i];

		if (c->field == field && (!most || c->n > most->n))
			most = c;
	}
	return most && most->first < d->image->n_entries ? d->image->entries[most->first].rule : 0;
}

/* The number of the vector at this point. */
static int number(struct sweep *s, uint32_t *out)
{
	int err = vectors_add(s->vectors, s->words, s->hash, out);
	struct words w;

	if (err != -E2BIG)
		return err ? draft_no_memory(s->draft) : 0;
	w = words_of_rule(s->draft->rs, widest_rule(s->draft, s->field));
	return complain(
		s->draft->complaint, err,
		"the rules tell more than %u kinds of packets apart, the last of them by '%s' "
		"as in %s: put what alike rules have of it into a set or verdict map",
		VECTORS_MAX, fields_name(s->field), w.text);
}

static int sweep_positions(struct sweep *s)
{
	size_t i = 0, n = 0;
	uint32_t vector;
	value at = 0;
	int err;

	while (i < s->n_bounds || !n) {
		if (n)
			at = s->bounds[i].at;
		for (; i < s->n_bounds && s->bounds[i].at == at; i++)
			pass(s, &s->bounds[i]);
		err = number(s, &vector);
		if (err)
			return err;
		if (!n || s->positions[n - 1].value != vector)
			s->positions[n++] = (struct position){ at, vector };
	}
	s->n_positions = n;
	return 0;
}

static int make_direct(struct sweep *s, struct gate_table *table)
{
	struct image *image = s->draft->image;
	size_t size = (size_t)1 << fields_bits(s->field), i, at;
	uint16_t *direct = realloc(image->direct, (image->n_direct + size) * sizeof(*direct));

	if (!direct)
		return draft_no_memory(s->draft);
	image->direct = direct;
	table->kind = GATE_TABLE_DIRECT;
	table->base = (uint32_t)image->n_direct;
	for (i = 0, at = 0; i < size; i++) {
		if (at + 1 < s->n_positions && s->positions[at + 1].at == i)
			at++;
		direct[image->n_direct + i] = (uint16_t)s->positions[at].value;
	}
	image->n_direct += size;
	return 0;
}

static void make_few(const struct sweep *s, struct gate_table *table)
{
	size_t i, last = s->n_positions - 1;

	table->kind = GATE_TABLE_FEW;
	for (i = 0; i < GATE_FEW; i++) {
		table->start[i] = i <= last ? (uint32_t)s->positions[i].at : UINT32_MAX;
		table->vector[i] = s->positions[i <= last ? i : last].value;
	}
}

static int make_tree(struct sweep *s, struct gate_table *table)
{
	struct image *image = s->draft->image;
	struct image_tree tree;
	struct gate_line *lines;
	int err = tree_new(&tree, s->positions, s->n_positions, fields_bits(s->field), true);

	if (err == -E2BIG)
		return complain(s->draft->complaint, err,
				"the rules tell too many values of '%s' apart: use a named set",
				fields_name(s->field));
	lines = err ? NULL : realloc(image->lines, (image->n_lines + tree.n) * sizeof(*lines));
	if (lines) {
		image->lines = lines;
		table->kind = GATE_TABLE_TREE;
		table->base = (uint32_t)image->n_lines;
		memcpy(lines + image->n_lines, tree.lines, tree.n * sizeof(*lines));
		image->n_lines += tree.n;
	}
	if (!err)
		free(tree.lines);
	return lines ? 0 : draft_no_memory(s->draft);
}

static int make_table(struct sweep *s, struct gate_table *table)
{
	int err;

	start(s);
	err = number(s, &table->absent);
	if (!err)
		err = collect(s);
	if (!err)
		err = sweep_positions(s);
	if (!err && s->n_positions <= GATE_FEW && fields_bits(s->field) <= 32)
		make_few(s, table);
	else if (!err && fields_bits(s->field) <= FIELD_DIRECT_BITS)
		err = make_direct(s, table);
	else if (!err)
		err = make_tree(s, table);
	free(s->bounds);
	free(s->positions);
	s->bounds = NULL;
	s->positions = NULL;
	return err;
}

static int make_tables(struct sweep *s)
{
	struct gate_config *config = &s->draft->image->config;
	uint32_t used = 0;
	size_t i;
	int err = 0;

	for (i = 0; i < s->draft->n_conditions; i++)
		used |= 1u << s->draft->conditions[i].field;
	config->fields |= used;
	for (s->field = 0; s->field < GATE_FIELD_MAX && !err; s->field++)
		if (used >> s->field & 1)
			err = make_table(s, &config->table[s->field]);
	return err;
}

/* Whether no packet needs a call: see GATE_IS_PLAIN. */
static bool is_plain(const struct gate_config *config)
{
	return !config->features && config->words <= GATE_PLAIN_WORDS &&
	       __builtin_popcount(config->fields) <= (int)GATE_PLAIN_FIELDS;
}

int draft_tables(struct draft *d)
{
	struct image *image = d->image;
	struct vectors vectors;
	struct sweep s = { .draft = d, .vectors = &vectors };
	int err;

	vectors_init(&vectors, image->n_entries);
	image->config.words = vectors.words;
	image->config.summaries = vectors.summaries;
	s.words = calloc(vectors.words, sizeof(*s.words));
	s.failing = calloc(image->n_entries + 1, sizeof(*s.failing));
	err = s.words && s.failing ? make_tables(&s) : draft_no_memory(d);
	if (!err) {
		image->vectors = vectors.bits;
		image->n_vectors = vectors.n;
		vectors.bits = NULL;
	}
	if (is_plain(&image->config))
		image->config.features |= GATE_IS_PLAIN;
	gate_config_finish(&image->config);
	vectors_release(&vectors);
	free(s.words);
	free(s.failing);
	return err;
}
