/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The header walk: fragment facts of one packet, computed once.
 *
 * The same code runs in BPF programs and natively, so it reads no memory of its own: the caller
 * fetches header fields however its surroundings allow, in host byte order, and hands them in.
 * Both families end in the same struct, so what follows needs no second look at the headers.
 *
 * Left to others: fetching bytes (unfrag/unfrag.bpf.h in BPF, unfrag_facts_read() here for plain
 * memory), what to do with a fragment, and anything that needs more than one packet.
 */
#pragma once

#include <unfrag/facts.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Offset in bytes and more-fragments bit as the part of a datagram that they name. */
UNFRAG_INLINE __u8 unfrag_frag_of(__u32 frag_off, int more, __u8 alone)
{
	if (!frag_off)
		return more ? UNFRAG_FRAG_FIRST : alone;
	return more ? UNFRAG_FRAG_MIDDLE : UNFRAG_FRAG_LAST;
}

/* `before`: bytes of the reassembled datagram ahead of the fragmentable part that count. */
UNFRAG_INLINE __u8 unfrag_defect_of(const struct unfrag_facts *f, __u32 before)
{
	__u32 bytes = f->len - f->payload_off;

	if (!bytes)
		return UNFRAG_DEFECT_EMPTY;
	if (before + f->frag_off + bytes > UNFRAG_DATAGRAM_MAX)
		return UNFRAG_DEFECT_OVERSIZE;
	if (f->more && bytes % 8)
		return UNFRAG_DEFECT_LENGTH;
	return UNFRAG_DEFECT_NONE;
}

/* The header walk has come to its end: is the upper-layer header there, whole? */
UNFRAG_INLINE void unfrag_facts_finish(struct unfrag_facts *f)
{
	f->walking = 0;
	if (f->frag_off || f->proto == UNFRAG_PROTO_NONE || f->proto == UNFRAG_PROTO_FRAGMENT)
		return;
	if (f->l4_off < f->len && f->len - f->l4_off >= unfrag_l4_hlen(f->proto))
		f->has_l4 = 1;
	else if (f->frag == UNFRAG_FRAG_FIRST && !f->defect)
		f->defect = UNFRAG_DEFECT_CHAIN;
}

/**
 * Facts of an IPv4 packet.
 *
 *      frag_off:  0  D  M  o o o o o o o o o o o o o     (RFC 791 3.1)
 *                    |  |  '- offset in units of 8 bytes
 *                    |  '- more fragments
 *                    '- don't fragment
 *
 * @param version_ihl first byte of the header
 * @param len         bytes from the start of the header to the end of the datagram, at least 20
 * @param id          Identification
 * @param frag_off    flags and Fragment Offset
 * @param proto       Protocol
 * @return 0, or -1 when the header lies about itself: then nothing of @p f may be used
 */
UNFRAG_INLINE int unfrag_ipv4_facts(struct unfrag_facts *f, __u8 version_ihl, __u32 len, __u16 id,
				    __u16 frag_off, __u8 proto)
{
	__u32 hlen = (version_ihl & 0xfu) * 4u;

	__builtin_memset(f, 0, sizeof(*f));
	if (version_ihl >> 4 != 4 || hlen < UNFRAG_IPV4_HLEN || hlen > len)
		return -1;
	f->family = UNFRAG_IPV4;
	f->len = len;
	f->id = id;
	f->proto = proto;
	f->payload_off = hlen;
	f->l4_off = hlen;
	f->frag_off = (__u16)((frag_off & 0x1fffu) * 8u);
	f->df = !!(frag_off & 0x4000u);
	f->more = !!(frag_off & 0x2000u);
	f->frag = unfrag_frag_of(f->frag_off, f->more, UNFRAG_FRAG_NONE);
	if (unfrag_facts_is_fragment(f))
		f->defect = unfrag_defect_of(f, hlen);
	unfrag_facts_finish(f);
	return 0;
}

/**
 * Starts the facts of an IPv6 packet. While `f->walking`, fetch 8 bytes at `f->l4_off` and call
 * unfrag_ipv6_step(), at most UNFRAG_EXTHDR_MAX times; bytes that are not there are told to
 * unfrag_ipv6_cut().
 *
 * @param version first byte of the header
 * @param len     bytes from the start of the header to the end of the packet, at least 40
 * @param nexthdr Next Header
 * @return 0, or -1 when this is no IPv6 header
 */
UNFRAG_INLINE int unfrag_ipv6_facts(struct unfrag_facts *f, __u8 version, __u32 len, __u8 nexthdr)
{
	__builtin_memset(f, 0, sizeof(*f));
	if (version >> 4 != 6 || len < UNFRAG_IPV6_HLEN)
		return -1;
	f->family = UNFRAG_IPV6;
	f->len = len;
	f->proto = nexthdr;
	f->payload_off = UNFRAG_IPV6_HLEN;
	f->l4_off = UNFRAG_IPV6_HLEN;
	f->walking = (__u8)unfrag_is_exthdr(nexthdr);
	if (!f->walking)
		unfrag_facts_finish(f);
	return 0;
}

