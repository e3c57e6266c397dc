// SPDX-License-Identifier: GPL-2.0-or-later
#include "tables.h"

#include <stdlib.h>
#include <string.h>
#include <test.h>

#define ROW_BITS(name, bits, text) bits,
static const uint32_t field_bits[] = { GATE_FIELDS(ROW_BITS) };

#define ROW_WORD(name, bits, text) GATE_W_##name,
static const uint32_t field_word[] = { GATE_FIELDS(ROW_WORD) };

struct rules *rules_new(void)
{
	struct rules *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	return r;
}

void rules_free(struct rules *r)
{
	uint32_t i;

	if (!r)
		return;
	for (i = 0; i < RULES_SETS; i++)
		free(r->trees[i].lines);
	free(r->lines.lines);
	free(r->vectors);
	free(r->direct);
	free(r);
}

uint32_t rules_bits(uint32_t field)
{
	return field_bits[field];
}

uint32_t rules_word(uint32_t field)
{
	return field_word[field];
}

uint32_t rules_words(uint32_t field)
{
	return GATE_WORDS_OF(field_bits[field]);
}

static rules_value max_of_bits(uint32_t bits)
{
	return ~(rules_value)0 >> (128 - bits);
}

rules_value rules_max(uint32_t field)
{
	return max_of_bits(field_bits[field]);
}

static void split(uint32_t *words, rules_value v, uint32_t bits)
{
	uint32_t n = GATE_WORDS_OF(bits), i;

	for (i = 0; i < n; i++)
		words[i] = (uint32_t)(v >> 32 * (n - 1 - i));
}

void rules_split(uint32_t *words, rules_value v, uint32_t field)
{
	split(words, v, field_bits[field]);
}

uint32_t rules_entry(struct rules *r, uint32_t action, uint32_t target)
{
	uint32_t i = r->n_entries++;

	assert_true(i < GATE_ENTRIES_MAX);
	r->entries[i] = (struct gate_entry){
		.action = (uint16_t)action,
		.target = target,
		.first_check = r->n_checks,
		.next = i + 1,
		.rule = i,
	};
	return i;
}

uint32_t rules_chain(struct rules *r, uint32_t first, uint32_t end, uint32_t policy)
{
	assert_true(r->n_chains < RULES_CHAINS);
	r->chains[r->n_chains] = (struct gate_chain){ first, end, policy, 0 };
	return r->n_chains++;
}

uint32_t rules_set(struct rules *r)
{
	assert_true(r->n_sets < RULES_SETS);
	return r->n_sets++;
}

void rules_span(struct rules *r, uint32_t entry, uint32_t field, rules_value from, rules_value to)
{
	assert_true(r->n_spans < RULES_SPANS);
	r->spans[r->n_spans++] = (struct rules_span){ entry, field, from, to };
}

struct gate_check *rules_check(struct rules *r, uint32_t kind, uint32_t field)
{
	struct gate_check *c = &r->checks[r->n_checks];
	uint32_t i;

	assert_true(r->n_checks < RULES_CHECKS);
	r->n_checks++;
	r->entries[r->n_entries - 1].checks++;
	c->kind = (uint8_t)kind;
	c->fields = 1;
	c->words = (uint8_t)rules_words(field);
	c->present = 1u << field;
	for (i = 0; i < c->words; i++)
		c->word[i] = (uint8_t)(field_word[field] + i);
	return c;
}

struct gate_check *rules_check_mask(struct rules *r, uint32_t field, rules_value mask,
				    rules_value value)
{
	struct gate_check *c = rules_check(r, GATE_CHECK_MASK, field);

	rules_split(c->mask, mask, field);
	rules_split(c->value, value, field);
	return c;
}

struct gate_check *rules_check_set(struct rules *r, uint32_t set, const uint32_t *fields,
				   uint32_t n)
{
	struct gate_check *c = rules_check(r, n > 1 ? GATE_CHECK_TUPLE : GATE_CHECK_TREE,
					   fields[0]);
	uint32_t i, j;

	for (i = 1; i < n; i++) {
		c->present |= 1u << fields[i];
		for (j = 0; j < rules_words(fields[i]); j++)
			c->word[c->words++] = (uint8_t)(field_word[fields[i]] + j);
	}
	assert_true(c->words <= GATE_TUPLE_WORDS);
	c->fields = (uint8_t)n;
	c->set = set;
	return c;
}

/* Lines of each level, from the last one up. */
static uint32_t plan_levels(uint32_t *levels, size_t n, uint32_t keys)
{
	uint32_t depth = 0;

	do {
		n = (n + keys - 1) / keys;
		assert_true(depth < GATE_TREE_LEVELS);
		levels[depth++] = (uint32_t)n;
	} while (n > 1);
	return depth;
}

void rules_tree_make(struct rules_tree *t, const struct rules_position *positions, size_t n,
		     uint32_t bits, bool values)
{
	uint32_t words = GATE_WORDS_OF(bits), keys = 16 / words, levels[GATE_TREE_LEVELS];
	uint32_t depth = plan_levels(levels, n, keys), at = 1, level;
	size_t step = 1, i;
	uint32_t *head;

	t->n = 1 + (values ? (n + 15) / 16 : 0);
	for (level = 0; level < depth; level++)
		t->n += levels[level];
	t->lines = malloc(t->n * sizeof(*t->lines));
	assert_non_null(t->lines);
	memset(t->lines, 0xff, t->n * sizeof(*t->lines));
	memset(t->lines, 0, sizeof(*t->lines));
	head = t->lines[0].word;
	head[GATE_TREE_DEPTH] = depth;
	head[GATE_TREE_COUNT] = (uint32_t)n;
	head[GATE_TREE_FIRST] = !values && positions[0].value;
	for (level = 0; level < depth; at += levels[depth - 1 - level++])
		head[GATE_TREE_LEVEL + level] = at;
	for (level = depth; level-- > 0; step *= keys)
		for (i = 0; i * step < n; i++)
			split(&t->lines[head[GATE_TREE_LEVEL + level]].word[i * words],
			      positions[i * step].at, bits);
	if (!values)
		return;
	head[GATE_TREE_VALUES] = at;
	for (i = 0; i < n; i++)
		t->lines[at].word[i] = positions[i].value;
}

void rules_fill_tree(struct rules *r, uint32_t set, const struct rules_position *positions,
		     size_t n, uint32_t bits, bool values)
{
	free(r->trees[set].lines);
	rules_tree_make(&r->trees[set], positions, n, bits, values);
}

void rules_place(struct rules *r, uint32_t first, uint32_t n)
{
	uint32_t family, hook;

	for (family = 0; family < GATE_FAMILIES; family++)
		for (hook = 0; hook < GATE_HOOKS; hook++)
			r->config.place[family][hook][0] = (struct gate_place){ first, n };
}
