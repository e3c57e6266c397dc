// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables and vectors of rules: each value that starts or ends a span is asked of all spans.
 */
#include <stdlib.h>
#include <string.h>
#include <test.h>

#include "tables.h"

static uint32_t stride(const struct rules *r)
{
	return r->config.summaries + r->config.words;
}

static uint64_t *vector_new(struct rules *r)
{
	uint64_t *v;

	assert_true(stride(r) > 0);
	r->vectors = realloc(r->vectors, (r->n_vectors + 1) * stride(r) * sizeof(*v));
	assert_non_null(r->vectors);
	v = &r->vectors[r->n_vectors++ * stride(r)];
	memset(v, 0, stride(r) * sizeof(*v));
	return v;
}

/* All entries but those with a span of the field, none of which holds. value: NULL if absent. */
static uint32_t vector_of(struct rules *r, uint32_t field, const rules_value *value)
{
	uint64_t *v = vector_new(r), *words = v + r->config.summaries;
	uint32_t i;

	memset(words, 0xff, r->config.words * sizeof(*words));
	for (i = 0; i < r->n_spans; i++)
		if (r->spans[i].field == field)
			words[r->spans[i].entry / 64] &= ~(1ull << r->spans[i].entry % 64);
	for (i = 0; value && i < r->n_spans; i++)
		if (r->spans[i].field == field && *value >= r->spans[i].from &&
		    *value <= r->spans[i].to)
			words[r->spans[i].entry / 64] |= 1ull << r->spans[i].entry % 64;
	for (i = 0; i < r->config.words; i++)
		v[i / 64] |= (uint64_t)(words[i] != 0) << i % 64;
	return r->n_vectors - 1;
}

static int compare(const void *a, const void *b)
{
	const struct rules_position *p = a, *q = b;

	return p->at < q->at ? -1 : p->at > q->at;
}

/* Starts of values that differ, in order, each once. */
static size_t positions_of(struct rules *r, uint32_t field, struct rules_position *p)
{
	size_t n = 1, all = 1, i;

	p[0].at = 0;
	for (i = 0; i < r->n_spans; i++) {
		if (r->spans[i].field != field)
			continue;
		p[all++].at = r->spans[i].from;
		if (r->spans[i].to < rules_max(field))
			p[all++].at = r->spans[i].to + 1;
	}
	qsort(p, all, sizeof(*p), compare);
	for (i = 1; i < all; i++)
		if (p[i].at != p[n - 1].at)
			p[n++].at = p[i].at;
	for (i = 0; i < n; i++)
		p[i].value = vector_of(r, field, &p[i].at);
	return n;
}

static void make_direct(struct rules *r, struct gate_table *t, uint32_t bits,
			const struct rules_position *p, size_t n)
{
	uint32_t size = 1u << bits, i;
	size_t at = 0;

	t->kind = GATE_TABLE_DIRECT;
	t->base = r->n_direct;
	r->direct = realloc(r->direct, (r->n_direct + size) * sizeof(*r->direct));
	assert_non_null(r->direct);
	for (i = 0; i < size; i++) {
		at += at + 1 < n && p[at + 1].at == i;
		r->direct[r->n_direct + i] = (uint16_t)p[at].value;
	}
	r->n_direct += size;
}

static void make_few(struct gate_table *t, const struct rules_position *p, size_t n)
{
	size_t i;

	t->kind = GATE_TABLE_FEW;
	for (i = 0; i < GATE_FEW; i++) {
		t->start[i] = i < n ? (uint32_t)p[i].at : UINT32_MAX;
		t->vector[i] = p[i < n ? i : n - 1].value;
	}
}

static void make_tree(struct rules *r, struct gate_table *t, uint32_t bits,
		      const struct rules_position *p, size_t n)
{
	struct rules_tree tree;

	rules_tree_make(&tree, p, n, bits, true);
	t->kind = GATE_TABLE_TREE;
	t->base = (uint32_t)r->lines.n;
	r->lines.lines = realloc(r->lines.lines, (r->lines.n + tree.n) * sizeof(*tree.lines));
	assert_non_null(r->lines.lines);
	memcpy(&r->lines.lines[r->lines.n], tree.lines, tree.n * sizeof(*tree.lines));
	r->lines.n += tree.n;
	free(tree.lines);
}

static void make_table(struct rules *r, uint32_t field)
{
	struct rules_position *p = calloc(2 * r->n_spans + 1, sizeof(*p));
	struct gate_table *t = &r->config.table[field];
	size_t n;

	assert_non_null(p);
	n = positions_of(r, field, p);
	t->absent = vector_of(r, field, NULL);
	if (n <= GATE_FEW && rules_bits(field) <= 32)
		make_few(t, p, n);
	else if (rules_bits(field) <= 16)
		make_direct(r, t, rules_bits(field), p, n);
	else
		make_tree(r, t, rules_bits(field), p, n);
	free(p);
	r->config.fields |= 1u << field;
}

static uint32_t features_of(const struct rules *r)
{
	uint32_t features = 0, i;

	for (i = 0; i < r->n_entries; i++) {
		const struct gate_entry *e = &r->entries[i];

		features |= e->checks ? GATE_HAS_CHECKS : 0;
		features |= e->limit ? GATE_HAS_LIMITS : 0;
		features |= e->log ? GATE_HAS_LOG : 0;
		features |= e->action == GATE_VMAP ? GATE_HAS_VMAPS | GATE_HAS_JUMPS : 0;
		features |= e->action == GATE_JUMP || e->action == GATE_GOTO ? GATE_HAS_JUMPS : 0;
	}
	for (i = 0; i < r->n_checks; i++) {
		features |= r->checks[i].kind == GATE_CHECK_TREE ? GATE_HAS_TREES : 0;
		features |= r->checks[i].kind == GATE_CHECK_TUPLE ? GATE_HAS_TUPLES : 0;
	}
	return features;
}

static bool is_plain(const struct rules *r)
{
	return !r->config.features &&
	       __builtin_popcount(r->config.fields) <= (int)GATE_PLAIN_FIELDS;
}

void rules_finish(struct rules *r)
{
	uint32_t field, i;

	r->config.words = (r->n_entries + 63) / 64;
	r->config.summaries = (r->config.words + 63) / 64;
	for (i = 0; i < r->n_entries; i++)
		if (r->entries[i].counter > r->n_counters)
			r->n_counters = r->entries[i].counter;
	for (i = 0; i < r->n_checks; i++)
		r->config.fields |= r->checks[i].present;
	for (field = 0; field < GATE_FIELD_MAX; field++)
		for (i = 0; i < r->n_spans; i++)
			if (r->spans[i].field == field) {
				make_table(r, field);
				break;
			}
	r->config.features = features_of(r);
	if (is_plain(r))
		r->config.features |= GATE_IS_PLAIN;
	gate_config_finish(&r->config);
}
