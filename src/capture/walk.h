/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk over the headers in front of an IP header. A step reads one and names what stands behind
 * it. Reads past the end give zero and end the walk, so that a step need not ask.
 */
#pragma once

#include "place.h"

enum next {
	NEXT_NOTHING,
	NEXT_IP,
	NEXT_VERSION, /* IP, if the first four bits say so */
	NEXT_TYPE,    /* walk.type says */
	NEXT_ETHERNET,
	NEXT_PPP,
	NEXT_MPLS,
};

struct walk {
	const uint8_t *packet;
	uint32_t size, at;
	uint16_t type;
	bool short_of; /* what was read is not there */
	struct place *place;
};

static inline const uint8_t *walk_take(struct walk *w, uint32_t n)
{
	static const uint8_t zeroes[32];
	const uint8_t *p = w->packet + w->at;

	if (w->short_of || w->size - w->at < n) {
		w->short_of = true;
		return zeroes;
	}
	w->at += n;
	return p;
}

/* Goes on over link layers until IP; that is the place then. False: there is none. */
bool walk_to_ip(struct walk *w, enum next next);
