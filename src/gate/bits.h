/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Arithmetic in place of branches: a verifier follows both ways of each branch, and a CPU guesses
 * wrong on half of those that depend on a packet.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define GATE_INLINE static inline __attribute__((always_inline, unused))

/* Keeps a compiler from seeing through arithmetic and putting the branch back. */
#define gate_opaque(x) __asm__ volatile("" : "+r"(x))

/* By the top six bits of a de Bruijn sequence of 64 bits that starts at bit n: n. */
#define GATE_DE_BRUIJN 0x03f79d71b4cb0a89ull

static const __u8 gate_de_bruijn[64] = {
	0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,  62, 55, 59, 36, 53, 51,
	43, 22, 45, 39, 33, 30, 24, 18, 12, 5,  63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
	44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
};

/* Number of the lowest bit that is set; of 0 any number. */
GATE_INLINE __u32 gate_lowest(__u64 bits)
{
	return gate_de_bruijn[(bits & -bits) * GATE_DE_BRUIJN >> 58];
}

/* 1 if a < b, else 0. Both below 1 << 63. */
GATE_INLINE __u64 gate_below(__u64 a, __u64 b)
{
	__u64 d = a - b;

	gate_opaque(d);
	return d >> 63;
}

GATE_INLINE __u32 gate_least(__u32 a, __u32 b)
{
	return (__u32)(a - (a - b) * gate_below(b, a));
}

/* 128 bits as words, the most significant first. */
GATE_INLINE void gate_split(__u32 *word, __u64 high, __u64 low)
{
	word[0] = (__u32)(high >> 32);
	word[1] = (__u32)high;
	word[2] = (__u32)(low >> 32);
	word[3] = (__u32)low;
}
