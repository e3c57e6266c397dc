/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A glance at a fragment before anything else is done with it: in a flood nearly all end here, at
 * a fraction of the price. It only ever says what the whole decision would say as well, and counts
 * what that would count: that memory has run out for strangers.
 *
 * That is certain without a look at the table of datagrams. A source with a datagram in it stays
 * in its set, or in the account that a set has in common; so who is in neither has none. Where what
 * makes a source has changed, that is so again once all datagrams of before are over. For all
 * but the plain case, and whenever there is something else to do (datagrams to be ended in this
 * moment, a refusal to be told), the glance says nothing and the whole decision follows.
 *
 * Who includes this says first, beside what guard.h asks for:
 *   guard_moment(s)        changes at least when the clock does; not 0
 *   guard_is_silent(s, c)  whether a refusal would not be told
 *   glance_u32(p, at)      four bytes of a header, as they stand there
 *   glance_u16(p, at)      two, as the number that they are
 *   guard_tick(n, by)      adds to a counter of this CPU
 */
#pragma once

#include "guard.h"

#define GLANCE_IPV6_HLEN 48u /* with the Fragment header behind it */
#define GLANCE_TCP_HLEN  20u /* as long as any upper-layer header that is asked for */
#define GLANCE_UDP_HLEN  8u

struct guard_glance {
	__u64 source[2];
	__u64 rest;  /* see guard_lot() */
	__u8 family; /* 0 or 1 */
	__u8 df;
};

/* Whether a fragment alone shows nothing wrong. before: bytes that count to its datagram's. */
GUARD_INLINE int glance_is_sound(__u32 before, __u32 off, __u32 len, __u32 more, __u32 proto)
{
	if (before + off + len > UNFRAG_DATAGRAM_MAX || (more && len % GUARD_UNIT))
		return 0;
	if (off)
		return proto != UNFRAG_PROTO_TCP || off != GUARD_UNIT;
	return len >= GLANCE_TCP_HLEN || (proto == UNFRAG_PROTO_UDP && len >= GLANCE_UDP_HLEN);
}

/* The one's complement sum over the header is 0xffff, in whatever order its bytes are read. */
GUARD_INLINE int glance_sum_is_right(const __u8 *hdr)
{
	__u64 sum = (__u64)glance_u32(hdr, 0) + glance_u32(hdr, 4) + glance_u32(hdr, 8) +
		    glance_u32(hdr, 12) + glance_u32(hdr, 16);

	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* A plain fragment: 20 bytes of header are there, and `size` bytes of packet from them on. */
GUARD_INLINE int glance_ipv4(struct guard_glance *g, const struct guard_config *c, const __u8 *hdr,
			     __u32 size)
{
	__u32 len = glance_u16(hdr, 2), frag = glance_u16(hdr, 6), proto = hdr[9];
	__u32 id = glance_u16(hdr, 4), source = glance_u32(hdr, 12), destination;

	if (hdr[0] != 0x45 || len > size || len <= UNFRAG_IPV4_HLEN || !(frag & 0x3fff))
		return 0;
	if (!glance_is_sound(UNFRAG_IPV4_HLEN, (frag & 0x1fff) * GUARD_UNIT, len - UNFRAG_IPV4_HLEN,
			     frag & 0x2000, proto) ||
	    !glance_sum_is_right(hdr))
		return 0;
	destination = glance_u32(hdr, 16);
	g->family = 0;
	g->df = !!(frag & 0x4000);
	g->source[0] = source & c->prefix[0][0];
	g->rest = guard_rest_ipv4((__u64)source << 32 | destination,
				  guard_tail(UNFRAG_IPV4, id, proto));
	return 1;
}

GUARD_INLINE __u64 glance_u64(const __u8 *hdr, __u32 at)
{
	__u64 first = glance_u32(hdr, at), second = glance_u32(hdr, at + 4);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return second << 32 | first;
#else
	return first << 32 | second;
#endif
}

/* The same behind an IPv6 header: 48 bytes are there, the Fragment header included. */
GUARD_INLINE int glance_ipv6(struct guard_glance *g, const struct guard_config *c, const __u8 *hdr,
			     __u32 size)
{
	__u32 len = glance_u16(hdr, 4), frag = glance_u16(hdr, 42), proto = hdr[40];
	__u64 low = glance_u64(hdr, 16);

	if (hdr[0] >> 4 != 6 || hdr[6] != UNFRAG_PROTO_FRAGMENT || len <= 8 ||
	    len + UNFRAG_IPV6_HLEN > size || !(frag & 0xfff9))
		return 0;
	if (frag < GUARD_UNIT && (unfrag_is_exthdr((__u8)proto) || proto == UNFRAG_PROTO_ICMPV6))
		return 0;
	if (!glance_is_sound(0, frag & 0xfff8, len - 8, frag & 1, proto))
		return 0;
	g->family = 1;
	g->df = 0;
	g->source[0] = glance_u64(hdr, 8) & c->prefix[1][0];
	g->source[1] = low & c->prefix[1][1];
	g->rest = guard_rest_ipv6(low, glance_u64(hdr, 24), glance_u64(hdr, 32),
				  guard_tail(UNFRAG_IPV6,
					     glance_u16(hdr, 44) << 16 | glance_u16(hdr, 46), 0));
	return 1;
}

/* Whether memory is short for strangers, and all there is to do in this moment has been done. */
GUARD_INLINE int glance_is_due(const struct guard_config *c, struct guard_state *s, __u8 family,
			       __s64 wanted)
{
	return c->glance && wanted > guard_lot_least(c, family) && s->moment == guard_moment(s) &&
	       s->moment_second >= c->glance && guard_is_silent(s, c) &&
	       !guard_is_off(c, UNFRAG_REASON_MEMORY);
}

/* Whether a source is in no set, and has nothing in the account that its set has in common. */
GUARD_INLINE int glance_is_unknown(const struct guard_config *c, __u64 source_hash)
{
	const struct guard_sources *set = guard_sources_at((__u32)source_hash & c->source_mask);

	return set && !set->crowd && !tags_have(set->tags, guard_tag(source_hash));
}

/*
 * 1: refused, and counted. 0: nothing is known yet. hdr: 20 bytes of an IPv4 header or 48 of an
 * IPv6 packet, whose `size` bytes from there on came.
 */
GUARD_INLINE int guard_glance(const __u8 *hdr, __u32 size, int ipv6)
{
	const struct guard_config *c = guard_config_get();
	struct guard_state *s = guard_state_get();
	struct guard_glance g = { 0 };
	struct guard_counters *n;
	__u64 hash;
	__s64 wanted;

	if (!c || !s)
		return 0;
	wanted = s->used[ipv6 & 1] + guard_opening(c, (__u8)ipv6, c->least_charge);
	if (!glance_is_due(c, s, (__u8)ipv6, wanted))
		return 0;
	if (!(ipv6 ? glance_ipv6(&g, c, hdr, size) : glance_ipv4(&g, c, hdr, size)))
		return 0;
	hash = guard_hash_source(c, g.source, (__u8)ipv6);
	if (wanted <= guard_lot(c, (__u8)ipv6, hash, g.rest) || !glance_is_unknown(c, hash))
		return 0;
	n = guard_counters_get((__u32)ipv6);
	if (!n)
		return 0;
	guard_tick(n->fragments, 1);
	if (g.df)
		guard_tick(n->dont_fragment, 1);
	guard_tick(n->reasons[UNFRAG_REASON_MEMORY], 1);
	return 1;
}
