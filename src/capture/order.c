// SPDX-License-Identifier: GPL-2.0-or-later
#include "order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	uint64_t first, last; /* its packets in the queue, oldest and newest */
	uint64_t piece;       /* the one with the first fragment */
	uint32_t held;
	bool let_go;
};

struct order {
	struct order_opts o;
	struct queue *queue;
	struct slot *slots;
};

static void slot_clear(struct slot *s)
{
	*s = (struct slot){ QUEUE_NOWHERE, QUEUE_NOWHERE, QUEUE_NOWHERE, 0, false };
}

int order_new(struct order **out, const struct order_opts *opts)
{
	struct order *o = calloc(1, sizeof(*o));
	uint32_t i;
	int r;

	if (!o)
		return -ENOMEM;
	o->o = *opts;
	r = queue_new(&o->queue, opts->buffer);
	o->slots = calloc(opts->slots, sizeof(*o->slots));
	if (r || !o->slots) {
		order_free(o);
		return r ? r : -ENOMEM;
	}
	for (i = 0; i < opts->slots; i++)
		slot_clear(&o->slots[i]);
	*out = o;
	return 0;
}

void order_free(struct order *o)
{
	if (!o)
		return;
	queue_free(o->queue);
	free(o->slots);
	free(o);
}

static int write_now(struct order *o, const struct packet *p)
{
	int r = sink_put(o->o.sink, p, o->o.trouble);

	if (r < 0)
		return r;
	o->o.stats->written += r == 1;
	o->o.stats->filtered += r == 0;
	return 0;
}

int order_drain(struct order *o)
{
	struct packet p;
	struct entry *e;
	int r;

	while ((e = queue_head(o->queue)) && e->wait != WAIT_HELD) {
		p = queue_packet(e);
		r = e->wait == WAIT_READY ? write_now(o, &p) : 0;
		queue_pop(o->queue);
		if (r)
			return r;
	}
	return 0;
}

/* All packets of a slot: what becomes of them is known now. */
static uint32_t settle(struct order *o, struct slot *s, enum wait wait)
{
	uint32_t n = s->held;
	uint64_t at = s->first;
	struct entry *e;

	while (at != QUEUE_NOWHERE) {
		e = queue_at(o->queue, at);
		e->wait = (uint8_t)wait;
		at = e->next;
	}
	slot_clear(s);
	return n;
}

/* The datagram of the oldest packet stands in the way. */
static void let_go(struct order *o)
{
	uint32_t number = queue_head(o->queue)->slot, n;
	struct slot *s = &o->slots[number];

	n = settle(o, s, o->o.leave_incomplete ? WAIT_GONE : WAIT_READY);
	s->let_go = true;
	if (o->o.leave_incomplete)
		o->o.stats->left_out += n;
	o->o.on_let_go(number, n, o->o.arg);
}

/* Adds to the queue, where there is room once enough of what waits was let go. */
static int add(struct order *o, const struct packet *p, enum wait wait, uint64_t *at)
{
	int r = order_drain(o);

	while (!r) {
		*at = queue_add(o->queue, p, wait);
		if (*at != QUEUE_NOWHERE)
			return 0;
		if (queue_is_empty(o->queue))
			return trouble(o->o.trouble, -ENOSPC, "a packet of %u bytes is too large",
				       p->caplen);
		let_go(o);
		r = order_drain(o);
	}
	return r;
}

/* Has the packet at its place. -ENOSPC: there is no room, so the place is given up. */
static int put_there(struct order *o, const struct packet *p, uint64_t at, enum wait wait)
{
	struct entry *e = queue_at(o->queue, at);
	int r = queue_put_instead(o->queue, e, p);

	e->wait = (uint8_t)(r ? WAIT_GONE : wait);
	return r == -ENOMEM ? trouble(o->o.trouble, r, "out of memory") : r;
}

int order_put(struct order *o, const struct packet *p, uint64_t at)
{
	int r = -ENOSPC;

	if (at != QUEUE_NOWHERE)
		r = put_there(o, p, at, WAIT_READY);
	if (r != -ENOSPC)
		return r;
	r = order_drain(o);
	if (r || queue_is_empty(o->queue))
		return r ? r : write_now(o, p);
	return add(o, p, WAIT_READY, &at);
}

int order_put_single(struct order *o, const struct packet *p, uint64_t at)
{
	if (!o->o.leave_incomplete)
		return order_put(o, p, at);
	if (at != QUEUE_NOWHERE)
		queue_at(o->queue, at)->wait = WAIT_GONE;
	o->o.stats->left_out++;
	return 0;
}

/* To the packets of its slot; the oldest of them stays first. */
static void chain(struct order *o, struct slot *s, uint64_t at)
{
	if (s->first == QUEUE_NOWHERE) {
		s->first = s->last = at;
	} else if (at < s->first) {
		queue_at(o->queue, at)->next = s->first;
		s->first = at;
	} else {
		queue_at(o->queue, s->last)->next = at;
		s->last = at;
	}
	s->held++;
}

int order_hold(struct order *o, const struct held *h, const struct packet *p, uint64_t at)
{
	struct slot *s = &o->slots[h->slot];
	struct entry *e;
	int r = -ENOSPC;

	if (at != QUEUE_NOWHERE)
		r = put_there(o, p, at, WAIT_HELD);
	if (r == -ENOSPC)
		r = add(o, p, WAIT_HELD, &at);
	if (r)
		return r;
	e = queue_at(o->queue, at);
	e->slot = h->slot;
	e->depth = h->depth;
	e->next = QUEUE_NOWHERE;
	if (s->let_go) { /* to make room for this one */
		e->wait = o->o.leave_incomplete ? WAIT_GONE : WAIT_READY;
		o->o.stats->left_out += o->o.leave_incomplete;
		o->o.on_let_go(h->slot, 1, o->o.arg);
		return 0;
	}
	chain(o, s, at);
	if (h->is_first && s->piece == QUEUE_NOWHERE)
		s->piece = at;
	return 0;
}

uint32_t order_give_up(struct order *o, uint32_t slot)
{
	bool leave = o->o.leave_incomplete;
	uint32_t n = settle(o, &o->slots[slot], leave ? WAIT_GONE : WAIT_READY);

	if (leave)
		o->o.stats->left_out += n;
	return n;
}

const struct entry *order_first_piece(const struct order *o, uint32_t slot)
{
	uint64_t at = o->slots[slot].piece;

	return at == QUEUE_NOWHERE ? NULL : queue_at(o->queue, at);
}

bool order_was_let_go(const struct order *o, uint32_t slot)
{
	return o->slots[slot].let_go;
}

uint64_t order_complete(struct order *o, uint32_t slot, uint64_t at, uint32_t *held)
{
	struct slot *s = &o->slots[slot];
	uint64_t place = at;

	if (o->o.at_first && s->first < at)
		place = s->first; /* QUEUE_NOWHERE is behind all */
	*held = settle(o, s, WAIT_GONE);
	if (at != QUEUE_NOWHERE)
		queue_at(o->queue, at)->wait = WAIT_GONE;
	if (place != QUEUE_NOWHERE)
		queue_at(o->queue, place)->wait = WAIT_HELD;
	return place;
}
