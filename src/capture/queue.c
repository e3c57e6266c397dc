// SPDX-License-Identifier: GPL-2.0-or-later
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 64u

_Static_assert(sizeof(struct entry) == ALIGN, "what is left at the ring's end holds an entry");

struct queue {
	uint8_t *ring;
	size_t size;
	uint64_t head, tail;
	size_t instead; /* bytes allocated outside of the ring */
};

int queue_new(struct queue **out, size_t size)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->size = 1;
	while (q->size < size)
		q->size <<= 1;
	q->ring = aligned_alloc(ALIGN, q->size);
	if (!q->ring) {
		free(q);
		return -ENOMEM;
	}
	*out = q;
	return 0;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	while (queue_head(q))
		queue_pop(q);
	free(q->ring);
	free(q);
}

bool queue_is_empty(const struct queue *q)
{
	return q->head == q->tail;
}

struct entry *queue_at(const struct queue *q, uint64_t position)
{
	return (struct entry *)(void *)(q->ring + (position & (q->size - 1)));
}

static size_t room(const struct queue *q)
{
	size_t used = (size_t)(q->tail - q->head) + q->instead;

	return used < q->size ? q->size - used : 0;
}

/* Bytes from the tail to the ring's end, where a packet can't be split. */
static size_t stretch(const struct queue *q)
{
	return q->size - (size_t)(q->tail & (q->size - 1));
}

static void fill_up(struct queue *q)
{
	struct entry *e = queue_at(q, q->tail);

	memset(e, 0, sizeof(*e));
	e->bytes = (uint32_t)stretch(q);
	e->wait = WAIT_FILLER;
	q->tail += e->bytes;
}

uint64_t queue_add(struct queue *q, const struct packet *p, enum wait wait)
{
	size_t bytes = (sizeof(struct entry) + p->caplen + ALIGN - 1) / ALIGN * ALIGN;
	uint64_t position;
	struct entry *e;

	/* An empty queue begins anew: memory that was used just now is near. */
	if (queue_is_empty(q))
		q->head = q->tail = 0;
	if (bytes > stretch(q)) {
		if (room(q) < stretch(q) + bytes)
			return QUEUE_NOWHERE;
		fill_up(q);
	}
	if (room(q) < bytes)
		return QUEUE_NOWHERE;
	position = q->tail;
	e = queue_at(q, position);
	memset(e, 0, sizeof(*e));
	e->time = p->time;
	e->next = QUEUE_NOWHERE;
	e->bytes = (uint32_t)bytes;
	e->caplen = p->caplen;
	e->len = p->len;
	e->wait = (uint8_t)wait;
	memcpy(e->data, p->data, p->caplen);
	q->tail += bytes;
	return position;
}

static void drop_instead(struct queue *q, struct entry *e)
{
	if (!e->instead)
		return;
	free(e->instead);
	e->instead = NULL;
	q->instead -= e->caplen;
}

static void pop(struct queue *q)
{
	struct entry *e = queue_at(q, q->head);

	drop_instead(q, e);
	q->head += e->bytes;
}

struct entry *queue_head(struct queue *q)
{
	while (!queue_is_empty(q) && queue_at(q, q->head)->wait == WAIT_FILLER)
		pop(q);
	return queue_is_empty(q) ? NULL : queue_at(q, q->head);
}

void queue_pop(struct queue *q)
{
	pop(q);
}

int queue_put_instead(struct queue *q, struct entry *e, const struct packet *p)
{
	drop_instead(q, e);
	if (room(q) < p->caplen)
		return -ENOSPC;
	e->instead = malloc(p->caplen ? p->caplen : 1);
	if (!e->instead)
		return -ENOMEM;
	memcpy(e->instead, p->data, p->caplen);
	q->instead += p->caplen;
	e->caplen = p->caplen;
	e->len = p->len;
	return 0;
}
