/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the judgement of one fragment (fragment.c) and that of a run of them (run.c) share.
 */
#pragma once

#include "header.h"

#define ECN_NOT_ECT (1u << 0) /* a bit of datagram.ecn */

/* What some want to see whole all the same. */
static inline bool hides_ports(enum unfrag_reason reason)
{
	return reason == UNFRAG_REASON_TINY || reason == UNFRAG_REASON_CHAIN;
}

/* What is wrong with a fragment whatever its datagram is. */
static inline enum unfrag_reason fragment_flaw(const struct unfrag_reasm *r,
					       const struct unfrag_facts *f)
{
	enum unfrag_reason reason = (enum unfrag_reason)rules_flaw(f);

	if (reason && !(r->tiny && hides_ports(reason)))
		return reason;
	if (!f->defect && !f->frag_off && header_length(f) > CELL_BYTES)
		return UNFRAG_REASON_HEADER;
	return UNFRAG_REASON_NONE;
}

/* RFC 3168 5.3, of all codepoints seen. */
static inline bool ecn_disagrees(uint32_t seen)
{
	return seen & ECN_NOT_ECT && seen != ECN_NOT_ECT;
}

static inline void sizes_note(struct sizes *sizes, const struct unfrag_facts *f)
{
	uint16_t len = (uint16_t)(f->len < UINT16_MAX ? f->len : UINT16_MAX);

	if (len > sizes->largest)
		sizes->largest = len;
	if (!sizes->smallest || len < sizes->smallest)
		sizes->smallest = len;
	if (f->df && len > sizes->largest_df)
		sizes->largest_df = len;
}

static inline void say_begin(struct unfrag_reasm_result *res, uint8_t family)
{
	memset(res, 0, sizeof(*res));
	res->family = family;
}

static inline void say(struct unfrag_reasm_result *res, enum unfrag_reasm_outcome outcome,
		       enum unfrag_reason reason)
{
	res->outcome = (uint8_t)outcome;
	res->reason = (uint8_t)reason;
}

/* Says of the fragment that made it so that it is whole, besides all that is said of held ones. */
static inline void say_whole(const struct datagram *d, struct unfrag_reasm_result *res)
{
	res->outcome = UNFRAG_REASM_COMPLETE;
	res->header = d->header_len;
	res->len = d->header_len + d->end;
}