/*
 *      | Next Header | Reserved | o o o o o o o o o o o o o 0 0 M | Identification |  RFC 8200 4.5
 *                                 '- offset in units of 8 bytes = the field with its low bits off
 */
UNFRAG_INLINE void unfrag_ipv6_fragment(struct unfrag_facts *f, __u16 off_more, __u32 id)
{
	f->frag_hdr = (__u16)f->l4_off;
	f->id = id;
	f->frag_off = (__u16)(off_more & 0xfff8u);
	f->more = off_more & 1u;
	f->frag = unfrag_frag_of(f->frag_off, f->more, UNFRAG_FRAG_ATOMIC);
	f->payload_off = f->l4_off + 8;
	if (unfrag_facts_is_fragment(f))
		f->defect = unfrag_defect_of(f, f->frag_hdr - UNFRAG_IPV6_HLEN);
}

/**
 * The bytes of the next extension header are not in this packet, or the chain is too long.
 *
 * @return 0 when that is one more thing to know about a first fragment, -1 when the packet can't
 *         be read at all
 */
UNFRAG_INLINE int unfrag_ipv6_cut(struct unfrag_facts *f)
{
	f->walking = 0;
	if (f->frag != UNFRAG_FRAG_FIRST)
		return -1;
	if (!f->defect)
		f->defect = UNFRAG_DEFECT_CHAIN;
	return 0;
}

/**
 * One extension header.
 *
 * A Fragment header with offset above 0 ends the walk: what follows is data from the middle. Of
 * two Fragment headers the first that really is a fragment counts; an atomic one is passed over.
 *
 * @param hdr      first byte of the header: type of the one behind it
 * @param hdr_len  second byte: length, in units of 8 bytes after the first 8 (AH: of 4, minus 2)
 * @param off_more bytes 2 and 3, used if this is a Fragment header
 * @param id       bytes 4 to 7, likewise
 * @return 0, or -1 when the header runs past the packet: then nothing of @p f may be used
 */
UNFRAG_INLINE int unfrag_ipv6_step(struct unfrag_facts *f, __u8 hdr, __u8 hdr_len, __u16 off_more,
				   __u32 id)
{
	__u32 bytes = 8u + hdr_len * 8u;

	if (f->proto == UNFRAG_PROTO_FRAGMENT) {
		bytes = 8;
		if (unfrag_facts_is_fragment(f)) {
			unfrag_facts_finish(f);
			return 0;
		}
		unfrag_ipv6_fragment(f, off_more, id);
	} else if (f->proto == UNFRAG_PROTO_AH) {
		bytes = 8u + hdr_len * 4u;
	}
	if (bytes > f->len - f->l4_off)
		return unfrag_ipv6_cut(f);
	f->l4_off += bytes;
	f->proto = hdr;
	f->walking = !f->frag_off && unfrag_is_exthdr(hdr);
	if (!f->walking)
		unfrag_facts_finish(f);
	return 0;
}

#ifndef __bpf__

/**
 * Facts of a packet that stands whole in memory.
 *
 * @param f    set on success
 * @param data the packet from its IP header on; either family, told by the version
 * @param size bytes there; bytes behind the datagram (Ethernet padding) are not counted to it
 * @return 0, or -1 when it is no IP packet, is cut short, or its headers can't be followed
 * Since: 0.1
 */
UNFRAG_INLINE int unfrag_facts_read(struct unfrag_facts *f, const void *data, __u32 size)
{
	const __u8 *p = (const __u8 *)data;
	const __u8 *h;
	__u32 len;
	int i;

	if (size < UNFRAG_IPV4_HLEN)
		return -1;
	if (p[0] >> 4 == 4) {
		len = (__u32)(p[2] << 8 | p[3]);
		if (len > size || len < UNFRAG_IPV4_HLEN)
			return -1;
		return unfrag_ipv4_facts(f, p[0], len, (__u16)(p[4] << 8 | p[5]),
					 (__u16)(p[6] << 8 | p[7]), p[9]);
	}
	if (size < UNFRAG_IPV6_HLEN)
		return -1;
	len = UNFRAG_IPV6_HLEN + (__u32)(p[4] << 8 | p[5]);
	if (len > size || unfrag_ipv6_facts(f, p[0], len, p[6]))
		return -1;
	for (i = 0; f->walking; i++) {
		if (i == UNFRAG_EXTHDR_MAX || f->len - f->l4_off < 8)
			return unfrag_ipv6_cut(f);
		h = p + f->l4_off;
		if (unfrag_ipv6_step(f, h[0], h[1], (__u16)(h[2] << 8 | h[3]),
				     (__u32)h[4] << 24 | (__u32)h[5] << 16 | (__u32)h[6] << 8 |
					     h[7]))
			return -1;
	}
	return 0;
}

#endif /* !__bpf__ */

#ifdef __cplusplus
}
#endif
