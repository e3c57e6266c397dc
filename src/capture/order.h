/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output in the order of input, though the fate of some packets is known only later.
 *
 * Fragments are held by the engine's slot of their datagram. When the memory for packets that wait
 * is used up, the datagram that holds up the others is let go: what came of it, and what still
 * comes, is written as it was.
 */
#pragma once

#include "account.h"
#include "queue.h"
#include "sink.h"

struct order;

struct order_opts {
	struct sink *sink;
	struct capture_stats *stats; /* written, filtered, left_out are counted here */
	struct trouble *trouble;
	size_t buffer;
	uint32_t slots;
	bool at_first, leave_incomplete;
	void (*on_let_go)(uint32_t slot, uint32_t packets, void *arg);
	void *arg;
};

/* A fragment that waits for the rest of its datagram. */
struct held {
	uint32_t slot;
	uint8_t depth; /* tunnels around it */
	bool is_first; /* at offset 0 */
};

int order_new(struct order **out, const struct order_opts *o);
void order_free(struct order *o);

/*
 * These return 0 or -errno. A packet goes behind all others (QUEUE_NOWHERE), or, if there is room
 * there, to a place that order_complete() gave. Such a place is to be used before any other call.
 */
int order_put(struct order *o, const struct packet *p, uint64_t at);
int order_hold(struct order *o, const struct held *h, const struct packet *p, uint64_t at);

/* A fragment that is not to be a part of anything: written, or left out. */
int order_put_single(struct order *o, const struct packet *p, uint64_t at);

/* The datagram ended without becoming whole. Returns how many of its packets were held. */
uint32_t order_give_up(struct order *o, uint32_t slot);

/* The held fragment that the whole packet gets its link layer from; NULL: none is held. */
const struct entry *order_first_piece(const struct order *o, uint32_t slot);

/* The datagram was let go. It stays so until it is given up or whole. */
bool order_was_let_go(const struct order *o, uint32_t slot);

/*
 * The datagram became whole with the packet that is judged now, which has this place. Returns the
 * place where the whole packet belongs, and sets how many packets were held for it.
 */
uint64_t order_complete(struct order *o, uint32_t slot, uint64_t at, uint32_t *held);

/* Writes what needs to wait no longer. */
int order_drain(struct order *o);
