// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The tree of slips: finding, growing, letting go. The way down is short and bounded, so it is gone
 * again when a leaf is full instead of being kept from the search before.
 */
#include "slip.h"

/* From the root to a leaf: nodes, and which child was taken in each. */
struct way {
	uint32_t node[NODE_LEVELS];
	uint32_t index[NODE_LEVELS];
};

/* Where a split is: at the end of all, at the start of all, or anywhere else. */
enum side { SIDE_MIDDLE, SIDE_START, SIDE_END };

static struct node *node_get(const struct cells *cells, uint32_t i)
{
	return &cells->slips[i].node;
}

/* The child that has a unit, or would have it. No branches: they could not be foretold. */
static uint32_t child_of(const struct node *node, uint32_t unit)
{
	uint16_t n = 0, limit = (uint16_t)unit;
	uint32_t i;

	for (i = 0; i < NODE_CHILDREN; i++)
		n = (uint16_t)(n + (node->from[i] <= limit));
	return n - 1u;
}

static uint32_t leaf_of(const struct cells *cells, const struct datagram *d, uint32_t unit)
{
	uint32_t number = d->root, level;
	const struct node *node;

	for (level = 0; level < d->levels; level++) {
		node = node_get(cells, number);
		number = node->child[child_of(node, unit)];
	}
	return number;
}

/* The same, and the way is kept. */
static uint32_t go_down(const struct cells *cells, const struct datagram *d, uint32_t unit,
			struct way *way)
{
	uint32_t number = d->root, level;

	for (level = 0; level < d->levels; level++) {
		way->node[level] = number;
		way->index[level] = child_of(node_get(cells, number), unit);
		number = node_get(cells, number)->child[way->index[level]];
	}
	return number;
}

/* No branches here either; slots without a slip are read and don't count. */
static bool meets_any(const struct leaf *leaf, uint32_t from, uint32_t to)
{
	uint32_t any = to > leaf->limit * UNIT, at, i;

	for (i = 0; i < LEAF_SLIPS; i++) {
		at = leaf->at[i] * UNIT;
		any |= (i < leaf->n) & (at < to) & (at + leaf->len[i] > from);
	}
	return any;
}

enum meeting slips_search(const struct cells *cells, const struct datagram *d, uint32_t from,
			  uint32_t to, struct place *place)
{
	const struct leaf *leaf;
	uint32_t i;

	if (!place->leaf || from / UNIT >= leaf_get(cells, place->leaf)->limit)
		place->leaf = leaf_of(cells, d, from / UNIT);
	leaf = leaf_get(cells, place->leaf);
	if (!meets_any(leaf, from, to))
		return MEETS_NOTHING;
	for (i = 0; i < leaf->n; i++) {
		place->index = i;
		if (leaf->at[i] == from / UNIT && leaf->len[i] == to - from)
			return MEETS_SAME;
	}
	return MEETS_OTHER;
}

uint32_t slips_foresee(const struct cells *cells, const struct datagram *d, uint32_t from)
{
	uint32_t number = from < d->top ? leaf_of(cells, d, from / UNIT) : d->last_leaf;
	const struct leaf *leaf = leaf_get(cells, number);

	__builtin_prefetch(leaf);
	__builtin_prefetch(&leaf->owner[LEAF_SLIPS - 1]);
	return number;
}

static uint32_t new_leaf(struct cells *cells, struct datagram *d)
{
	uint32_t number = pool_take(cells);

	leaf_get(cells, number)->n = 0;
	leaf_get(cells, number)->limit = UNITS_MAX;
	leaf_get(cells, number)->next = 0;
	d->n_cells++;
	return number;
}

static uint32_t new_node(struct cells *cells, struct datagram *d)
{
	uint32_t number = pool_take(cells);

	memset(node_get(cells, number)->from, 0xff, sizeof(node_get(cells, number)->from));
	node_get(cells, number)->n = 0;
	node_get(cells, number)->next = d->nodes;
	d->nodes = number;
	d->n_cells++;
	return number;
}

