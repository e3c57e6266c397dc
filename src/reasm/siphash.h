/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012) over 64-bit words.
 *
 * Senders choose addresses and identifications, so the hash over them must have a secret, or they
 * would choose ones that fall into one bucket. Words, not bytes: keys here are words already.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash_secret {
	uint64_t word[2];
};

static inline uint64_t rotate_left(uint64_t v, unsigned int by)
{
	return v << by | v >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
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

static inline void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

/* Of the little-endian bytes of n words. */
static inline uint64_t siphash(const struct hash_secret *secret, const uint64_t *words, size_t n)
{
	uint64_t v[4] = {
		secret->word[0] ^ UINT64_C(0x736f6d6570736575),
		secret->word[1] ^ UINT64_C(0x646f72616e646f6d),
		secret->word[0] ^ UINT64_C(0x6c7967656e657261),
		secret->word[1] ^ UINT64_C(0x7465646279746573),
	};
	size_t i;

	for (i = 0; i < n; i++)
		sip_word(v, words[i]);
	sip_word(v, (uint64_t)n << 59); /* the length in bytes, modulo 256, as the top byte */
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
