// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The judgement of one fragment, in steps: what it shows wrong by itself; its datagram; whether it
 * fits what is known of that; room; and only then is anything changed by it. So a fragment that is
 * turned away at any step leaves no trace, but for those that end their datagram.
 */
#include "judge.h"
#include "policy.h"
#include "table.h"

static bool is_stale(struct unfrag_reasm *r, const struct datagram *d)
{
	return d->family == UNFRAG_IPV4 && d->state == STATE_OPEN &&
	       r->now - d->since >= STALE_AGE &&
	       source_of(r, d)->opened - d->opened_at >= STALE_DATAGRAMS;
}

/* The datagram that a fragment belongs to, opened if need be; 0: no room for one. */
static uint32_t datagram_for(struct unfrag_reasm *r, const struct arrival *a,
			     enum unfrag_reason *reason)
{
	uint32_t i = table_find(r, a);

	if (i && time_is_over(r, datagram_get(r, i))) {
		datagram_end(r, i, UNFRAG_REASON_TIMEOUT);
		i = 0;
	} else if (i && is_stale(r, datagram_get(r, i))) {
		datagram_end(r, i, UNFRAG_REASON_STALE);
		i = 0;
	}
	return i ? i : datagram_open(r, a, reason);
}

/* How a fragment meets what is held; of lent ones also where it belongs. */
struct encounter {
	enum meeting meeting;
	struct place place;
};

static struct encounter encounter_of(const struct unfrag_reasm *r, const struct datagram *d,
				     const struct arrival *a)
{
	struct encounter e = { .meeting = MEETS_NOTHING, .place.leaf = a->leaf };

	if (a->foreseen != d || a->releases != r->cells.releases)
		e.place.leaf = 0;
	if (r->borrow)
		e.meeting = slips_meet(&r->cells, d, a->from, a->to, &e.place);
	else if (a->from < d->top)
		e.meeting = units_meet(&r->cells, d,
				       (struct span){ a->from / UNIT, units_of(a->to) });
	return e;
}

/* RFC 815 leaves open what two ends, or bytes beyond the end, mean. Here: an attack, or chance. */
static bool breaks_end(const struct datagram *d, const struct arrival *a)
{
	bool last = !a->facts.more;

	if (d->end && (a->to > d->end || (last && a->to != d->end)))
		return true;
	return last && a->to < d->top;
}

/* What ends a datagram when a fragment of it shows it. */
static enum unfrag_reason offence_of(const struct unfrag_reasm *r, const struct datagram *d,
				     const struct arrival *a, enum meeting meeting)
{
	if (breaks_end(d, a))
		return UNFRAG_REASON_END;
	if (meeting != MEETS_NOTHING && r->policy == UNFRAG_REASM_DROP)
		return UNFRAG_REASON_OVERLAP;
	if (ecn_disagrees(d->ecn | a->ecn))
		return UNFRAG_REASON_ECN;
	if (fragment_brings_discovery(a))
		return UNFRAG_REASON_DISCOVERY;
	return UNFRAG_REASON_NONE;
}

/* Exactly what is held already, byte for byte. */
static bool is_duplicate(const struct unfrag_reasm *r, const struct datagram *d,
			 const struct arrival *a, const struct encounter *e)
{
	uint32_t len = a->to - a->from;

	if (e->meeting != MEETS_SAME || breaks_end(d, a))
		return false;
	if (r->borrow)
		return !memcmp(slip_data(&r->cells, e->place), a->payload, len);
	return bytes_equal(&r->cells, d, a->from, a->payload, len);
}

static bool brings_header(const struct datagram *d, const struct unfrag_facts *f)
{
	return !f->frag_off && !d->header_len;
}

static enum unfrag_reason make_room_for_slip(struct unfrag_reasm *r, uint32_t i, struct place place)
{
	uint32_t cells = slips_missing(&r->cells, datagram_get(r, i), place);

	return cells ? room_for_cells(r, i, cells) : UNFRAG_REASON_NONE;
}

static enum unfrag_reason make_room(struct unfrag_reasm *r, uint32_t i, const struct arrival *a)
{
	struct datagram *d = datagram_get(r, i);
	uint32_t cells = cells_missing(&r->cells, d, a->from, a->to);
	enum unfrag_reason reason;

	if (brings_header(d, &a->facts) && header_length(&a->facts) > HEADER_NEAR)
		cells++;
	if (!cells)
		return UNFRAG_REASON_NONE;
	reason = room_for_cells(r, i, cells);
	if (!reason)
		cells_provide(&r->cells, d, a->from, a->to);
	return reason;
}

