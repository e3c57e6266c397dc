/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What tells one datagram from another, and one source from another.
 *
 *	IPv4  source, destination | scope  | id, protocol, family | 0      | 0 | 0  (RFC 791)
 *	IPv6  source              |        | destination          |        | scope | id, family
 *	      (RFC 8200 4.5: no next header, fragments may differ in it)
 *
 * The family keeps the two apart wherever the last words of one are zero in the other. A source is
 * an IPv4 address or an IPv6 /64, which is what one host can use at will.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <unfrag/packet.h>

#include "siphash.h"

#define KEY_WORDS      6
#define KEY_WORDS_IPV4 3

struct key {
	uint64_t word[KEY_WORDS];
};

static inline void key_of(struct key *key, const struct unfrag_facts *f, const uint8_t *packet,
			  uint64_t scope)
{
	uint64_t tail = (uint64_t)f->id | (uint64_t)f->family << 40;

	if (f->family == UNFRAG_IPV4) {
		memcpy(&key->word[0], packet + 12, 8);
		key->word[1] = scope;
		key->word[2] = tail | (uint64_t)f->proto << 32;
		memset(&key->word[3], 0, 3 * sizeof(key->word[0]));
	} else {
		memcpy(&key->word[0], packet + 8, 32);
		key->word[4] = scope;
		key->word[5] = tail;
	}
}

static inline bool key_equal(const struct key *a, const struct key *b)
{
	uint64_t differ = 0;
	int i;

	for (i = 0; i < KEY_WORDS; i++)
		differ |= a->word[i] ^ b->word[i];
	return !differ;
}

static inline uint64_t key_hash(const struct key *key, uint8_t family,
				const struct hash_secret *secret)
{
	return siphash(secret, key->word, family == UNFRAG_IPV4 ? KEY_WORDS_IPV4 : KEY_WORDS);
}

/* The source of a key as one number; two sources share it with a chance of 2^-64. */
static inline uint64_t key_source(const struct key *key, uint8_t family,
				  const struct hash_secret *secret)
{
	uint64_t words[3];
	uint32_t ipv4;

	if (family == UNFRAG_IPV4) {
		memcpy(&ipv4, &key->word[0], sizeof(ipv4));
		words[0] = ipv4;
		words[1] = key->word[1];
	} else {
		words[0] = key->word[0];
		words[1] = key->word[4];
	}
	words[2] = family;
	return siphash(secret, words, 3);
}
