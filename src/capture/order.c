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
		p = (struct packet){ e->time, e->caplen, e->len,
				     e->instead ? e->instead : e->data };
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

int order_put(struct order *o, const struct packet *p)
{
	uint64_t at;
	int r = order_drain(o);

	if (r || queue_is_empty(o->queue))
		return r ? r : write_now(o, p);
	return add(o, p, WAIT_READY, &at);
}

int order_put_single(struct order *o, const struct packet *p)
{
	if (!o->o.leave_incomplete)
		return order_put(o, p);
	o->o.stats->left_out++;
	return 0;
}

int order_hold(struct order *o, uint32_t slot, const struct packet *p, uint32_t ip, bool is_first)
{
	struct slot *s = &o->slots[slot];
	struct entry *e;
	uint64_t at;
	int r = add(o, p, WAIT_HELD, &at);

	if (r)
		return r;
	e = queue_at(o->queue, at);
	e->slot = slot;
	e->ip = ip;
	if (s->let_go) { /* to make room for this one */
		e->wait = o->o.leave_incomplete ? WAIT_GONE : WAIT_READY;
		o->o.stats->left_out += o->o.leave_incomplete;
		o->o.on_let_go(slot, 1, o->o.arg);
		return 0;
	}
	if (s->first == QUEUE_NOWHERE)
		s->first = at;
	else
		queue_at(o->queue, s->last)->next = at;
	s->last = at;
	if (is_first && s->piece == QUEUE_NOWHERE)
		s->piece = at;
	s->held++;
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

/* In place of the oldest piece, at its time. */
static int complete_at_first(struct order *o, struct slot *s, const struct packet *whole)
{
	struct entry *e = queue_at(o->queue, s->first);
	int r = queue_put_instead(o->queue, e, whole);

	if (r == -ENOMEM)
		return trouble(o->o.trouble, r, "out of memory");
	return r;
}

int order_complete(struct order *o, uint32_t slot, const struct packet *whole, uint32_t *held)
{
	struct slot *s = &o->slots[slot];
	uint64_t first = s->first;
	int r = 0;

	if (o->o.at_first && s->held) {
		r = complete_at_first(o, s, whole);
		if (r == -ENOMEM)
			return r;
	}
	*held = settle(o, s, WAIT_GONE);
	if (o->o.at_first && first != QUEUE_NOWHERE && !r) {
		queue_at(o->queue, first)->wait = WAIT_READY;
		return 0;
	}
	/* Without room for it there, it goes where all others go. */
	return order_put(o, whole);
}
