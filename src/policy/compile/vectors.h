/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vectors of an image, each of them once.
 */
#pragma once

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

struct vectors {
	__u64 *bits; /* one after another: summary, then words */
	size_t n, room;
	uint32_t words, summaries;
	uint64_t *hashes; /* of each */
	uint32_t *slots;  /* number of a vector + 1; 0: free */
	size_t n_slots;   /* a power of 2 */
};

#define VECTORS_MAX 65535u

void vectors_init(struct vectors *v, size_t entries);
void vectors_release(struct vectors *v);

/* What a bit adds to the hash of a vector: all bits that are set, in any order, with XOR. */
uint64_t vectors_hash_of_bit(uint32_t bit);

/* The number of a vector, given its words and hash. -E2BIG beyond VECTORS_MAX, -ENOMEM. */
int vectors_add(struct vectors *v, const __u64 *words, uint64_t hash, uint32_t *number);
