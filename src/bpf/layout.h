/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Layouts that BPF programs and user space share through maps.
 *
 * Fixed-size types only, sizes asserted: two builds of unfrag may meet over a pinned map.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#include <unfrag/outcome.h>

#define FRONT_HOOKS    5 /* NF_INET_NUMHOOKS */
#define FRONT_FAMILIES 2 /* IPv4, IPv6 */

/* Counters of one family and hook on one CPU; index of the map: family * FRONT_HOOKS + hook. */
struct front_counters {
	__u64 frag_max_size; /* largest original fragment of a reassembled packet, bytes */
	__u64 outcomes[UNFRAG_OUTCOME_SLOTS]; /* by enum unfrag_outcome; the rest is spare */
};

/*
 * Where programs stand in the slot. An attachment made without places has one, in entry 0. With
 * places, each link has a seat, 2 * place + family, and the slot has two halves: what packets meet
 * is in one of them, and a replace fills the other and then writes the turn, once for all links:
 *
 *	bit 0         half
 *	bit 1 + seat  whether the front counts at that seat: it is the first at its family and hook
 */
#define FRONT_PLACES 16u
#define FRONT_SEATS  (FRONT_PLACES * FRONT_FAMILIES)

#define FRONT_HALF(turn)         ((turn)&1)
#define FRONT_COUNTS(turn, seat) ((turn) >> (1 + (seat)) & 1)

_Static_assert(sizeof(struct front_counters) == 264, "front_counters is shared through a map");
