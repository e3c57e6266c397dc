/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there is to tell of one datagram that came in fragments: the row of the report.
 */
#pragma once

#include <stdint.h>

#include <unfrag/reasm.h>

#include "place.h"

/* X(NAME, "name", "what it means") */
#define FINDINGS(X) \
	X(TINY, "tiny", "a TCP fragment that hides or rewrites flags (RFC 1858, RFC 3128)") \
	X(CHAIN, "chain", "a first fragment without its whole upper-layer header (RFC 7112)") \
	X(OVERLAP, "overlap", "fragments that bring the same place in the datagram twice") \
	X(TEARDROP, "teardrop", "a fragment inside another one, ending before it") \
	X(DUPLICATE, "duplicate", "the same fragment again, byte for byte") \
	X(OVERSIZE, "oversize", "ends beyond 65,535 bytes: the ping of death") \
	X(REUSE, "reuse", "the identification again, shortly after a datagram with it had ended") \
	X(STALE, "stale", "so old that fragments of another datagram may have come to it") \
	X(DIFFERS, "differs", "read differently by different systems (--compare)")

enum finding {
#define X(id, name, text) FINDING_##id,
	FINDINGS(X)
#undef X
		FINDING_MAX,
};

enum arrival_order {
	ORDER_ASCENDING,
	ORDER_DESCENDING,
	ORDER_MIXED,
	ORDER_MAX,
};

struct datagram_key {
	uint64_t scope;
	uint32_t id;
	uint32_t tunnel_ids[PLACE_TUNNELS];
	uint8_t family; /* enum unfrag_family */
	uint8_t proto;  /* IPv4 only: no part of the key in IPv6 */
	uint8_t src[16], dst[16];
	uint16_t vlans[PLACE_VLANS];
	uint8_t tunnels[PLACE_TUNNELS]; /* enum tunnel_kind, from the outside in */
	uint8_t reserved[6];            /* 0: keys are compared as bytes */
};

struct record {
	struct datagram_key key;
	uint64_t first, last; /* ns since 1970 */
	uint64_t datagram;    /* the engine's number of it; UINT64_MAX: it has none */
	uint32_t fragments;   /* all that came, duplicates and dropped ones too */
	uint32_t duplicates;
	uint32_t largest, smallest; /* fragments as IP packets, bytes */
	uint32_t len;               /* of the whole packet; 0: none */
	uint32_t findings;          /* bits: enum finding */
	uint8_t proto;              /* upper-layer protocol, as far as known */
	uint8_t order;              /* enum arrival_order */
	uint8_t reason;             /* enum unfrag_reason; none with len: whole */
};

const char *finding_name(uint32_t finding);
const char *finding_text(uint32_t finding);
const char *order_name(uint32_t order);
