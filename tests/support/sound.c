// SPDX-License-Identifier: GPL-2.0-or-later
#include "sound.h"

#include <linux/netfilter.h>
#include <string.h>

#include "fields.h"

/* A tree that starts with line `base` of those there are. */
struct view {
	const struct gate_line *lines;
	size_t n, base;
	uint32_t keys, words; /* a line has, a key has */
};

/* Lines are counted from the header; beyond the end, NULL. */
static const uint32_t *word_at(const struct view *v, size_t line, size_t word)
{
	line += v->base + word / 16;
	return line < v->n ? &v->lines[line].word[word % 16] : NULL;
}

static const uint32_t *key_at(const struct view *v, size_t line, size_t key)
{
	return word_at(v, line, key * v->words);
}

/* Sorted without doubles, from 0 on. */
static bool keys_ascend(const struct view *v, size_t line, size_t n)
{
	const uint32_t *key, *last = NULL;
	static const uint32_t zero[4];
	size_t i, w;

	for (i = 0; i < n; i++, last = key) {
		key = key_at(v, line, i);
		if (!key)
			return false;
		if (!last && memcmp(key, zero, v->words * sizeof(*key)) != 0)
			return false;
		for (w = 0; last && w < v->words && key[w] == last[w];)
			w++;
		if (last && (w == v->words || key[w] < last[w]))
			return false;
	}
	return n > 0;
}

/* Each level has a key for each line of the next one, and the root is one line. */
static bool levels_fit(const struct view *v, const uint32_t *head)
{
	size_t n = head[GATE_TREE_COUNT];
	uint32_t level;

	if (head[GATE_TREE_DEPTH] < 1 || head[GATE_TREE_DEPTH] > GATE_TREE_LEVELS)
		return false;
	for (level = head[GATE_TREE_DEPTH]; level-- > 0;) {
		if (!keys_ascend(v, head[GATE_TREE_LEVEL + level], n))
			return false;
		n = (n + v->keys - 1) / v->keys;
	}
	return n == 1;
}

typedef bool value_fn(const struct image *image, const struct ruleset *rs, uint32_t to);

static const char *check_tree(const struct view *v, const struct image *image,
			      const struct ruleset *rs, value_fn *is_sound)
{
	const uint32_t *head = word_at(v, 0, 0), *to;
	size_t i;

	if (!head)
		return "a tree's header is beyond the lines";
	if (!levels_fit(v, head))
		return "a tree's keys don't ascend";
	for (i = 0; head[GATE_TREE_VALUES] && i < head[GATE_TREE_COUNT]; i++) {
		to = word_at(v, head[GATE_TREE_VALUES], i);
		if (!to || !is_sound(image, rs, *to))
			return "a tree's value leads nowhere";
	}
	return NULL;
}

static bool is_vector(const struct image *image, const struct ruleset *rs, uint32_t to)
{
	(void)rs;
	return to < image->n_vectors;
}

static bool is_verdict(const struct image *image, const struct ruleset *rs, uint32_t to)
{
	uint32_t action = to >> 24;

	(void)image;
	if (action == GATE_JUMP || action == GATE_GOTO)
		return (to & 0xffffff) < rs->n_chains && !rs->chains[to & 0xffffff].is_base;
	return action == GATE_ACCEPT || action == GATE_DROP || action == GATE_RETURN ||
	       to == GATE_VERDICT_CONTINUE;
}

static bool is_verdict_or_none(const struct image *image, const struct ruleset *rs, uint32_t to)
{
	return !to || is_verdict(image, rs, to);
}

static struct view view_of(const struct gate_line *lines, size_t n, size_t base, uint32_t bits)
{
	uint32_t words = GATE_WORDS_OF(bits);
	const struct view v = { lines, n, base, 16 / words, words };

	return v;
}

static const char *check_few(const struct image *image, const struct gate_table *t, uint32_t bits)
{
	uint32_t i;

	if (bits > 32 || t->start[0])
		return "few intervals do not start at 0 or are too wide";
	for (i = 0; i < GATE_FEW; i++) {
		if (t->vector[i] >= image->n_vectors)
			return "an interval leads nowhere";
		if (i && t->start[i] <= t->start[i - 1] && t->start[i] != UINT32_MAX)
			return "few intervals are out of order";
	}
	return NULL;
}

static const char *check_table(const struct image *image, const struct ruleset *rs, uint32_t field)
{
	const struct gate_table *t = &image->config.table[field];
	uint32_t bits = fields_bits(field);
	struct view v = view_of(image->lines, image->n_lines, t->base, bits);
	size_t i;

	if (t->kind == GATE_TABLE_NONE)
		return NULL;
	if (!(image->config.fields >> field & 1))
		return "a field has a table and is not read";
	if (t->absent >= image->n_vectors)
		return "a table's absent vector is none";
	if (t->kind == GATE_TABLE_FEW)
		return check_few(image, t, bits);
	if (t->kind == GATE_TABLE_TREE)
		return check_tree(&v, image, rs, is_vector);
	if (bits > 16 || t->base + ((size_t)1 << bits) > image->n_direct)
		return "a table is beyond the direct map";
	for (i = 0; i < (size_t)1 << bits; i++)
		if (image->direct[t->base + i] >= image->n_vectors)
			return "a direct value leads nowhere";
	return NULL;
}

