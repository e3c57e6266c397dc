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

/* The child that has a unit, or would have it. */
static uint32_t child_of(const struct node *node, uint32_t unit)
{
	uint32_t i = node->n - 1;

	while (i && node->from[i] > unit)
		i--;
	return i;
}

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

enum meeting slips_meet(const struct cells *cells, const struct datagram *d, uint32_t from,
			uint32_t to, struct place *place)
{
	const struct slip *behind, *before;
	const struct leaf *leaf;
	struct way way;

	*place = (struct place){ d->last_leaf, 0 };
	if (from >= d->top) {
		place->index = place->leaf ? leaf_get(cells, place->leaf)->n : 0;
		return MEETS_NOTHING;
	}
	place->leaf = go_down(cells, d, from / UNIT, &way);
	leaf = leaf_get(cells, place->leaf);
	while (place->index < leaf->n && leaf->slips[place->index].at < from)
		place->index++;
	behind = slip_behind(cells, *place);
	if (behind && behind->at == from && behind->len == to - from)
		return MEETS_SAME;
	if (behind && behind->at < to)
		return MEETS_OTHER;
	before = place->index ? &leaf->slips[place->index - 1] : NULL;
	return before && before->at + before->len > from ? MEETS_OTHER : MEETS_NOTHING;
}

uint32_t slips_missing(const struct cells *cells, const struct datagram *d, struct place place)
{
	if (!place.leaf)
		return 1;
	return leaf_get(cells, place.leaf)->n < LEAF_SLIPS ? 0 : d->levels + 2u;
}

static uint32_t new_leaf(struct cells *cells, struct datagram *d)
{
	uint32_t number = pool_take(cells);

	leaf_get(cells, number)->n = 0;
	leaf_get(cells, number)->next = 0;
	d->n_cells++;
	return number;
}

static uint32_t new_node(struct cells *cells, struct datagram *d)
{
	uint32_t number = pool_take(cells);

	node_get(cells, number)->n = 0;
	node_get(cells, number)->next = d->nodes;
	d->nodes = number;
	d->n_cells++;
	return number;
}

static void leaf_insert(struct leaf *leaf, uint32_t index, const struct slip *slip)
{
	uint32_t i;

	for (i = leaf->n++; i > index; i--)
		leaf->slips[i] = leaf->slips[i - 1];
	leaf->slips[index] = *slip;
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

	for (i = keep; i < left->n; i++)
		node_insert(right, i - keep, left->from[i], left->child[i]);
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

/* Which slips of a full leaf stay in it: at the ends of all it gets none or gives none. */
static uint32_t leaf_keeps(enum side side, uint32_t index)
{
	if (side == SIDE_END)
		return LEAF_SLIPS;
	if (side == SIDE_START)
		return 0;
	return index < LEAF_SLIPS / 2 + 1 ? LEAF_SLIPS / 2 : LEAF_SLIPS / 2 + 1;
}

static enum side side_of(const struct datagram *d, struct place place)
{
	if (place.leaf == d->last_leaf && place.index == LEAF_SLIPS)
		return SIDE_END;
	return place.leaf == d->first_leaf && !place.index ? SIDE_START : SIDE_MIDDLE;
}

static void leaf_split(struct cells *cells, struct datagram *d, struct place place,
		       const struct slip *slip)
{
	enum side side = side_of(d, place);
	uint32_t keep = leaf_keeps(side, place.index), other, i;
	struct leaf *left, *right;
	struct way way;

	go_down(cells, d, slip->at / UNIT, &way);
	other = new_leaf(cells, d);
	left = leaf_get(cells, place.leaf);
	right = leaf_get(cells, other);
	for (i = keep; i < LEAF_SLIPS; i++)
		leaf_insert(right, i - keep, &left->slips[i]);
	left->n = keep;
	right->next = left->next;
	left->next = other;
	if (d->last_leaf == place.leaf)
		d->last_leaf = other;
	if (place.index <= keep && keep < LEAF_SLIPS)
		leaf_insert(left, place.index, slip);
	else
		leaf_insert(right, place.index - keep, slip);
	hang(cells, d, &way, side, right->slips[0].at / UNIT, other);
}

void slips_put(struct cells *cells, struct datagram *d, struct place place, const struct slip *slip)
{
	if (!place.leaf) {
		place.leaf = new_leaf(cells, d);
		d->root = place.leaf;
		d->first_leaf = place.leaf;
		d->last_leaf = place.leaf;
	}
	if (leaf_get(cells, place.leaf)->n < LEAF_SLIPS)
		leaf_insert(leaf_get(cells, place.leaf), place.index, slip);
	else
		leaf_split(cells, d, place, slip);
}

void slips_undo(struct cells *cells, const struct datagram *d, uint32_t at)
{
	struct way way;
	struct leaf *leaf = leaf_get(cells, go_down(cells, d, at / UNIT, &way));
	uint32_t i;

	for (i = 0; leaf->slips[i].at != at; i++)
		;
	for (leaf->n--; i < leaf->n; i++)
		leaf->slips[i] = leaf->slips[i + 1];
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
			owners[taken++] = leaf->slips[--leaf->n].owner;
		if (leaf->n)
			break;
		leaf_done(cells);
	}
	return taken;
}
