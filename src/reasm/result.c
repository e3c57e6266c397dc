// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What the caller reads: whole packets, copied or in place, figures, and names.
 */
#include <errno.h>

#include "header.h"

_Static_assert(UNFRAG_REASM_PIECES >= CELLS_MAX + 1, "a header and all cells");

/* The record of a complete datagram, if the result is of one that may still be read. */
static const struct datagram *complete_of(const struct unfrag_reasm *r,
					  const struct unfrag_reasm_result *res)
{
	const struct datagram *d;

	if (res->outcome != UNFRAG_REASM_COMPLETE || res->slot >= r->n)
		return NULL;
	d = &r->datagrams[res->slot + 1];
	return d->state == STATE_COMPLETE && d->number == res->datagram ? d : NULL;
}

static void copy_cells(const struct unfrag_reasm *r, const struct datagram *d, uint8_t *out)
{
	uint32_t at, n;

	for (at = 0; at < d->end; at += n) {
		n = d->end - at < CELL_BYTES ? d->end - at : CELL_BYTES;
		copy_bytes(out + at, cell_there(&r->cells, d, at / CELL_BYTES)->data, n);
	}
}

static void copy_slips(const struct unfrag_reasm *r, const struct datagram *d, uint8_t *out)
{
	const struct leaf *leaf;
	uint32_t number, i;

	for (number = d->first_leaf; number; number = leaf->next) {
		leaf = leaf_get(&r->cells, number);
		slips_fetch(leaf_get(&r->cells, leaf->next)); /* leaf 0 is always empty */
		for (i = 0; i < leaf->n; i++)
			copy_bytes(out + leaf->at[i] * UNIT, leaf->data[i], leaf->len[i]);
	}
}

static long copy_atomic(const struct unfrag_reasm_result *res, uint8_t *out)
{
	struct unfrag_facts f;

	if (unfrag_facts_read(&f, res->packet, res->len + 8) || f.frag != UNFRAG_FRAG_ATOMIC)
		return -EINVAL;
	header_strip(out, &f, res->packet);
	return (long)res->len;
}

long unfrag_reasm_copy(const struct unfrag_reasm *r, const struct unfrag_reasm_result *res,
		       void *buf, size_t size)
{
	const struct datagram *d = complete_of(r, res);
	uint8_t *out = buf;

	if (!d && res->outcome != UNFRAG_REASM_ATOMIC)
		return -EINVAL;
	if (res->len > size)
		return -ENOSPC;
	if (!d)
		return copy_atomic(res, out);
	header_copy(r, d, out);
	if (r->borrow)
		copy_slips(r, d, out + d->header_len);
	else
		copy_cells(r, d, out + d->header_len);
	return (long)res->len;
}

static uint32_t cell_pieces(const struct unfrag_reasm *r, const struct datagram *d,
			    struct unfrag_reasm_piece *pieces)
{
	uint32_t at, n = 0;

	for (at = 0; at < d->end; at += CELL_BYTES, n++) {
		pieces[n].data = cell_there(&r->cells, d, at / CELL_BYTES)->data;
		pieces[n].len = d->end - at < CELL_BYTES ? d->end - at : CELL_BYTES;
	}
	return n;
}

static uint32_t slip_pieces(const struct unfrag_reasm *r, const struct datagram *d,
			    struct unfrag_reasm_piece *pieces)
{
	struct slip slips[LEAF_SLIPS];
	const struct leaf *leaf;
	uint32_t number, n = 0, k, i;

	for (number = d->first_leaf; number; number = leaf->next) {
		leaf = leaf_get(&r->cells, number);
		k = leaf_in_order(leaf, slips);
		for (i = 0; i < k; i++, n++) {
			pieces[n].data = slips[i].data;
			pieces[n].len = slips[i].len;
		}
	}
	return n;
}

int unfrag_reasm_pieces(const struct unfrag_reasm *r, const struct unfrag_reasm_result *res,
			struct unfrag_reasm_piece *pieces, size_t n)
{
	const struct datagram *d = complete_of(r, res);
	uint32_t most;

	if (!d)
		return -EINVAL;
	most = r->borrow ? HEADER_PIECES + d->fragments :
			   1 + (d->end + CELL_BYTES - 1) / CELL_BYTES;
	if (n < most)
		return -ENOSPC;
	most = header_pieces(r, d, pieces);
	if (r->borrow)
		return (int)(most + slip_pieces(r, d, pieces + most));
	return (int)(most + cell_pieces(r, d, pieces + most));
}

void unfrag_reasm_stats(const struct unfrag_reasm *r, struct unfrag_reasm_stats *stats)
{
	*stats = r->stats;
	stats->open = r->n_open;
	stats->refused = r->n_refused;
	stats->datagrams = r->n;
	stats->sources = r->sources.known;
	stats->memory = r->memory;
	stats->per_datagram = sizeof(struct datagram) + sizeof(struct source) + 4;
	stats->per_cell = r->borrow ? sizeof(union slip_cell) : sizeof(struct cell);
	stats->per_cell += sizeof(uint32_t);
	stats->cell_bytes = r->borrow ? 0 : (size_t)CELL_BYTES;
	stats->cell_packets = r->borrow ? (size_t)LEAF_SLIPS : 0;
	stats->used = (size_t)(r->n - r->n_free) * sizeof(struct datagram) +
		      (size_t)r->sources.known * sizeof(struct source) +
		      (size_t)(r->cells.n - r->cells.n_free) * stats->per_cell;
}

const char *unfrag_reasm_outcome_name(uint32_t outcome)
{
	static const char *const names[] = { "not_fragment", "atomic",    "held",
					     "complete",     "duplicate", "dropped" };

	_Static_assert(sizeof(names) / sizeof(names[0]) == UNFRAG_REASM_OUTCOME_MAX, "");
	return outcome < UNFRAG_REASM_OUTCOME_MAX ? names[outcome] : NULL;
}

static const char *const policy_names[] = { "drop",      "first", "last",    "bsd",
					    "bsd-right", "linux", "windows", "solaris" };

_Static_assert(sizeof(policy_names) / sizeof(policy_names[0]) == UNFRAG_REASM_POLICY_MAX, "");

const char *unfrag_reasm_policy_name(uint32_t policy)
{
	return policy < UNFRAG_REASM_POLICY_MAX ? policy_names[policy] : NULL;
}

int unfrag_reasm_policy_by_name(const char *name)
{
	int i;

	for (i = 0; i < UNFRAG_REASM_POLICY_MAX; i++)
		if (!strcmp(name, policy_names[i]))
			return i;
	return -EINVAL;
}
