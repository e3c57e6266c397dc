/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The fields of a packet that rules look at.
 *
 * A field's value is an unsigned number of `bits` bits, most significant byte first where the
 * packet has bytes: addresses, names of devices (16 bytes, padded with zeros) and whatever else the
 * header has in network order; numbers of the kernel (mark, ifindex) as they are. Kept in words of
 * 32 bits, the most significant first. A field that a packet does not have is absent, and then no
 * condition on it holds, be it == or !=.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/*
 * X(NAME, bits, how nftables writes it). What is read together stands together, in the order in
 * which it is read (next.h); fields of 128 bits stand in one row, as words of theirs do (check.h).
 */
#define GATE_FIELDS(X) \
	X(IP_SADDR, 32, "ip saddr") \
	X(IP_DADDR, 32, "ip daddr") \
	X(IP_LENGTH, 16, "ip length") \
	X(IP_PROTOCOL, 8, "ip protocol") \
	X(IP_TTL, 8, "ip ttl") \
	X(IP_DSCP, 8, "ip dscp") \
	X(IP6_LENGTH, 16, "ip6 length") \
	X(IP6_NEXTHDR, 8, "ip6 nexthdr") \
	X(IP6_HOPLIMIT, 8, "ip6 hoplimit") \
	X(IP6_DSCP, 8, "ip6 dscp") \
	X(IP6_SADDR, 128, "ip6 saddr") \
	X(IP6_DADDR, 128, "ip6 daddr") \
	X(IIFNAME, 128, "meta iifname") \
	X(OIFNAME, 128, "meta oifname") \
	X(IIF, 32, "meta iif") \
	X(OIF, 32, "meta oif") \
	X(LENGTH, 32, "meta length") \
	X(MARK, 32, "meta mark") \
	X(NFPROTO, 8, "meta nfproto") \
	X(CT_STATE, 8, "ct state") \
	X(L4PROTO, 8, "meta l4proto") \
	X(SPORT, 16, "th sport") \
	X(DPORT, 16, "th dport") \
	X(ICMP_TYPE, 8, "icmp type") \
	X(ICMP_CODE, 8, "icmp code") \
	X(ICMPV6_TYPE, 8, "icmpv6 type") \
	X(ICMPV6_CODE, 8, "icmpv6 code") \
	X(TCP_FLAGS, 8, "tcp flags") \
	X(REASSEMBLED, 8, "unfrag reassembled") \
	X(LARGEST, 16, "unfrag largest") \
	X(SMALLEST, 16, "unfrag smallest")

enum gate_field {
#define GATE_FIELD(name, bits, text) GATE_##name,
	GATE_FIELDS(GATE_FIELD)
#undef GATE_FIELD
		GATE_FIELD_MAX,
};

/* A set of fields is a word with a bit for each. */
#define GATE_BIT(name) (1u << GATE_##name)

/* Those that only packets of one family have. */
#define GATE_ONLY_IPV4 \
	(GATE_BIT(IP_SADDR) | GATE_BIT(IP_DADDR) | GATE_BIT(IP_LENGTH) | GATE_BIT(IP_PROTOCOL) | \
	 GATE_BIT(IP_TTL) | GATE_BIT(IP_DSCP))
#define GATE_ONLY_IPV6 \
	(GATE_BIT(IP6_LENGTH) | GATE_BIT(IP6_NEXTHDR) | GATE_BIT(IP6_HOPLIMIT) | \
	 GATE_BIT(IP6_DSCP) | GATE_BIT(IP6_SADDR) | GATE_BIT(IP6_DADDR))

_Static_assert(GATE_FIELD_MAX <= 32, "a field is a bit of a word");

/* Words that a field takes; where they are follows from the list. */
#define GATE_WORDS_OF(bits) (((bits) + 31u) / 32u)

enum gate_word {
#define GATE_WORD(name, bits, text) \
	GATE_W_##name, GATE_W_##name##_END = GATE_W_##name + GATE_WORDS_OF(bits) - 1,
	GATE_FIELDS(GATE_WORD)
#undef GATE_WORD
		GATE_WORDS,
};

/* Bits of "ct state", as in <linux/netfilter/nf_conntrack_common.h>. */
#define GATE_CT_INVALID     1
#define GATE_CT_ESTABLISHED 2
#define GATE_CT_RELATED     4
#define GATE_CT_NEW         8
#define GATE_CT_UNTRACKED   64

/* What a packet shows: bit i of `present` says whether field i is there. */
struct gate_values {
	__u32 present;
	__u32 word[GATE_WORDS];
};
