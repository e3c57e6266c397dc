/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets in order, some of them waiting to know whether they are written.
 *
 * A ring of bytes. Packets enter at one end and leave at the other; one that waits holds up all
 * behind it. While it is in the queue a packet is known by its position, which is never used for
 * another one at the same time.
 *
 *         head                                tail
 *      ...| waits | gone | ready | waits | ... |          positions grow this way ->
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_NOWHERE UINT64_MAX

enum wait {
	WAIT_READY,  /* to be written */
	WAIT_GONE,   /* not to be written */
	WAIT_HELD,   /* not known yet */
	WAIT_FILLER, /* no packet: the ring's end was too near for one */
};

struct packet {
	uint64_t time; /* ns since 1970 */
	uint32_t caplen, len;
	const uint8_t *data;
};

struct entry {
	uint64_t time;
	uint64_t next;    /* position of the next of the same datagram */
	uint8_t *instead; /* written in place of the packet; allocated */
	uint32_t bytes;   /* that this entry takes of the ring */
	uint32_t caplen, len;
	uint32_t slot; /* of its datagram */
	uint8_t wait;
	uint8_t depth; /* tunnels that its datagram is inside of */
	uint8_t reserved[22];
	uint8_t data[];
};

struct queue;

/* `size` is rounded up to a power of two. */
int queue_new(struct queue **out, size_t size);
void queue_free(struct queue *q);

bool queue_is_empty(const struct queue *q);

/* Copies a packet to the tail. Returns its position, or QUEUE_NOWHERE without room. */
uint64_t queue_add(struct queue *q, const struct packet *p, enum wait wait);

struct entry *queue_at(const struct queue *q, uint64_t position);

/* The oldest one; NULL: empty. */
struct entry *queue_head(struct queue *q);
void queue_pop(struct queue *q);

/* What is to be written of it. */
static inline struct packet queue_packet(const struct entry *e)
{
	return (struct packet){ e->time, e->caplen, e->len, e->instead ? e->instead : e->data };
}

/* Has something else written in place of a packet: copies it. Returns 0, -ENOMEM or -ENOSPC. */
int queue_put_instead(struct queue *q, struct entry *e, const struct packet *p);
