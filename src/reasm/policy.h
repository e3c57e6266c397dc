/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who is believed where two fragments brought the same bytes: the target-based models, each one
 * predicate.
 *
 * They speak of what is held as the systems that they model hold it: as pieces. A piece is what is
 * left of a fragment; one that was cut starts where the cut was. The newcomer counts as it came,
 * also where a piece in front of it has taken its first bytes: so did BSD and Linux.
 *
 * The models are those of Shankar and Paxson ("Active Mapping", 2003) and Novak ("Target-Based
 * Fragmentation Reassembly", 2005), in the words in which others quote them. Compared with source:
 * windows and solaris with Snort 3 and Suricata, which follow Novak's tests, bsd with ip_reass() of
 * 4.4BSD. linux, of 2.4 to 4.18, was not. For bsd-right Snort asks who ends later, as printers by
 * HP are said to do; here it is what is quoted, who starts earlier.
 */
#pragma once

#include <unfrag/reasm.h>

#include "units.h"

/* Whether a newcomer takes the place of a held piece where they overlap. */
static inline bool policy_replaces(enum unfrag_reasm_policy policy, struct span held,
				   struct span newcomer)
{
	switch (policy) {
	case UNFRAG_REASM_LAST:
		return true;
	case UNFRAG_REASM_BSD:
		return held.from > newcomer.from;
	case UNFRAG_REASM_BSD_RIGHT:
		return held.from <= newcomer.from;
	case UNFRAG_REASM_LINUX:
		return held.from >= newcomer.from;
	case UNFRAG_REASM_WINDOWS:
		return newcomer.from < held.from && newcomer.to > held.to;
	case UNFRAG_REASM_SOLARIS:
		return newcomer.from < held.from && newcomer.to >= held.to;
	default:
		return false;
	}
}

/*
 * Puts a fragment in where others are, under any policy but UNFRAG_REASM_DROP. The range must have
 * its cells. Returns whether any byte was taken from it.
 */
bool policy_merge(struct cells *cells, struct datagram *d, enum unfrag_reasm_policy policy,
		  uint32_t at, const uint8_t *data, uint32_t len);
