/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A packet on its way through the engine: what is read in it, once.
 */
#pragma once

#include <unfrag/reasm.h>

#include "../packet/rules.h"
#include "datagram.h"

/* A packet on its way through a batch. */
struct arrival {
	const struct unfrag_reasm_packet *packet;
	struct unfrag_facts facts;
	bool readable;
	uint8_t ecn; /* a bit of datagram.ecn */
	uint32_t from, to;
	const uint8_t *payload; /* what belongs from..to in its datagram */
	/*
	 * Itself, or that of the same datagram which it follows in a batch; NULL: no fragment. Only
	 * the head has the key, and its hash when that was needed; see table.h.
	 */
	struct arrival *head;
	struct key key;
	uint64_t hash;
	const struct datagram *foreseen; /* where packets are lent: perhaps its datagram, */
	uint32_t leaf;                   /* and the leaf of that where it belongs, */
	uint32_t releases;               /* unless slips were let go of since; see slip.h */
};

static inline bool arrival_follows(const struct arrival *a)
{
	return a->head && a->head != a;
}

/* Whether it is, behind a Fragment header, what never may be there (RFC 6980). */
static inline bool fragment_brings_discovery(const struct arrival *a)
{
	return a->facts.proto == UNFRAG_PROTO_ICMPV6 && a->facts.has_l4 &&
	       rules_is_discovery(((const uint8_t *)a->packet->data)[a->facts.l4_off]);
}
