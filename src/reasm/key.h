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

#include "../packet/siphash.h"

/*
 * memcpy() and memset() of the C library. A compiler that knows a length or a bound of it makes a
 * "rep movs" or "rep stos", which for a few hundred bytes takes twice as long.
 */
static inline void copy_bytes(void *to, const void *from, size_t len)
{
	__asm__("" : "+r"(len));
	memcpy(to, from, len);
}

static inline void clear_bytes(void *to, size_t len)
{
	__asm__("" : "+r"(len));
	memset(to, 0, len);
}

#define KEY_WORDS 6

struct key {
	uint64_t word[KEY_WORDS];
};

/* The last word that is not zero. */
static inline uint64_t key_tail(const struct unfrag_facts *f)
{
	uint64_t tail = (uint64_t)f->id | (uint64_t)f->family << 40;

	return f->family == UNFRAG_IPV4 ? tail | (uint64_t)f->proto << 32 : tail;
}

static inline void key_of(struct key *key, const struct unfrag_facts *f, const uint8_t *packet,
			  uint64_t scope)
{
	if (f->family == UNFRAG_IPV4) {
		memcpy(&key->word[0], packet + 12, 8);
		key->word[1] = scope;
		key->word[2] = key_tail(f);
		memset(&key->word[3], 0, 3 * sizeof(key->word[0]));
	} else {
		memcpy(&key->word[0], packet + 8, 32);
		key->word[4] = scope;
		key->word[5] = key_tail(f);
	}
}

/*
 * Whether the key is that of a packet of its family. As key_of() and key_equal(), but no key is
 * written, which takes longer.
 */
static inline bool key_is(const struct key *key, const struct unfrag_facts *f,
			  const uint8_t *packet, uint64_t scope)
{
	uint64_t word[4];

	if (f->family == UNFRAG_IPV4) {
		memcpy(word, packet + 12, 8);
		return key->word[0] == word[0] && key->word[1] == scope &&
		       key->word[2] == key_tail(f);
	}
	memcpy(word, packet + 8, 32);
	return key->word[0] == word[0] && key->word[1] == word[1] && key->word[2] == word[2] &&
	       key->word[3] == word[3] && key->word[4] == scope && key->word[5] == key_tail(f);
}

/* Word by word, as they were just written: wider loads would have to wait for the stores. */
static inline bool key_equal(const struct key *a, const struct key *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] &&
	       a->word[3] == b->word[3] && a->word[4] == b->word[4] && a->word[5] == b->word[5];
}

/* The last word has less than seven bytes; without a scope there is a word less to hash. */
static inline uint64_t key_hash(const struct key *key, uint8_t family,
				const struct hash_secret *secret)
{
	if (family == UNFRAG_IPV4)
		return siphash_tail(secret, key->word, 1 + !!key->word[1], key->word[2]);
	return siphash_tail(secret, key->word, 4 + !!key->word[4], key->word[5]);
}

/* IPv6: prefix, scope, family. IPv4: 0, scope, address and family. */
#define SOURCE_WORDS 3

struct source_key {
	uint64_t word[SOURCE_WORDS];
};

static inline struct source_key source_key_of(const struct key *key, uint8_t family)
{
	uint64_t tail = (uint64_t)family << 40;
	uint32_t ipv4;

	if (family == UNFRAG_IPV6)
		return (struct source_key){ { key->word[0], key->word[4], tail } };
	memcpy(&ipv4, &key->word[0], sizeof(ipv4));
	return (struct source_key){ { 0, key->word[1], tail | ipv4 } };
}

static inline bool source_key_equal(const struct source_key *a, const struct source_key *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2];
}

/* A source as one number; two share it with a chance of 2^-64. */
static inline uint64_t source_key_hash(const struct source_key *key,
				       const struct hash_secret *secret)
{
	return siphash_tail(secret, key->word, 1 + !!key->word[1], key->word[2]);
}
