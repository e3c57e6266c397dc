/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * From a fragment to its verdict: what it alone shows wrong, then the decision by its datagram and
 * source, then what is counted and told. Who includes this says first what guard.h asks for, and:
 *   guard_tell(f, facts, reason)  tells of a refusal
 *   GUARD_PART                    like GUARD_STEP, of a function that may take other pointers
 */
#pragma once

#include "guard.h"

/* NONE, or the reason to drop it. first: of its upper-layer header, if it has one. */
GUARD_PART int guard_weigh(struct guard_fragment *f, const struct unfrag_facts *facts, __u32 first)
{
	const struct guard_config *c = guard_config_get();
	__u32 flaw = fragment_flaw(facts, (__u8)first);

	if (!c)
		return UNFRAG_REASON_TABLE;
	if (flaw && !guard_is_off(c, flaw))
		return (int)flaw;
	if (!unfrag_facts_is_fragment(facts))
		return UNFRAG_REASON_NONE;
	if (flaw && !fragment_is_kept(flaw, facts->family))
		return UNFRAG_REASON_NONE;
	guard_hash(f);
	return guard_judge(f);
}

/* Whether a fragment, or what can't be told from one, may pass: 1 or 0. lies: its headers. */
GUARD_INLINE int guard_sees(struct guard_fragment *f, const struct unfrag_facts *facts, __u32 first,
			    int lies)
{
	struct guard_counters *n = guard_counters_get(f->family & 1);
	const struct guard_config *c = guard_config_get();
	__u32 reason = UNFRAG_REASON_UNREADABLE;

	if (!n || !c)
		return 0;
	if (!lies)
		reason = (__u32)guard_weigh(f, facts, first);
	else if (guard_is_off(c, reason))
		reason = UNFRAG_REASON_NONE;
	guard_count(n->fragments, 1);
	if (facts->df && !lies)
		guard_count(n->dont_fragment, 1);
	if (reason) {
		guard_count(n->reasons[reason & (GUARD_REASON_SLOTS - 1)], 1);
		guard_tell(f, facts, reason);
		return 0;
	}
	if (!lies && facts->frag == UNFRAG_FRAG_ATOMIC)
		guard_count(n->atomic, 1);
	guard_count(n->passed, 1);
	return 1;
}
