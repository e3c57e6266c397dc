// SPDX-License-Identifier: GPL-2.0-or-later
#include "vectors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t words_for(size_t bits)
{
	return (bits + 63) / 64;
}

void vectors_init(struct vectors *v, size_t entries)
{
	memset(v, 0, sizeof(*v));
	v->words = entries ? (uint32_t)words_for(entries) : 1;
	v->summaries = (uint32_t)words_for(v->words);
}

void vectors_release(struct vectors *v)
{
	free(v->bits);
	free(v->hashes);
	free(v->slots);
}

/* The finalizer of splitmix64: neighbours have nothing in common. */
uint64_t vectors_hash_of_bit(uint32_t bit)
{
	uint64_t x = (bit + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static __u64 *vector_at(const struct vectors *v, size_t i)
{
	return v->bits + i * (v->summaries + v->words);
}

static uint32_t *slot_of(const struct vectors *v, const __u64 *words, uint64_t hash)
{
	size_t i = hash & (v->n_slots - 1);

	for (; v->slots[i]; i = (i + 1) & (v->n_slots - 1)) {
		size_t at = v->slots[i] - 1;

		if (v->hashes[at] == hash &&
		    memcmp(vector_at(v, at) + v->summaries, words, v->words * sizeof(*words)) == 0)
			break;
	}
	return &v->slots[i];
}

static int grow(struct vectors *v)
{
	size_t room = v->room ? 2 * v->room : 64, i, slot;
	__u64 *bits = realloc(v->bits, room * (v->summaries + v->words) * sizeof(*bits));
	uint64_t *hashes;
	uint32_t *slots;

	if (!bits)
		return -ENOMEM;
	v->bits = bits;
	hashes = realloc(v->hashes, room * sizeof(*hashes));
	if (!hashes)
		return -ENOMEM;
	v->hashes = hashes;
	slots = calloc(2 * room, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(v->slots);
	v->slots = slots;
	v->n_slots = 2 * room;
	v->room = room;
	for (i = 0; i < v->n; i++) {
		slot = v->hashes[i] & (v->n_slots - 1);
		while (slots[slot])
			slot = (slot + 1) & (v->n_slots - 1);
		slots[slot] = (uint32_t)i + 1;
	}
	return 0;
}

int vectors_add(struct vectors *v, const __u64 *words, uint64_t hash, uint32_t *number)
{
	__u64 *vector;
	uint32_t *slot, i;

	if (v->n == v->room && grow(v))
		return -ENOMEM;
	slot = slot_of(v, words, hash);
	if (!*slot) {
		if (v->n == VECTORS_MAX)
			return -E2BIG;
		vector = vector_at(v, v->n);
		memset(vector, 0, v->summaries * sizeof(*vector));
		memcpy(vector + v->summaries, words, v->words * sizeof(*words));
		for (i = 0; i < v->words; i++)
			vector[i / 64] |= (__u64)(words[i] != 0) << i % 64;
		v->hashes[v->n] = hash;
		*slot = (uint32_t)++v->n;
	}
	*number = *slot - 1;
	return 0;
}
