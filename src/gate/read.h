/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The fields that stand in a packet's headers, as nf_tables sees them on Linux: fields of the upper
 * layer are the bytes at their place behind the IP headers, whatever protocol is there.
 *
 * Who includes this says first, of a struct gate_packet, with offsets from the IP header on:
 *   gate_get8(), gate_get16(), gate_get32(packet, off)   of the IP header itself; host byte order
 *   gate_get_wide(packet, off, words)                    an address
 *   gate_four(packet, off, &bytes)                       of what follows it: up to four bytes, the
 *                                                        first one on top; how many there are
 *   GATE_WANTED(i)                                       the first field from i on that is wanted
 */
#pragma once

#include <unfrag/facts.h>

#include "bits.h"
#include "next.h"

#define GATE_TCP_FLAGS_AT 13u

/* What behind the IP header is looked at for. */
struct gate_l4 {
	__u32 off;
	__u8 proto;
	__u8 later; /* a later fragment: no header is here */
	__u8 lost;  /* IPv6 headers that can't be followed: not even the protocol is known */
	__u8 walking;
};

/* Sets a field that is the next one wanted and there; else not even its value is worked out. */
#define gate_put_if(v, next, name, is_there, x) \
	do { \
		if (gate_is_next(next, name, GATE_WANTED) && (is_there)) { \
			(v)->word[GATE_W_##name] = (x); \
			(v)->present |= GATE_BIT(name); \
		} \
	} while (0)

#define gate_put(v, next, name, x) gate_put_if(v, next, name, 1, x)

#define gate_put_wide(v, next, p, name, off) \
	do { \
		if (gate_is_next(next, name, GATE_WANTED)) { \
			gate_get_wide(p, off, &(v)->word[GATE_W_##name]); \
			(v)->present |= GATE_BIT(name); \
		} \
	} while (0)

/* Whether anything that depends on the upper layer is wanted. */
#define GATE_WANTS_L4 (GATE_WANTED(GATE_L4PROTO) <= GATE_TCP_FLAGS)

GATE_INLINE void gate_read_ipv4(struct gate_values *v, const struct gate_packet *p,
				struct gate_l4 *l4)
{
	__u32 next = GATE_WANTED(GATE_IP_SADDR);

	gate_put(v, next, IP_SADDR, gate_get32(p, 12));
	gate_put(v, next, IP_DADDR, gate_get32(p, 16));
	gate_put(v, next, IP_LENGTH, gate_get16(p, 2));
	gate_put(v, next, IP_PROTOCOL, gate_get8(p, 9));
	gate_put(v, next, IP_TTL, gate_get8(p, 8));
	gate_put(v, next, IP_DSCP, gate_get8(p, 1) >> 2);
	if (GATE_WANTS_L4) {
		l4->off = (gate_get8(p, 0) & 0xfu) * 4u;
		l4->proto = (__u8)gate_get8(p, 9);
		l4->later = !!(gate_get16(p, 6) & 0x1fffu);
	}
}

GATE_INLINE void gate_read_ipv6(struct gate_values *v, const struct gate_packet *p,
				struct gate_l4 *l4)
{
	__u32 next = GATE_WANTED(GATE_IP6_LENGTH);

	gate_put(v, next, IP6_LENGTH, gate_get16(p, 4));
	gate_put(v, next, IP6_NEXTHDR, gate_get8(p, 6));
	gate_put(v, next, IP6_HOPLIMIT, gate_get8(p, 7));
	gate_put(v, next, IP6_DSCP, gate_get16(p, 0) >> 6 & 0x3fu);
	gate_put_wide(v, next, p, IP6_SADDR, 8);
	gate_put_wide(v, next, p, IP6_DADDR, 24);
	if (GATE_WANTS_L4) {
		l4->off = UNFRAG_IPV6_HLEN;
		l4->proto = (__u8)gate_get8(p, 6);
		l4->walking = l4->proto != UNFRAG_PROTO_AH && unfrag_is_exthdr(l4->proto);
	}
}

/* A Fragment header. A later fragment tells its protocol only if no other header is in between. */
GATE_INLINE void gate_read_fragment(struct gate_l4 *l4, __u32 four)
{
	__u8 next = (__u8)(four >> 24);

	l4->off += 8;
	l4->proto = next;
	if (!(four & 0xfff8u)) {
		l4->walking = next != UNFRAG_PROTO_AH && unfrag_is_exthdr(next);
		return;
	}
	l4->later = 1;
	l4->lost = (__u8)unfrag_is_exthdr(next);
	l4->walking = 0;
}

/*
 * One IPv6 extension header, while `walking`; at most UNFRAG_EXTHDR_MAX times. As ipv6_find_hdr()
 * walks for nf_tables: an AH ends it.
 */
GATE_INLINE void gate_read_exthdr(const struct gate_packet *p, struct gate_l4 *l4)
{
	__u32 four, off = l4->off;
	__u8 next;

	if (gate_four(p, off, &four) < 4) {
		l4->lost = 1;
		l4->walking = 0;
		return;
	}
	if (l4->proto == UNFRAG_PROTO_FRAGMENT) {
		gate_read_fragment(l4, four);
		return;
	}
	next = (__u8)(four >> 24);
	l4->off = off + 8u + (four >> 16 & 0xffu) * 8u;
	l4->proto = next;
	l4->walking = next != UNFRAG_PROTO_AH && unfrag_is_exthdr(next);
}

GATE_INLINE void gate_read_l4(struct gate_values *v, const struct gate_packet *p,
			      const struct gate_l4 *l4)
{
	__u32 next = GATE_WANTED(GATE_L4PROTO), four, n;

	if (l4->lost)
		return;
	gate_put(v, next, L4PROTO, l4->proto);
	if (next > GATE_TCP_FLAGS || l4->later)
		return;
	n = gate_four(p, l4->off, &four);
	gate_put_if(v, next, SPORT, n >= 2, four >> 16);
	gate_put_if(v, next, DPORT, n >= 4, four & 0xffffu);
	gate_put_if(v, next, ICMP_TYPE, n >= 1, four >> 24);
	gate_put_if(v, next, ICMP_CODE, n >= 2, four >> 16 & 0xffu);
	gate_put_if(v, next, ICMPV6_TYPE, n >= 1, four >> 24);
	gate_put_if(v, next, ICMPV6_CODE, n >= 2, four >> 16 & 0xffu);
	gate_put_if(v, next, TCP_FLAGS, gate_four(p, l4->off + GATE_TCP_FLAGS_AT, &four),
		    four >> 24);
}

/* A name in two numbers, the first byte on top: what stands behind a zero becomes zero. */
GATE_INLINE void gate_cut_name(__u64 *first, __u64 *second)
{
	const __u64 low = 0x7f7f7f7f7f7f7f7full;
	__u64 x = *first, y = *second, end;

	end = ~(((x & low) + low) | x | low); /* top bits of bytes that are zero */
	end |= end >> 8;
	end |= end >> 16;
	end |= end >> 32;
	*first = x & ~((end >> 7) * 0xff);
	y &= (end >> 7 & 1) - 1;
	end = ~(((y & low) + low) | y | low);
	end |= end >> 8;
	end |= end >> 16;
	end |= end >> 32;
	*second = y & ~((end >> 7) * 0xff);
}

/* "ct state" from skb->_nfct: pointer to a connection, or none, and enum ip_conntrack_info. */
GATE_INLINE __u32 gate_ct_state(__u64 nfct)
{
	__u32 info = nfct & 7u;

	if (nfct & ~7ull)
		return 1u << (info % 3u + 1u);
	return info == 7 ? GATE_CT_UNTRACKED : GATE_CT_INVALID;
}