/* No bit beyond the entries; summaries as the words are. */
static const char *check_vector(const struct image *image, size_t number)
{
	size_t all = image->config.summaries + image->config.words, i;
	const __u64 *v = image->vectors + number * all, *words = v + image->config.summaries;

	for (i = 0; i < image->config.words; i++)
		if ((v[i / 64] >> i % 64 & 1) != (words[i] != 0))
			return "a summary is wrong";
	for (i = image->n_entries; i < 64 * (size_t)image->config.words; i++)
		if (words[i / 64] >> i % 64 & 1)
			return "a vector has a bit of no entry";
	return NULL;
}

static const char *check_entry(const struct image *image, const struct ruleset *rs, size_t i)
{
	const struct gate_entry *e = &image->entries[i];

	if ((size_t)e->first_check + e->checks > image->n_checks)
		return "an entry's checks are beyond the checks";
	if (e->next <= i || e->next > image->n_entries)
		return "an entry goes on nowhere";
	if (e->counter > image->n_counters || e->limit > image->n_limits || e->log > image->n_logs)
		return "an entry's counter, limit or log is none";
	if (e->rule >= rs->n_rules || e->action >= GATE_ACTION_MAX)
		return "an entry's rule or action is none";
	if (e->action == GATE_VMAP)
		return e->target < image->n_checks ? NULL : "an entry's map is none";
	if (e->action != GATE_NEXT && !is_verdict(image, rs, GATE_VERDICT(e->action, e->target)))
		return "an entry's verdict is none";
	return NULL;
}

static const char *check_check(const struct image *image, size_t number)
{
	const struct gate_check *c = &image->checks[number];
	uint32_t i;

	if (c->words > GATE_TUPLE_WORDS || c->fields > GATE_TUPLE_FIELDS)
		return "a check's key is too long";
	for (i = 0; i < c->words; i++)
		if (c->word[i] >= GATE_WORDS)
			return "a check's word is none";
	if (c->present & ~image->config.fields)
		return "a check's field is not read";
	if (c->kind != GATE_CHECK_MASK && c->set >= image->n_sets)
		return "a check's set is none";
	if (c->kind == GATE_CHECK_TREE && !image->sets[c->set].tree.n)
		return "a check's tree is none";
	return NULL;
}

static const char *check_chains(const struct image *image)
{
	const struct gate_place *p;
	uint32_t i;
	size_t c;

	for (c = 0; c < image->n_chains; c++)
		if (image->chains[c].first > image->chains[c].end ||
		    image->chains[c].end > image->n_entries)
			return "a chain is beyond the entries";
	for (i = 0; i < GATE_FAMILIES * GATE_HOOKS * GATE_RANKS_MAX; i++) {
		p = &image->config.place[0][0][0] + i;
		if ((size_t)p->first + p->n > image->n_chains)
			return "a place is beyond the chains";
	}
	return NULL;
}

static const char *check_set(const struct image *image, const struct ruleset *rs, size_t number)
{
	const struct image_set *s = &image->sets[number];
	struct view v = view_of(s->tree.lines, s->tree.n, 0, rs->sets[number].bits[0]);
	size_t i;

	if (rs->sets[number].n == 1)
		return check_tree(&v, image, rs, is_verdict_or_none);
	for (i = 0; i < s->tuples.n; i++)
		if (!(s->tuples.tuples[i].key.mark & GATE_SHAPE) &&
		    !is_verdict(image, rs, s->tuples.tuples[i].value.verdict))
			return "a tuple's verdict is none";
	return NULL;
}

const char *sound_image(const struct image *image, const struct ruleset *rs)
{
	const char *wrong = check_chains(image);
	size_t i;

	for (i = 0; i < GATE_FIELD_MAX && !wrong; i++)
		wrong = check_table(image, rs, (uint32_t)i);
	for (i = 0; i < image->n_vectors && !wrong; i++)
		wrong = check_vector(image, i);
	for (i = 0; i < image->n_entries && !wrong; i++)
		wrong = check_entry(image, rs, i);
	for (i = 0; i < image->n_checks && !wrong; i++)
		wrong = check_check(image, i);
	for (i = 0; i < image->n_sets && !wrong; i++)
		wrong = check_set(image, rs, i);
	return wrong;
}

void sound_values(struct gate_values *v, uint32_t family)
{
	v->present &= ~(family ? GATE_ONLY_IPV4 : GATE_ONLY_IPV6);
	fields_set(v, GATE_NFPROTO, family ? NFPROTO_IPV6 : NFPROTO_IPV4);
}
