/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `unfrag guard on` asks for if nobody says otherwise, for tables of any size; with secrets
 * that are none.
 */
#pragma once

#include <stdint.h>

#include "../../src/guard/layout.h"

#define USUAL_SECOND UINT64_C(1000000000)

/* sets: of datagrams, of each family; a power of two. Memory is what they are for. */
static inline void usual_limits(struct guard_config *c, uint32_t sets)
{
	uint32_t i;

	*c = (struct guard_config){
		.secret = { 0x0123456789abcdef, 0xfedcba9876543210 },
		.source_secret = { 0x9ae16a3b2f90404f, 0xc949c7defebe6f05, 0x3c6ef372fe94f82b,
				   0xa54ff53a5f1d36f1, 0x510e527fade682d1 },
		.forget = 600 * USUAL_SECOND,
		.prefix = { { UINT32_MAX, 0 }, { UINT64_MAX, 0 } },
		.floor = 16384,
		.share = 50,
		.small_after = 32,
		.small_mean = 128,
		.least_charge = 2304,
		.datagram_mask = sets - 1,
		.source_mask = 2 * sets - 1,
		.events = 100,
		.glance = 1,
	};
	for (i = 0; i < GUARD_FAMILIES; i++) {
		c->memory[i] = (uint64_t)sets * GUARD_WAYS * 2048;
		c->timeout[i] = 3 * USUAL_SECOND;
		c->slot_charge[i] = 2048;
		c->queue_charge[i] = 256;
	}
}