static void node_insert(struct node *node, uint32_t index, uint32_t from, uint32_t child)
{
	uint32_t i;

	for (i = node->n++; i > index; i--) {
		node->from[i] = node->from[i - 1];
		node->child[i] = node->child[i - 1];
	}
	node->from[index] = (uint16_t)from;
	node->child[index] = child;
}

/* Moves the children from `keep` on to a new node. Returns it. */
static uint32_t node_split(struct cells *cells, struct datagram *d, uint32_t number, uint32_t keep)
{
	uint32_t other = new_node(cells, d), i;
	struct node *left = node_get(cells, number), *right = node_get(cells, other);

	for (i = keep; i < left->n; i++) {
		node_insert(right, i - keep, left->from[i], left->child[i]);
		left->from[i] = NO_UNIT;
	}
	left->n = keep;
	return other;
}

static void new_root(struct cells *cells, struct datagram *d, uint32_t from, uint32_t child)
{
	uint32_t number = new_node(cells, d);

	node_insert(node_get(cells, number), 0, 0, d->root);
	node_insert(node_get(cells, number), 1, from, child);
	d->root = number;
	d->levels++;
}

/* A new child stands right of the one that the way went through; so up as far as nodes are full. */
static void hang(struct cells *cells, struct datagram *d, const struct way *way, enum side side,
		 uint32_t from, uint32_t child)
{
	static const uint32_t keeps[] = { NODE_CHILDREN / 2, 1, NODE_CHILDREN };
	uint32_t level, index, keep = keeps[side], other;
	struct node *node;

	for (level = d->levels; level--;) {
		node = node_get(cells, way->node[level]);
		index = way->index[level] + 1;
		if (node->n < NODE_CHILDREN) {
			node_insert(node, index, from, child);
			return;
		}
		other = node_split(cells, d, way->node[level], keep);
		if (index <= keep && keep < NODE_CHILDREN) {
			node_insert(node, index, from, child);
			from = node_get(cells, other)->from[0];
		} else {
			node_insert(node_get(cells, other), index - keep, from, child);
			from = node_get(cells, other)->from[0];
		}
		child = other;
	}
	new_root(cells, d, from, child);
}

/* How many of the first n slips of a leaf are before a unit. */
static uint32_t rank_of(const struct leaf *leaf, uint32_t n, uint32_t unit)
{
	uint32_t rank = 0, i;

	for (i = 0; i < n; i++)
		rank += leaf->at[i] < unit;
	return rank;
}

static struct slip leaf_slip(const struct leaf *leaf, uint32_t i)
{
	return (struct slip){ leaf->data[i], leaf->owner[i], leaf->at[i] * UNIT, leaf->len[i] };
}

uint32_t leaf_in_order(const struct leaf *leaf, struct slip *slips)
{
	uint32_t i;

	for (i = 0; i < leaf->n; i++)
		slips[rank_of(leaf, leaf->n, leaf->at[i])] = leaf_slip(leaf, i);
	return leaf->n;
}

/* The same of a full leaf and one slip more. No branches. */
static void full_in_order(const struct leaf *leaf, const struct slip *slip, struct slip *slips)
{
	uint32_t unit = slip->at / UNIT, i;

	for (i = 0; i < LEAF_SLIPS; i++)
		slips[rank_of(leaf, LEAF_SLIPS, leaf->at[i]) + (unit < leaf->at[i])] =
			leaf_slip(leaf, i);
	slips[rank_of(leaf, LEAF_SLIPS, unit)] = *slip;
}

static void leaf_fill(struct leaf *leaf, const struct slip *slips, uint32_t n)
{
	uint32_t i;

	leaf->n = 0;
	for (i = 0; i < n; i++)
		leaf_add(leaf, &slips[i]);
}

/* How many of the slips of a full leaf and one more stay: at the ends of all it is parted unevenly,
 * as the next ones will likely come there, too. */
static uint32_t leaf_keeps(const struct datagram *d, uint32_t leaf, const struct slip *slips,
			   uint32_t at, enum side *side)
{
	*side = SIDE_MIDDLE;
	if (leaf == d->last_leaf && slips[LEAF_SLIPS].at == at)
		*side = SIDE_END;
	else if (leaf == d->first_leaf && slips[0].at == at)
		*side = SIDE_START;
	return *side == SIDE_MIDDLE ? (LEAF_SLIPS + 2) / 2 : *side == SIDE_END ? LEAF_SLIPS : 1;
}

