// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Runs: all fragments of a datagram, one behind the other in a batch.
 *
 * So most of them come. Such a datagram is open for no longer than this call takes, so it need not
 * stand in the table, in lists of age or on its source's account: nobody could meet it there. The
 * outcomes and the counts are those that its fragments would have had one by one. Where that
 * is not certain, as memory is short or a fragment is not what it should be, nothing is done here,
 * and fragment.c judges them one by one.
 */
#include "judge.h"
#include "table.h"

#define RUN_MAX LEAF_SLIPS /* so lent ones take one leaf */

/* Bytes of a datagram with a short header: with a number of each cell in the record, or lent. */
#define RUN_COPIED (CELLS_NEAR * CELL_BYTES)
#define RUN_LENT   (UNFRAG_DATAGRAM_MAX - HEADER_NEAR)

/* What is known of the first of the arrivals: they have no hole. */
struct run {
	uint32_t from, to;
	uint32_t n;
	uint32_t first; /* which is the first fragment, if any */
	bool ended;     /* the last fragment is there */
	uint8_t ecn;
};

static bool is_sound(const struct unfrag_reasm *r, const struct arrival *a)
{
	if (fragment_flaw(r, &a->facts))
		return false;
	return a->from ||
	       (header_length(&a->facts) <= HEADER_NEAR && !fragment_brings_discovery(a));
}

/* Puts a fragment in front or behind. False: it does not belong there. */
static bool run_extend(struct run *run, const struct arrival *a)
{
	if (a->from == run->to && !run->ended) {
		run->to = a->to;
		run->ended = !a->facts.more;
	} else if (a->to == run->from && a->facts.more) {
		run->from = a->from;
		run->first = run->n;
	} else {
		return false;
	}
	run->ecn |= a->ecn;
	run->n++;
	return true;
}

/* Whether the first of the arrivals are a whole datagram, of a kind that can be a run. */
static bool run_read(const struct unfrag_reasm *r, const struct arrival *a, size_t n,
		     struct run *run)
{
	*run = (struct run){ .from = a->from, .to = a->from };
	do {
		if (!is_sound(r, &a[run->n]) || !run_extend(run, &a[run->n]))
			return false;
		if (run->ended && !run->from)
			return run->to <= (r->borrow ? RUN_LENT : RUN_COPIED) &&
			       !ecn_disagrees(run->ecn);
	} while (run->n < n && run->n < RUN_MAX && arrival_follows(&a[run->n]));
	return false;
}

static void put(struct unfrag_reasm *r, struct datagram *d, const struct arrival *a)
{
	uint32_t len = a->to - a->from;

	if (r->borrow)
		leaf_add(leaf_get(&r->cells, d->first_leaf),
			 &(struct slip){ a->payload, a->packet->owner, a->from, len });
	else
		bytes_put(&r->cells, d, a->from, a->payload, len);
}

/*
 * Takes in the bytes of all, and says so: what fragment.c says of each as well, but not read back
 * from the record where it was just written, which takes longer.
 */
static void put_all(struct unfrag_reasm *r, struct datagram *d, const struct arrival *a, size_t n,
		    struct unfrag_reasm_result *res)
{
	struct sizes sizes = { 0 };
	size_t k;

	for (k = 0; k < n; k++) {
		put(r, d, &a[k]);
		sizes_note(&sizes, &a[k].facts);
		res[k] = (struct unfrag_reasm_result){
			.outcome = UNFRAG_REASM_HELD,
			.family = d->family,
			.slot = (uint32_t)(d - r->datagrams) - 1,
			.datagram = d->number,
			.fragments = (uint32_t)k + 1,
			.largest = sizes.largest,
			.smallest = sizes.smallest,
		};
	}
	d->sizes = sizes;
	d->fragments = (uint32_t)n;
}

/* All is in there. A header as short as this is never too much for it. */
static void take_in(struct unfrag_reasm *r, uint32_t i, const struct arrival *a,
		    const struct run *run, struct unfrag_reasm_result *res)
{
	struct datagram *d = datagram_get(r, i);

	if (r->borrow)
		slips_begin(&r->cells, d);
	else
		cells_provide(&r->cells, d, 0, run->to);
	put_all(r, d, a, run->n, res);
	header_keep(r, d, &a[run->first]);
	d->end = run->to;
	d->ecn = run->ecn;
	header_finish(r, d);
	say_whole(d, &res[run->n - 1]);
}

/* Cells that it takes. */
static uint32_t cells_of(const struct unfrag_reasm *r, const struct run *run)
{
	return r->borrow ? 1 : (run->to + CELL_BYTES - 1) / CELL_BYTES;
}

size_t run_judge(struct unfrag_reasm *r, const struct arrival *a, size_t n,
		 struct unfrag_reasm_result *res)
{
	struct run run;
	uint32_t i;

	if (!table_lacks(r, a) && table_find(r, a))
		return 0;
	if (!run_read(r, a, n, &run))
		return 0;
	i = datagram_pass(r, a, cells_of(r, &run));
	if (!i)
		return 0;
	take_in(r, i, a, &run, res);
	datagram_passed(r, i);
	return run.n;
}