/* Returns whether any byte of it is in the datagram now. */
static bool take_bytes(struct unfrag_reasm *r, struct datagram *d, const struct arrival *a,
		       const struct encounter *e)
{
	struct span range = { a->from / UNIT, units_of(a->to) };
	uint32_t len = a->to - a->from;

	if (e->meeting != MEETS_NOTHING)
		return policy_merge(&r->cells, d, r->policy, a->from, a->payload, len);
	if (r->borrow) {
		slips_put(&r->cells, d, e->place.leaf,
			  &(struct slip){ a->payload, a->packet->owner, a->from, len });
		d->held += range.to - range.from;
		return true;
	}
	units_take(&r->cells, d, range);
	bytes_put(&r->cells, d, a->from, a->payload, len);
	return true;
}

/* Takes the fragment in; there is room. Returns whether any byte of it is in the datagram now. */
static bool take_in(struct unfrag_reasm *r, struct datagram *d, const struct arrival *a,
		    const struct encounter *e)
{
	if (!take_bytes(r, d, a, e))
		return false;
	if (brings_header(d, &a->facts))
		header_keep(r, d, a);
	if (a->to > d->top)
		d->top = a->to;
	if (!a->facts.more)
		d->end = a->to;
	d->ecn |= a->ecn;
	d->fragments++;
	d->overlaps += e->meeting != MEETS_NOTHING;
	sizes_note(&d->sizes, &a->facts);
	return true;
}

static bool is_whole(const struct datagram *d)
{
	return d->end && d->held == units_of(d->end);
}

static void say_of(const struct unfrag_reasm *r, uint32_t i, struct unfrag_reasm_result *res,
		   enum unfrag_reasm_outcome outcome)
{
	const struct datagram *d = &r->datagrams[i];

	say(res, outcome, UNFRAG_REASON_NONE);
	res->slot = i - 1;
	res->datagram = d->number;
	res->age = r->now - d->since;
	res->fragments = d->fragments;
	res->overlaps = d->overlaps;
	res->largest = d->sizes.largest;
	res->smallest = d->sizes.smallest;
}

static void finish(struct unfrag_reasm *r, uint32_t i, const struct arrival *a,
		   struct unfrag_reasm_result *res)
{
	struct datagram *d = datagram_get(r, i);

	if (!header_finish(r, d)) {
		d->fragments--; /* this one's fate is told here */
		if (r->borrow)
			slips_undo(&r->cells, d, a->from);
		datagram_refuse(r, i, UNFRAG_REASON_OVERSIZE);
		say(res, UNFRAG_REASM_DROPPED, UNFRAG_REASON_OVERSIZE);
		return;
	}
	say_of(r, i, res, UNFRAG_REASM_HELD);
	say_whole(d, res);
	if (r->borrow)
		slips_fetch(leaf_get(&r->cells, d->first_leaf));
	datagram_complete(r, i);
}

/* No fault in it: it is kept, if there is room. */
static void hold(struct unfrag_reasm *r, uint32_t i, const struct arrival *a,
		 const struct encounter *e, struct unfrag_reasm_result *res)
{
	struct datagram *d = datagram_get(r, i);
	uint32_t cells = d->n_cells;
	enum unfrag_reason reason = r->borrow ? make_room_for_slip(r, i, e->place) :
						make_room(r, i, a);
	bool taken = !reason && take_in(r, d, a, e);

	if (d->n_cells != cells)
		engine_charge(r, d, d->n_cells - cells);
	if (reason) {
		if (!d->fragments)
			datagram_cancel(r, i);
		say(res, UNFRAG_REASM_DROPPED, reason);
	} else if (!taken) {
		say_of(r, i, res, UNFRAG_REASM_DUPLICATE);
	} else if (is_whole(d)) {
		finish(r, i, a, res);
	} else {
		say_of(r, i, res, UNFRAG_REASM_HELD);
		if (lost_is_whole(d))
			source_praise(source_of(r, d));
	}
}

static void judge_within(struct unfrag_reasm *r, uint32_t i, const struct arrival *a,
			 struct unfrag_reasm_result *res)
{
	struct datagram *d = datagram_get(r, i);
	struct encounter e = encounter_of(r, d, a);
	enum unfrag_reason offence;

	if (is_duplicate(r, d, a, &e)) {
		say_of(r, i, res, UNFRAG_REASM_DUPLICATE);
		return;
	}
	offence = offence_of(r, d, a, e.meeting);
	if (offence) {
		datagram_refuse(r, i, offence);
		say(res, UNFRAG_REASM_DROPPED, offence);
		return;
	}
	hold(r, i, a, &e, res);
}

void fragment_judge(struct unfrag_reasm *r, const struct arrival *a,
		    struct unfrag_reasm_result *res)
{
	enum unfrag_reason reason = fragment_flaw(r, &a->facts);
	uint32_t i;

	if (reason) {
		say(res, UNFRAG_REASM_DROPPED, reason);
		return;
	}
	i = datagram_for(r, a, &reason);
	if (!i)
		say(res, UNFRAG_REASM_DROPPED, reason);
	else if (datagram_get(r, i)->state == STATE_REFUSED)
		say(res, UNFRAG_REASM_DROPPED, UNFRAG_REASON_REFUSED);
	else
		judge_within(r, i, a, res);
}
