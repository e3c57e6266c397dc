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

_Static_assert(sizeof(struct front_counters) == 264, "front_counters is shared through a map");
