/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets inside of tunnels, made for tests: every kind that src/capture looks into, and what the
 * fields in front of the inner packet must be, worked out apart from it. The calls assert.
 */
#pragma once

#include <frag.h>
#include <stddef.h>
#include <stdint.h>

#define TUNNELS_ETHER     "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00"
#define TUNNELS_ETHER_6   "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x86\xdd"
#define TUNNELS_ETHER_LEN 14

struct tunnels_kind {
	const char *name;
	uint8_t protocol; /* that the outer header names; 0: as the inner family has it */
	uint16_t port;    /* UDP's destination, or 0 */
	const char *header;
	size_t len;
	size_t type_at;              /* where the inner family is named, 0: nowhere */
	bool ppp;                    /* by a number of PPP's, not an Ethertype */
	size_t count_at, count_from; /* a length: where it is, and from where on; 0: none */
	size_t sum_at;               /* a checksum over all, 0: none */
};

extern const struct tunnels_kind tunnels_kinds[];
extern const size_t tunnels_n_kinds;

/* A datagram to be carried, with this many bytes behind its UDP header; to be released. */
void tunnels_inner(struct lab_datagram *dg, int family, size_t payload);

/* Packets of one: three fragments, and whole. */
void tunnels_cut(struct lab_packets *packets, int family);

/* By name; there is one. */
const struct tunnels_kind *tunnels_find(const char *name);

/* An outer datagram of a family that carries this IP packet; to be released. */
void tunnels_wrap(struct lab_datagram *outer, const struct tunnels_kind *kind, int family,
		  const void *packet, size_t len);
