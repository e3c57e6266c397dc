/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Bit arithmetic without branches, for loops that a verifier follows: each branch in a loop doubles
 * the states that it has to look at, unless both ways meet at once. So "is equal" is arithmetic
 * here, and sets of entries are masks.
 */
#pragma once

#include <linux/types.h>

#define GUARD_INLINE static inline __attribute__((always_inline, unused))

/* Keeps a compiler from seeing through arithmetic and putting the branch back. */
#define guard_opaque(x) __asm__ volatile("" : "+r"(x))

/* 1 if a == b, else 0. */
GUARD_INLINE __u64 bits_equal(__u32 a, __u32 b)
{
	__u64 differ = a ^ b;

	guard_opaque(differ);
	return (differ - 1) >> 63;
}

/* 1 if a > b as counters that wrap, else 0. */
GUARD_INLINE __u64 bits_after(__u32 a, __u32 b)
{
	__u32 ahead = b - a;

	guard_opaque(ahead);
	return ahead >> 31;
}

/* Number of the lowest bit that is set; 0 if none is. */
GUARD_INLINE __u32 bits_lowest(__u32 mask)
{
	__u32 below = (mask & -mask) - 1; /* ones below it */

	below = below - (below >> 1 & 0x55555555u);
	below = (below & 0x33333333u) + (below >> 2 & 0x33333333u);
	below = (below + (below >> 4)) & 0x0f0f0f0fu;
	return (below * 0x01010101u >> 24) & 31u;
}

GUARD_INLINE __u32 bits_count(__u32 mask)
{
	mask = mask - (mask >> 1 & 0x55555555u);
	mask = (mask & 0x33333333u) + (mask >> 2 & 0x33333333u);
	mask = (mask + (mask >> 4)) & 0x0f0f0f0fu;
	return mask * 0x01010101u >> 24;
}

GUARD_INLINE __u32 bits_rotate(__u32 mask, __u32 by)
{
	by &= 31u;
	return mask >> by | mask << ((32u - by) & 31u);
}

#define GUARD_LANE_TOPS 0x8000800080008000ULL
#define GUARD_LANE_ONES 0x0001000100010001ULL

/*
 * Which of four 16-bit lanes are zero: their top bits. A lane above one that is zero may be taken
 * for one if it is 1; whoever looks closer finds out.
 */
GUARD_INLINE __u64 bits_zero_lanes(__u64 lanes)
{
	return (lanes - GUARD_LANE_ONES) & ~lanes & GUARD_LANE_TOPS;
}

/* Top bits of four lanes as four bits. */
GUARD_INLINE __u32 bits_gather(__u64 tops)
{
	return (__u32)((tops >> 15) * 0x0001000200040008ULL >> 48) & 0xf;
}
