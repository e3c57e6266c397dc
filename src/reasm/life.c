// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The life of a datagram: every change of its state, and of the counts that go with it, is here.
 * See the drawing in datagram.h.
 */
#include "table.h"

static uint32_t record_take(struct unfrag_reasm *r)
{
	uint32_t i = r->free.first;

	r->n_free--;
	if (!i)
		return r->fresh++;
	list_remove(r->datagrams, &r->free, LINK_ROOM, i);
	return i;
}

static void record_free(struct unfrag_reasm *r, uint32_t i)
{
	datagram_get(r, i)->state = STATE_FREE;
	list_append(r->datagrams, &r->free, LINK_ROOM, i);
	r->n_free++;
}

/* Nobody outside knows the secret that this begins with (xorshift, Marsaglia 2003). */
static bool has_luck(struct unfrag_reasm *r)
{
	r->luck ^= r->luck << 13;
	r->luck ^= r->luck >> 7;
	r->luck ^= r->luck << 17;
	return r->luck % LUCKY_ONE_IN == 0;
}

static void enter_room(struct unfrag_reasm *r, uint32_t i, enum room room)
{
	struct datagram *d = datagram_get(r, i);
	struct source *source = source_of(r, d);

	d->room = (uint8_t)room;
	list_append(r->datagrams, &r->rooms[room], LINK_ROOM, i);
	list_append(r->datagrams, source_list(source, room), LINK_SOURCE, i);
	r->n_lucky += room == ROOM_LUCKY;
	if (room == ROOM_SHELTERED) {
		source->sheltered++;
		r->n_sheltered++;
		r->cells_sheltered += d->n_cells;
	}
}

static void leave_room(struct unfrag_reasm *r, uint32_t i)
{
	struct datagram *d = datagram_get(r, i);
	struct source *source = source_of(r, d);

	list_remove(r->datagrams, &r->rooms[d->room], LINK_ROOM, i);
	list_remove(r->datagrams, source_list(source, d->room), LINK_SOURCE, i);
	r->n_lucky -= d->room == ROOM_LUCKY;
	if (d->room == ROOM_SHELTERED) {
		source->sheltered--;
		r->n_sheltered--;
		r->cells_sheltered -= d->n_cells;
	}
}

void datagram_expose(struct unfrag_reasm *r, uint32_t i)
{
	leave_room(r, i);
	enter_room(r, i, ROOM_EXPOSED);
}

static enum room room_for_newcomer(struct unfrag_reasm *r, const struct source *source, bool first)
{
	if (!source->standing || (source->sheltered >= source->standing && !first))
		return has_luck(r) ? ROOM_LUCKY : ROOM_EXPOSED;
	if (source->sheltered >= source->standing)
		datagram_expose(r, source->sheltering.first);
	if (r->n_sheltered >= r->shelter_datagrams)
		datagram_expose(r, r->rooms[ROOM_SHELTERED].first);
	return ROOM_SHELTERED;
}

/* The number of its source, found at once if it is that of the one before. */
static uint32_t source_for(struct unfrag_reasm *r, const struct arrival *a)
{
	struct source_key key = source_key_of(&a->head->key, a->facts.family);
	uint32_t number = 0;

	if (source_key_equal(&key, &r->last_source)) {
		number = source_get_last(&r->sources);
	} else {
		r->last_source = key;
		r->last_source_id = source_key_hash(&key, &r->secret);
	}
	return number ? number : source_get(&r->sources, r->last_source_id);
}

uint32_t datagram_open(struct unfrag_reasm *r, const struct arrival *a, enum unfrag_reason *reason)
{
	uint32_t number = source_for(r, a), i;
	struct source *source = &r->sources.all[number];
	struct datagram *d;

	source->open++; /* from here on it can't be forgotten */
	*reason = room_for_datagram(r, source);
	if (*reason) {
		source->open--;
		source_put(&r->sources, number);
		return 0;
	}
	i = record_take(r);
	d = datagram_get(r, i);
	clear_bytes(d, offsetof(struct datagram, header));
	d->key = a->head->key;
	d->hash = (uint32_t)arrival_hash(r, a);
	d->state = STATE_OPEN;
	d->family = a->facts.family;
	d->source = number;
	d->opened_at = source->opened++;
	d->since = r->now;
	d->number = r->next_number++;
	table_insert(r, i);
	list_append(r->datagrams, &r->ages[family_index(d->family)], LINK_AGE, i);
	enter_room(r, i,
		   lost_recall(&r->losses, d) ? ROOM_EXPOSED :
						room_for_newcomer(r, source, !a->facts.frag_off));
	r->n_open++;
	r->stats.opened++;
	return i;
}

/* An open datagram takes leave of its source and its room. Its cells stay. */
static void leave(struct unfrag_reasm *r, uint32_t i)
{
	struct datagram *d = datagram_get(r, i);
	struct source *source = source_of(r, d);

	leave_room(r, i);
	source->cells -= d->n_cells;
	source->open--;
	r->n_open--;
	source_put(&r->sources, d->source);
}

static void release(struct unfrag_reasm *r, struct datagram *d)
{
	if (r->borrow)
		slips_release(&r->cells, d);
	else
		cells_release(&r->cells, d);
}

