/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The lot of a datagram: how far memory may be used by strangers for this one to be begun, between
 * two and four eighths. All its fragments have the same.
 *
 * It is drawn from the keyed hash of the source, so nobody can foresee the lots of the sources that
 * a flood invents. What tells the datagrams of one source apart is mixed in with less care: who
 * found out how could choose among the lots of one source, and that may hold its share only.
 *
 * The hash of sources is the price of a flood, so it is no SipHash as that of datagrams. It is a
 * sum of products with secret numbers, strongly universal (Lemire and Kaser, 2014): of sources that
 * were chosen without knowing the secret any two meet as seldom as if places were drawn. Nothing
 * that a sender sees tells which ones met; and a fixed permutation behind the sum keeps patterns in
 * addresses from being patterns in the table.
 */
#pragma once

#include "bits.h"
#include "layout.h"

#define LOT_ODD   0x9e3779b97f4a7c15ULL
#define LOT_OTHER 0xd6e8feb86659fd93ULL
#define LOT_BITS  12

/* Of the last word of a key. proto: of IPv4 only. */
GUARD_INLINE __u64 guard_tail(__u32 family, __u32 id, __u32 proto)
{
	return (__u64)id | (__u64)proto << 32 | (__u64)family << 40;
}

/* What tells a source's datagrams apart. */
GUARD_INLINE __u64 guard_rest_ipv4(__u64 addresses, __u64 tail)
{
	return addresses ^ tail * LOT_ODD;
}

GUARD_INLINE __u64 guard_rest_ipv6(__u64 source_low, __u64 destination_high, __u64 destination_low,
				   __u64 tail)
{
	return source_low ^ destination_high ^ destination_low ^ tail * LOT_ODD;
}

/* See above. The set is of its low bits, which are those of both halves of the sum. */
GUARD_INLINE __u64 guard_hash_source(const struct guard_config *c, const __u64 *source, __u8 family)
{
	__u64 x = c->source_secret[4] + c->source_secret[0] * (__u32)source[0];

	if (family)
		x += c->source_secret[1] * (source[0] >> 32) +
		     c->source_secret[2] * (__u32)source[1] +
		     c->source_secret[3] * (source[1] >> 32);
	return (x ^ x >> 32) * LOT_ODD;
}

GUARD_INLINE __s64 guard_lot_least(const struct guard_config *c, __u8 family)
{
	return (__s64)(c->memory[family & 1] / 8 * 2);
}

/* In bytes. */
GUARD_INLINE __s64 guard_lot(const struct guard_config *c, __u8 family, __u64 source_hash,
			     __u64 rest)
{
	__u64 x = (source_hash ^ rest) * LOT_ODD, span = c->memory[family & 1] / 8 * 2;

	x = (x ^ x >> 32) * LOT_OTHER;
	return (__s64)(span + (span * (x >> (64 - LOT_BITS)) >> LOT_BITS));
}
