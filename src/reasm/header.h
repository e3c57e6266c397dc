/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The header of a datagram, from its first fragment to the whole: see header.c.
 */
#pragma once

#include "engine.h"

/* Bytes of header that a first fragment gives its datagram. */
static inline uint32_t header_length(const struct unfrag_facts *f)
{
	return f->family == UNFRAG_IPV4 ? f->payload_off : f->frag_hdr;
}

/* Keeps the header of a first fragment; a long one needs one free cell if it is copied. */
void header_keep(struct unfrag_reasm *r, struct datagram *d, const struct arrival *a);

/* Makes it the header of the whole. False: the whole is too long for one. */
bool header_finish(struct unfrag_reasm *r, struct datagram *d);

/* The finished header, copied to where the whole datagram will be, or in pieces. */
#define HEADER_PIECES 4u
void header_copy(const struct unfrag_reasm *r, const struct datagram *d, uint8_t *out);
uint32_t header_pieces(const struct unfrag_reasm *r, const struct datagram *d,
		       struct unfrag_reasm_piece *pieces);

/* Copies an atomic fragment as a whole packet, without its Fragment header. */
void header_strip(uint8_t *out, const struct unfrag_facts *f, const uint8_t *packet);

/* ECN codepoint of a packet, 0..3. */
static inline uint8_t header_ecn(const struct unfrag_facts *f, const uint8_t *packet)
{
	return f->family == UNFRAG_IPV4 ? packet[1] & 3 : packet[1] >> 4 & 3;
}