/* Nobody can find it any more. */
static void vanish(struct unfrag_reasm *r, uint32_t i)
{
	const struct datagram *d = datagram_get(r, i);

	table_remove(r, i);
	list_remove(r->datagrams, &r->ages[family_index(d->family)], LINK_AGE, i);
}

void datagram_cancel(struct unfrag_reasm *r, uint32_t i)
{
	leave(r, i);
	vanish(r, i);
	release(r, datagram_get(r, i));
	record_free(r, i);
	r->stats.opened--;
}

/* In no table and no list of open ones: the caller may read it. */
static void set_complete(struct unfrag_reasm *r, uint32_t i)
{
	struct datagram *d = datagram_get(r, i);

	d->state = STATE_COMPLETE;
	list_append(r->datagrams, &r->complete, LINK_ROOM, i);
	r->stats.completed++;
	r->stats.whole_fragments += d->fragments;
}

void datagram_complete(struct unfrag_reasm *r, uint32_t i)
{
	source_praise(source_of(r, datagram_get(r, i)));
	leave(r, i);
	vanish(r, i);
	set_complete(r, i);
}

void datagrams_recycle(struct unfrag_reasm *r)
{
	struct datagram *d;
	uint32_t i, next;

	for (i = r->complete.first; i; i = next) {
		d = datagram_get(r, i);
		next = d->link[LINK_ROOM].next;
		release(r, d);
		record_free(r, i);
	}
	r->complete = (struct list){ 0 };
}

uint32_t datagram_pass(struct unfrag_reasm *r, const struct arrival *a, uint32_t cells)
{
	uint32_t number, i = 0;
	struct source *source;
	struct datagram *d;

	if (r->losses.n && lost_any(&r->losses, (uint32_t)arrival_hash(r, a)))
		return 0;
	number = source_for(r, a);
	source = &r->sources.all[number];
	if (room_is_free(r, source, cells)) {
		source->opened++;
		source_praise(source);
		i = record_take(r);
		d = datagram_get(r, i);
		memset(&d->end, 0,
		       offsetof(struct datagram, link) - offsetof(struct datagram, end));
		d->chain_first = 0;
		d->chain_last = 0;
		d->family = a->facts.family;
		d->since = r->now;
		d->number = r->next_number++;
	}
	source_put(&r->sources, number);
	return i;
}

void datagram_passed(struct unfrag_reasm *r, uint32_t i)
{
	r->stats.opened++;
	set_complete(r, i);
}

/* One that others pushed out might have become whole, and so might what it was the rest of. */
static bool had_its_chance(const struct datagram *d, enum unfrag_reason reason)
{
	if (d->room == ROOM_SHELTERED)
		return true;
	return !d->lost_held && reason != UNFRAG_REASON_EVICTED && reason != UNFRAG_REASON_SHARE;
}

/* The end of an open datagram: its cells are free, its fate is known. */
static void give_up(struct unfrag_reasm *r, uint32_t i, enum unfrag_reason reason)
{
	struct datagram *d = datagram_get(r, i);

	if (had_its_chance(d, reason))
		source_blame(source_of(r, d));
	if (reason == UNFRAG_REASON_EVICTED)
		lost_remember(&r->losses, d);
	leave(r, i);
	release(r, d);
	d->reason = (uint8_t)reason;
	d->age = r->now - d->since;
	d->untold = r->keep_fates && d->fragments;
	if (d->untold)
		list_append(r->datagrams, &r->fates, LINK_SOURCE, i);
	r->stats.given_up[reason]++;
	r->stats.reasons[reason] += d->fragments;
}

void datagram_refuse(struct unfrag_reasm *r, uint32_t i, enum unfrag_reason reason)
{
	struct datagram *d = datagram_get(r, i);

	give_up(r, i, reason);
	d->state = STATE_REFUSED;
	d->room = ROOM_REFUSED;
	list_append(r->datagrams, &r->rooms[ROOM_REFUSED], LINK_ROOM, i);
	r->n_refused++;
}

void datagram_end(struct unfrag_reasm *r, uint32_t i, enum unfrag_reason reason)
{
	struct datagram *d = datagram_get(r, i);

	if (d->state == STATE_OPEN) {
		give_up(r, i, reason);
	} else {
		list_remove(r->datagrams, &r->rooms[ROOM_REFUSED], LINK_ROOM, i);
		r->n_refused--;
	}
	vanish(r, i);
	if (d->untold)
		d->state = STATE_GONE;
	else
		record_free(r, i);
}

bool fate_take(struct unfrag_reasm *r, struct unfrag_reasm_fate *fate)
{
	uint32_t i = r->fates.first;
	struct datagram *d = datagram_get(r, i);

	if (!i)
		return false;
	*fate = (struct unfrag_reasm_fate){
		.datagram = d->number,
		.age = d->age,
		.slot = i - 1,
		.fragments = d->fragments,
		.largest = d->sizes.largest,
		.smallest = d->sizes.smallest,
		.reason = d->reason,
		.family = d->family,
		.first = d->header_len > 0,
	};
	list_remove(r->datagrams, &r->fates, LINK_SOURCE, i);
	d->untold = false;
	if (d->state == STATE_GONE)
		record_free(r, i);
	return true;
}
