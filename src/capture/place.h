/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a captured packet an IP header stands, what address space it belongs to, and which
 * fields in front of it say how long the packet is, so that they can be put right when the packet
 * becomes a longer one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fix_kind {
	FIX_SNAP,  /* IEEE 802.3 length, LLC and SNAP behind it */
	FIX_PPPOE, /* length of PPPoE's payload */
};

struct fix {
	uint32_t at; /* of the field, or of the header that it is in */
	uint8_t kind;
};

#define PLACE_FIXES 8
#define PLACE_VLANS 2

struct place {
	uint32_t ip;                 /* offset of the IP header */
	uint64_t scope;              /* VLANs, interface, labels, session; 0: none of those */
	uint16_t vlans[PLACE_VLANS]; /* the outer ones, for people; 0: none */
	struct fix fixes[PLACE_FIXES];
	uint8_t n_fixes;
};

/* One more thing that sets address spaces apart. */
void place_narrow(struct place *place, uint32_t kind, uint64_t value);

/* Notes a field to be put right; false where there are too many. */
bool place_add_fix(struct place *place, enum fix_kind kind, uint32_t at);

/*
 * Puts the fields in front of the IP header right, the packet being `size` bytes now. Returns its
 * new size, which may be 8 bytes less, or 0 if a field can't say it.
 */
uint32_t place_apply(const struct place *place, uint8_t *packet, uint32_t size);
