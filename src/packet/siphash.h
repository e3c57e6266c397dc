/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * SipHash (Aumasson and Bernstein, 2012) over 64-bit words.
 *
 * Senders choose addresses and identifications, so the hash over them must have a secret, or they
 * would choose ones that fall into one bucket. Words, not bytes: keys here are words already.
 */
#pragma once

#include <stddef.h>
#ifdef __bpf__
typedef __UINT64_TYPE__ uint64_t;
#define UINT64_C(c) c##ULL
#else
#include <stdint.h>
#endif

#define SIP_INLINE static inline __attribute__((always_inline, unused))

struct hash_secret {
	uint64_t word[2];
};

SIP_INLINE uint64_t rotate_left(uint64_t v, unsigned int by)
{
	return v << by | v >> (64 - by);
}

SIP_INLINE void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] = rotate_left(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[2] = rotate_left(v[2], 32);
}

SIP_INLINE void sip_word(uint64_t v[4], uint64_t word, int rounds)
{
	v[3] ^= word;
	while (rounds--)
		sip_round(v);
	v[0] ^= word;
}

/* Of n words and the last one, which has the length, with so many rounds a word and at the end. */
SIP_INLINE uint64_t siphash_words(const struct hash_secret *secret, const uint64_t *words, size_t n,
				  uint64_t last, int per_word, int at_end)
{
	uint64_t v[4] = {
		secret->word[0] ^ UINT64_C(0x736f6d6570736575),
		secret->word[1] ^ UINT64_C(0x646f72616e646f6d),
		secret->word[0] ^ UINT64_C(0x6c7967656e657261),
		secret->word[1] ^ UINT64_C(0x7465646279746573),
	};
	size_t i;
	int k;

	for (i = 0; i < n; i++)
		sip_word(v, words[i], per_word);
	sip_word(v, last, per_word);
	v[2] ^= 0xff;
	for (k = 0; k < at_end; k++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Of the little-endian bytes of n words: their number is the top byte of the last one. */
SIP_INLINE uint64_t siphash_rounds(const struct hash_secret *secret, const uint64_t *words,
				   size_t n, int per_word, int at_end)
{
	return siphash_words(secret, words, n, (uint64_t)n << 59, per_word, at_end);
}

/* For tables in memory, where nobody sees the hash: the rounds that Linux and others use there. */
SIP_INLINE uint64_t siphash(const struct hash_secret *secret, const uint64_t *words, size_t n)
{
	return siphash_rounds(secret, words, n, 1, 3);
}

/* The same with seven bytes more, which take no word of their own: tail is less than 2^56. */
SIP_INLINE uint64_t siphash_tail(const struct hash_secret *secret, const uint64_t *words, size_t n,
				 uint64_t tail)
{
	return siphash_words(secret, words, n, tail | (uint64_t)(8 * n + 7) << 56, 1, 3);
}
