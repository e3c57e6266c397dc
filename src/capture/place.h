/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a captured packet an IP header stands, what address space it belongs to, and which
 * fields in front of it say how long the packet is, so that they can be put right when the packet
 * becomes a longer one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What sets address spaces apart. */
enum narrow {
	NARROW_VLAN = 1,
	NARROW_LABEL,
	NARROW_SESSION,
	NARROW_INTERFACE,
	NARROW_TUNNEL,
};

enum fix_kind {
	FIX_SNAP,  /* IEEE 802.3 length, LLC and SNAP behind it */
	FIX_PPPOE, /* length of PPPoE's payload */
	FIX_IPV4,  /* length and checksum of an IPv4 header */
	FIX_IPV6,  /* payload length of an IPv6 header */
	FIX_UDP,   /* length and checksum */
	FIX_GTP,   /* length behind the first 8 bytes */
	FIX_PPTP,  /* length of what a GRE header of version 1 carries */
	FIX_GRE,   /* checksum over the GRE header and all behind it */
};

struct fix {
	uint32_t at;   /* of the field, or of the header that it is in */
	uint32_t from; /* PPTP: what is counted; UDP: the IP header it stands behind */
	uint8_t kind;  /* enum fix_kind */
};

/* X(NAME, "name", "what its number is") */
#define TUNNELS(X) \
	X(IP, "ip", "") \
	X(GRE, "gre", "key or call") \
	X(VXLAN, "vxlan", "network identifier") \
	X(GTP, "gtp", "tunnel endpoint identifier")

enum tunnel_kind {
	TUNNEL_NONE,
#define X(id, name, text) TUNNEL_##id,
	TUNNELS(X)
#undef X
		TUNNEL_MAX,
};

#define PLACE_FIXES   40
#define PLACE_VLANS   2
#define PLACE_TUNNELS 8

struct place {
	uint32_t ip; /* offset of the IP header */
	uint8_t n_fixes, n_tunnels;
	uint64_t scope; /* all that sets address spaces apart; 0: nothing */
	uint64_t seed;
	uint16_t vlans[PLACE_VLANS];    /* the outer ones, for people; 0: none */
	uint8_t tunnels[PLACE_TUNNELS]; /* enum tunnel_kind, from the outside in */
	uint32_t tunnel_ids[PLACE_TUNNELS];
	struct fix fixes[PLACE_FIXES]; /* from the outside in; set up to n_fixes */
};

/* Nowhere. The seed keeps senders from choosing numbers that look alike in a scope. */
void place_begin(struct place *place, uint64_t seed);

/* One more thing that sets address spaces apart. */
void place_narrow(struct place *place, enum narrow kind, uint64_t value);

/* Notes a field to be put right; false where there are too many. */
bool place_add_fix(struct place *place, enum fix_kind kind, uint32_t at, uint32_t from);

/*
 * Puts the fields in front of the IP header right, the packet being `size` bytes now. Returns its
 * new size, which may be some bytes less, or 0 if a field can't say it.
 */
uint32_t place_apply(const struct place *place, uint8_t *packet, uint32_t size);

const char *tunnel_name(uint32_t kind);
