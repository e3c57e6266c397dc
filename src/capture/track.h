/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams as the report sees them: longer than the engine, which forgets a datagram that is
 * whole, so that its identification can be seen in use again, and what comes late is told of the
 * datagram that it belongs to. Bounded: when there are too many, the oldest are told and forgotten.
 */
#pragma once

#include <unfrag/packet.h>

#include "record.h"

struct track;

typedef void track_tell_fn(const struct record *record, void *arg);

/* `open`: most datagrams that can be without a fate at once. */
int track_new(struct track **out, uint32_t open, track_tell_fn *tell, void *arg);
void track_free(struct track *t);

struct track_fragment {
	const struct place *place;
	const uint8_t *ip;
	uint32_t size;
	uint64_t time;
	const struct unfrag_reasm_result *res;
};

/* One fragment, and what the engine said of it. Returns its record, there until the next call. */
struct record *track_add(struct track *t, const struct track_fragment *f);

/* A datagram of the engine's slot came to its end. */
void track_end(struct track *t, uint32_t slot, enum unfrag_reason reason);

/* Tells all that is left. */
void track_finish(struct track *t);

void key_of_packet(struct datagram_key *key, const struct place *place,
		   const struct unfrag_facts *f, const uint8_t *ip);
