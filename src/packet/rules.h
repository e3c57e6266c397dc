/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Rules that one fragment alone breaks, whatever its datagram is: the same for the engine and the
 * guard, in BPF and natively.
 */
#pragma once

#include <unfrag/facts.h>
#include <unfrag/reason.h>

#define RULES_TCP_FLAGS 16u /* bytes of a TCP header that have its ports and flags */

/* RFC 1858 3 and RFC 3128: a first fragment that has no flags, and one that would rewrite them. */
UNFRAG_INLINE int rules_is_tiny(const struct unfrag_facts *f)
{
	if (f->proto != UNFRAG_PROTO_TCP)
		return 0;
	return f->frag_off ? f->frag_off == 8 : f->len - f->l4_off < RULES_TCP_FLAGS;
}

/* What its headers show wrong: sizes before ports that are hidden, and those before a cut chain. */
UNFRAG_INLINE __u32 rules_flaw(const struct unfrag_facts *f)
{
	switch (f->defect) {
	case UNFRAG_DEFECT_LENGTH:
		return UNFRAG_REASON_LENGTH;
	case UNFRAG_DEFECT_EMPTY:
		return UNFRAG_REASON_EMPTY;
	case UNFRAG_DEFECT_OVERSIZE:
		return UNFRAG_REASON_OVERSIZE;
	default:
		break;
	}
	if (rules_is_tiny(f))
		return UNFRAG_REASON_TINY;
	return f->defect == UNFRAG_DEFECT_CHAIN ? UNFRAG_REASON_CHAIN : UNFRAG_REASON_NONE;
}

/* Types of ICMPv6 that may not come in fragments: Neighbor Discovery, and SEND (RFC 6980 2). */
UNFRAG_INLINE int rules_is_discovery(__u8 icmp_type)
{
	return (icmp_type >= 133 && icmp_type <= 137) || icmp_type == 148 || icmp_type == 149;
}