static void leaf_split(struct cells *cells, struct datagram *d, uint32_t number,
		       const struct slip *slip)
{
	uint32_t other = new_leaf(cells, d), keep;
	struct leaf *left = leaf_get(cells, number), *right = leaf_get(cells, other);
	struct slip slips[LEAF_SLIPS + 1];
	enum side side;
	struct way way;

	full_in_order(left, slip, slips);
	keep = leaf_keeps(d, number, slips, slip->at, &side);
	go_down(cells, d, slip->at / UNIT, &way);
	leaf_fill(left, slips, keep);
	leaf_fill(right, slips + keep, LEAF_SLIPS + 1 - keep);
	right->limit = left->limit;
	left->limit = right->at[0];
	right->next = left->next;
	left->next = other;
	if (d->last_leaf == number)
		d->last_leaf = other;
	hang(cells, d, &way, side, left->limit, other);
}

void slips_begin(struct cells *cells, struct datagram *d)
{
	uint32_t leaf = new_leaf(cells, d);

	d->root = leaf;
	d->first_leaf = leaf;
	d->last_leaf = leaf;
}

void slips_grow(struct cells *cells, struct datagram *d, uint32_t leaf, const struct slip *slip)
{
	if (leaf) {
		leaf_split(cells, d, leaf, slip);
		return;
	}
	slips_begin(cells, d);
	leaf_add(leaf_get(cells, d->first_leaf), slip);
}

static uint32_t find(const struct leaf *leaf, uint32_t unit)
{
	uint32_t i = 0;

	while (leaf->at[i] != unit)
		i++;
	return i;
}

void slips_undo(struct cells *cells, const struct datagram *d, uint32_t at)
{
	struct leaf *leaf = leaf_get(cells, leaf_of(cells, d, at / UNIT));
	uint32_t i = find(leaf, at / UNIT);

	leaf->n--;
	leaf->at[i] = leaf->at[leaf->n];
	leaf->len[i] = leaf->len[leaf->n];
	leaf->data[i] = leaf->data[leaf->n];
	leaf->owner[i] = leaf->owner[leaf->n];
}

const uint8_t *slips_first(const struct cells *cells, const struct datagram *d)
{
	const struct leaf *leaf = leaf_get(cells, d->first_leaf);

	return leaf->data[find(leaf, 0)];
}

static void free_nodes(struct cells *cells, struct datagram *d)
{
	uint32_t next;

	for (; d->nodes; d->nodes = next) {
		next = node_get(cells, d->nodes)->next;
		pool_give(cells, d->nodes);
		d->n_cells--;
	}
}

void slips_release(struct cells *cells, struct datagram *d)
{
	free_nodes(cells, d);
	if (!d->n_cells)
		return;
	cells->releases++;
	if (cells->back_last)
		leaf_get(cells, cells->back_last)->next = d->first_leaf;
	else
		cells->back_first = d->first_leaf;
	cells->back_last = d->last_leaf;
	cells->n_back += d->n_cells;
	d->n_cells = 0;
	d->root = 0;
	d->first_leaf = 0;
	d->last_leaf = 0;
	d->levels = 0;
}

static void leaf_done(struct cells *cells)
{
	uint32_t number = cells->back_first;

	cells->back_first = leaf_get(cells, number)->next;
	if (!cells->back_first)
		cells->back_last = 0;
	pool_give(cells, number);
	cells->n_back--;
}

size_t slips_take_back(struct cells *cells, void **owners, size_t n)
{
	size_t taken = 0;
	struct leaf *leaf;

	while (cells->back_first) {
		leaf = leaf_get(cells, cells->back_first);
		while (leaf->n && taken < n)
			owners[taken++] = leaf->owner[--leaf->n];
		if (leaf->n)
			break;
		leaf_done(cells);
	}
	return taken;
}
