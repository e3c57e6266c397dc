/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One fragment as the guard judges it, whatever place it was seen at; and what it alone shows
 * wrong. See CASES: RFC 791, 1858, 3128, 6980, 7112, 8200.
 */
#pragma once

#include <unfrag/facts.h>
#include <unfrag/reason.h>

#include "../packet/rules.h"
#include "bits.h"
#include "layout.h"
#include "lot.h"

struct guard_fragment {
	struct guard_key key;
	__u64 source[2]; /* address, the bits that make a source */
	__u64 hash;      /* of the key, and of the source: see guard_hash() */
	__u64 source_hash;
	__s64 lot;    /* bytes, see guard_lot() */
	__u64 now;    /* ns */
	__u32 charge; /* bytes of memory that the kernel will charge for it */
	__u32 off;    /* bytes, its place in the datagram */
	__u32 len;    /* bytes of the datagram in it, at least 1 */
	__u8 family;  /* 0 or 1 */
	__u8 more;
	__u8 ecn;    /* codepoint, 0..3 */
	__u8 unsure; /* the kernel may drop it before it reaches the defragmenter */

	/* What one step finds out for the next. */
	__u32 account; /* of its source: set << 8 | way */
	__u32 opening; /* bytes charged if it begins a datagram */
	__u32 others;  /* ways of its set with other datagrams of the same tag */
	__u8 good;     /* sheltered by its source's standing, or would be */
	__u8 again;    /* another CPU was faster */
	__u8 pad[2];
};

GUARD_INLINE int guard_is_off(const struct guard_config *c, __u32 reason)
{
	return (int)(c->off >> (reason & 31u) & 1u);
}

/* icmp_type: of an IPv6 packet's upper-layer header, if that is ICMPv6's. */
GUARD_INLINE int fragment_is_discovery(const struct unfrag_facts *f, __u8 icmp_type)
{
	return f->has_l4 && f->proto == UNFRAG_PROTO_ICMPV6 && f->family == UNFRAG_IPV6 &&
	       rules_is_discovery(icmp_type);
}

/* What is wrong with a fragment whatever its datagram is. first: of its upper-layer header. */
GUARD_INLINE __u32 fragment_flaw(const struct unfrag_facts *f, __u8 first)
{
	__u32 flaw = rules_flaw(f);

	if (flaw)
		return flaw;
	if (fragment_is_discovery(f, first))
		return UNFRAG_REASON_DISCOVERY;
	return UNFRAG_REASON_NONE;
}

/*
 * Whether the kernel keeps a fragment with that flaw, so that it must be tracked even where the
 * rule against it is switched off. The others it refuses itself and holds nothing for.
 */
GUARD_INLINE int fragment_is_kept(__u32 flaw, __u8 family)
{
	switch (flaw) {
	case UNFRAG_REASON_EMPTY:
	case UNFRAG_REASON_OVERSIZE:
		return 0;
	case UNFRAG_REASON_LENGTH: /* IPv4: cut down to a multiple of 8 */
	case UNFRAG_REASON_CHAIN:  /* IPv6: passed on as it is */
		return family == UNFRAG_IPV4;
	default:
		return 1;
	}
}

GUARD_INLINE __u32 header_u32(const __u8 *hdr, __u32 at)
{
	__u32 v;

	__builtin_memcpy(&v, hdr + at, sizeof(v));
	return v;
}

GUARD_INLINE __u64 header_u64(const __u8 *hdr, __u32 at)
{
	__u64 v;

	__builtin_memcpy(&v, hdr + at, sizeof(v));
	return v;
}

/*
 * Where the kernel tells IPv6 datagrams apart by the interface they came in: link-local and
 * multicast destinations.
 */
GUARD_INLINE __u64 header_scope(const __u8 *hdr, __u32 ifindex)
{
	if (hdr[24] == 0xff || (hdr[24] == 0xfe && (hdr[25] & 0xc0) == 0x80))
		return ifindex;
	return 0;
}

/*
 * From facts and the first bytes of the IP header, 20 or 40. Left to the caller: now, charge and
 * unsure.
 */
GUARD_INLINE void fragment_fill(struct guard_fragment *f, const struct guard_config *c,
				const struct unfrag_facts *facts, const __u8 *hdr, __u32 ifindex)
{
	__u64 tail;

	if (facts->family == UNFRAG_IPV4) {
		tail = guard_tail(UNFRAG_IPV4, facts->id, facts->proto);
		f->family = 0;
		f->key.word[0] = (__u64)header_u32(hdr, 12) << 32 | header_u32(hdr, 16);
		f->key.word[2] = tail;
		f->source[0] = header_u32(hdr, 12) & c->prefix[0][0];
		f->ecn = hdr[1] & 3u;
	} else {
		tail = guard_tail(UNFRAG_IPV6, facts->id, 0);
		f->family = 1;
		f->key.word[0] = header_u64(hdr, 8);
		f->key.word[1] = header_u64(hdr, 16);
		f->key.word[2] = header_u64(hdr, 24);
		f->key.word[3] = header_u64(hdr, 32);
		f->key.word[4] = header_scope(hdr, ifindex);
		f->key.word[5] = tail;
		f->source[0] = header_u64(hdr, 8) & c->prefix[1][0];
		f->source[1] = header_u64(hdr, 16) & c->prefix[1][1];
		f->ecn = hdr[1] >> 4 & 3u;
	}
	f->off = facts->frag_off;
	f->len = facts->len - facts->payload_off;
	f->more = facts->more;
	if (f->more)
		f->len &= ~7u; /* as the kernel cuts it, where the rule against it is off */
}
