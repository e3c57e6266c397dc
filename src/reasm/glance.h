/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A glance at the table: whether a key is surely not in it.
 *
 * Each datagram in the table is counted at a place that its key has, found by a few operations and
 * without a secret. Where a count is zero the hash need not be computed, nor the table looked at,
 * which is so mostly while few datagrams are open. A sender that knows how to make counts that are
 * not zero makes the engine look in the table, as it would have without this.
 */
#pragma once

#include "key.h"

#define GLANCE_BITS 12

struct glance {
	uint32_t counts[1u << GLANCE_BITS];
};

static inline uint32_t *glance_at(struct glance *glance, const struct key *key)
{
	uint64_t mixed = (key->word[0] ^ key->word[2] ^ key->word[5]) *
			 UINT64_C(0x9e3779b97f4a7c15);

	return &glance->counts[mixed >> (64 - GLANCE_BITS)];
}
