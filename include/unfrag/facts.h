/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Fragment facts: what an IPv4 or IPv6 header says about fragmentation, as one struct for both
 * families, and the enums it speaks in. How they are learnt stands in unfrag/packet.h.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __bpf__
#define UNFRAG_INLINE static inline __attribute__((always_inline, unused))
#else
#define UNFRAG_INLINE static inline __attribute__((unused))
#endif

/** Families, numbered as NFPROTO_* and AF_* are. */
enum unfrag_family {
	UNFRAG_IPV4 = 2,
	UNFRAG_IPV6 = 10,
};

/** Which part of a datagram a packet is. */
enum unfrag_frag {
	UNFRAG_FRAG_NONE,   /**< the whole datagram, no sign of fragmentation */
	UNFRAG_FRAG_ATOMIC, /**< the whole datagram behind an IPv6 Fragment header (RFC 6946) */
	UNFRAG_FRAG_FIRST,  /**< offset 0, more to come */
	UNFRAG_FRAG_MIDDLE, /**< offset above 0, more to come */
	UNFRAG_FRAG_LAST,   /**< offset above 0, none to come */
	UNFRAG_FRAG_MAX,
};

/** What one fragment alone shows wrong. A packet that is no fragment has none of these. */
enum unfrag_defect {
	UNFRAG_DEFECT_NONE,
	UNFRAG_DEFECT_LENGTH,   /**< more to come, but no multiple of 8 bytes (RFC 8200 4.5) */
	UNFRAG_DEFECT_EMPTY,    /**< no bytes of the datagram in it */
	UNFRAG_DEFECT_OVERSIZE, /**< ends beyond what a datagram may hold: 65,535 bytes */
	UNFRAG_DEFECT_CHAIN,    /**< a first fragment without its upper-layer header (RFC 7112) */
	UNFRAG_DEFECT_MAX,
};

/** Upper-layer protocols and IPv6 header types that matter here. */
enum unfrag_proto {
	UNFRAG_PROTO_HOPOPTS = 0,
	UNFRAG_PROTO_ICMP = 1,
	UNFRAG_PROTO_TCP = 6,
	UNFRAG_PROTO_UDP = 17,
	UNFRAG_PROTO_DCCP = 33,
	UNFRAG_PROTO_ROUTING = 43,
	UNFRAG_PROTO_FRAGMENT = 44,
	UNFRAG_PROTO_AH = 51,
	UNFRAG_PROTO_ICMPV6 = 58,
	UNFRAG_PROTO_NONE = 59,
	UNFRAG_PROTO_DSTOPTS = 60,
	UNFRAG_PROTO_SCTP = 132,
	UNFRAG_PROTO_MOBILITY = 135,
	UNFRAG_PROTO_UDPLITE = 136,
};

#define UNFRAG_IPV4_HLEN    20u
#define UNFRAG_IPV6_HLEN    40u
#define UNFRAG_DATAGRAM_MAX 65535u

/** Most IPv6 extension headers that are followed; a longer chain is unreadable. */
#define UNFRAG_EXTHDR_MAX 16

/**
 * The facts of one packet. Lengths and offsets are bytes, offsets from the start of the IP header.
 *
 *       0                    payload_off   l4_off                    len
 *       | IP header, IPv6 ext. | ext. hdrs | upper-layer header, data |
 *                              '- offset frag_off of the datagram's fragmentable part
 */
struct unfrag_facts {
	__u32 len; /**< the packet, IP header included */
	__u32 id;  /**< identification; 16 bits in IPv4; 0 in IPv6 without Fragment header */
	__u32 payload_off; /**< where the fragmentable part starts; IPv4: the header's length */
	__u32 l4_off;      /**< where the upper-layer header stands, if has_l4 */
	__u16 frag_off;    /**< this packet's place in the datagram, 0..65528 */
	__u16 frag_hdr;    /**< where the IPv6 Fragment header stands, 0: none */
	__u8 family;       /**< enum unfrag_family */
	__u8 proto;        /**< upper-layer protocol; of a later IPv6 fragment: its Next Header */
	__u8 frag;         /**< enum unfrag_frag */
	__u8 defect;       /**< enum unfrag_defect */
	__u8 has_l4;       /**< 1: the upper-layer header starts in this packet, whole */
	__u8 df;           /**< 1: IPv4 don't-fragment */
	__u8 walking;      /**< 1: an extension header stands at l4_off, see unfrag_ipv6_step() */
	__u8 more;         /**< 1: more-fragments */
};

/** Whether the packet is a part of a datagram only. An atomic fragment is a whole datagram. */
UNFRAG_INLINE int unfrag_facts_is_fragment(const struct unfrag_facts *f)
{
	return f->frag >= UNFRAG_FRAG_FIRST;
}

/** Least length of the header of an upper-layer protocol, in bytes; 0 where none is known. */
UNFRAG_INLINE __u32 unfrag_l4_hlen(__u8 proto)
{
	switch (proto) {
	case UNFRAG_PROTO_TCP:
		return 20;
	case UNFRAG_PROTO_SCTP:
	case UNFRAG_PROTO_DCCP:
		return 12;
	case UNFRAG_PROTO_UDP:
	case UNFRAG_PROTO_UDPLITE:
	case UNFRAG_PROTO_ICMP:
	case UNFRAG_PROTO_ICMPV6:
		return 8;
	default:
		return 0;
	}
}

/**
 * Whether a header type is an IPv6 extension header with another header behind it. Mobility, HIP
 * and Shim6 (135, 139, 140) end the chain and count as upper-layer protocols, as in Linux.
 */
UNFRAG_INLINE int unfrag_is_exthdr(__u8 proto)
{
	switch (proto) {
	case UNFRAG_PROTO_HOPOPTS:
	case UNFRAG_PROTO_ROUTING:
	case UNFRAG_PROTO_FRAGMENT:
	case UNFRAG_PROTO_AH:
	case UNFRAG_PROTO_DSTOPTS:
		return 1;
	default:
		return 0;
	}
}

#ifdef __cplusplus
}
#endif
