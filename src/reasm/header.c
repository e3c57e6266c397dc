// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The header of a whole datagram: that of the first fragment, with what fragmentation changed put
 * right. For IPv4 the length, the flags and the checksum; for IPv6 the payload length, and the
 * Fragment header goes: the field that named it names what it named. ECN as RFC 3168 5.3 says.
 */
#include "header.h"

#define ECN_CE    (1u << 3) /* as a bit of datagram.ecn */
#define IPV4_DF   0x4000u
#define IPV6_NEXT 6u /* where Next Header stands */

#define FRAGMENT_HLEN 8u

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint8_t *copied_header(const struct unfrag_reasm *r, const struct datagram *d)
{
	return !r->borrow && d->header_cell ? cell_get(&r->cells, d->header_cell)->data :
					      (uint8_t *)d->header;
}

/*
 * Of a header too long for the record the rest is read where the first fragment has it, but for the
 * byte that names what follows. Only IPv6 has such, and then the Fragment header is in between.
 */
static bool is_split(const struct unfrag_reasm *r, const struct datagram *d)
{
	return r->borrow && d->header_len > HEADER_NEAR;
}

static const uint8_t *lent_header(const struct unfrag_reasm *r, const struct datagram *d)
{
	return slips_first(&r->cells, d) - FRAGMENT_HLEN - d->header_len;
}

/* Where the type of the Fragment header stands; unfrag_facts_read() has been along this way. */
static uint32_t fragment_named_at(const uint8_t *packet, uint32_t frag_hdr)
{
	uint32_t named = IPV6_NEXT, at = UNFRAG_IPV6_HLEN, len;
	uint8_t type = packet[IPV6_NEXT];

	while (at < frag_hdr) {
		len = packet[at + 1];
		if (type == UNFRAG_PROTO_FRAGMENT)
			len = 8;
		else if (type == UNFRAG_PROTO_AH)
			len = 8 + len * 4;
		else
			len = 8 + len * 8;
		named = at;
		type = packet[at];
		at += len;
	}
	return named;
}

void header_keep(struct unfrag_reasm *r, struct datagram *d, const struct arrival *a)
{
	const uint8_t *packet = a->packet->data;
	uint32_t len = header_length(&a->facts);
	uint32_t near = len < HEADER_NEAR ? len : HEADER_NEAR, named = 0;

	if (!r->borrow && len > near)
		d->header_cell = cell_take(&r->cells, d);
	if (len <= HEADER_NEAR && a->facts.len >= HEADER_NEAR)
		memcpy(d->header, packet, HEADER_NEAR); /* of a fixed length: faster */
	else
		memcpy(copied_header(r, d), packet, r->borrow ? near : len);
	d->header_len = (uint16_t)len;
	if (d->family == UNFRAG_IPV6)
		named = fragment_named_at(packet, len);
	if (r->borrow && named >= near) {
		d->named_at = (uint16_t)named;
		d->next_header = packet[len];
	} else if (named) {
		copied_header(r, d)[named] = packet[len];
	}
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* RFC 1071: sums of words of any length fold into the same. */
static uint32_t ipv4_checksum(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

/*
 * Don't-fragment stays if the largest fragment had it, as the kernel does. The words that change
 * are added up before they are written: to read what was just written in parts takes long.
 */
static void ipv4_finish(const struct datagram *d, uint8_t *header)
{
	uint32_t first = get32(header) & 0xffff0000, second = get32(header + 4) & 0xffff0000;
	uint32_t third = get32(header + 8) & 0xffff0000, at;
	uint64_t sum;

	first |= d->header_len + d->end;
	if (d->ecn & ECN_CE)
		first |= UINT32_C(3) << 16;
	if (d->sizes.largest_df == d->sizes.largest)
		second |= IPV4_DF;
	sum = (uint64_t)first + second + third;
	for (at = 12; at < d->header_len; at += 4)
		sum += get32(header + at);
	put32(header, first);
	put32(header + 4, second);
	put32(header + 8, third | ipv4_checksum(sum));
}

static void ipv6_finish(const struct datagram *d, uint8_t *header)
{
	put16(header + 4, d->header_len - UNFRAG_IPV6_HLEN + d->end);
	if (d->ecn & ECN_CE)
		header[1] |= 0x30;
}

bool header_finish(struct unfrag_reasm *r, struct datagram *d)
{
	uint8_t *header = copied_header(r, d);
	uint32_t counted = d->header_len;

	if (d->family == UNFRAG_IPV6)
		counted -= UNFRAG_IPV6_HLEN;
	if (counted + d->end > UNFRAG_DATAGRAM_MAX)
		return false;
	if (d->family == UNFRAG_IPV4)
		ipv4_finish(d, header);
	else
		ipv6_finish(d, header);
	return true;
}

void header_copy(const struct unfrag_reasm *r, const struct datagram *d, uint8_t *out)
{
	if (d->header_len <= HEADER_NEAR && d->header_len + d->end >= HEADER_NEAR) {
		memcpy(out, d->header, HEADER_NEAR); /* what is too much will be written over */
		return;
	}
	if (!is_split(r, d)) {
		memcpy(out, copied_header(r, d), d->header_len);
		return;
	}
	memcpy(out, d->header, HEADER_NEAR);
	memcpy(out + HEADER_NEAR, lent_header(r, d) + HEADER_NEAR, d->header_len - HEADER_NEAR);
	if (d->named_at)
		out[d->named_at] = d->next_header;
}

static uint32_t add_piece(struct unfrag_reasm_piece *pieces, uint32_t n, const uint8_t *data,
			  uint32_t len)
{
	pieces[n].data = data;
	pieces[n].len = len;
	return n + (len > 0);
}

uint32_t header_pieces(const struct unfrag_reasm *r, const struct datagram *d,
		       struct unfrag_reasm_piece *pieces)
{
	uint32_t named = d->named_at, n, behind = HEADER_NEAR;
	const uint8_t *lent;

	if (!is_split(r, d))
		return add_piece(pieces, 0, copied_header(r, d), d->header_len);
	lent = lent_header(r, d);
	n = add_piece(pieces, 0, d->header, HEADER_NEAR);
	if (named) {
		n = add_piece(pieces, n, lent + HEADER_NEAR, named - HEADER_NEAR);
		n = add_piece(pieces, n, &d->next_header, 1);
		behind = named + 1;
	}
	return add_piece(pieces, n, lent + behind, d->header_len - behind);
}

void header_strip(uint8_t *out, const struct unfrag_facts *f, const uint8_t *packet)
{
	memcpy(out, packet, f->frag_hdr);
	out[fragment_named_at(packet, f->frag_hdr)] = packet[f->frag_hdr];
	put16(out + 4, f->len - 8 - UNFRAG_IPV6_HLEN);
	memcpy(out + f->frag_hdr, packet + f->payload_off, f->len - f->payload_off);
}
