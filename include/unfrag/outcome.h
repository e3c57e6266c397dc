/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What becomes of a packet at the front: the one list that the BPF counters, the library, the
 * command, the manual and the tests are made from.
 *
 * Each packet meets exactly one of them, so the packets of a hook are their sum.
 */
#pragma once

/* X(NAME, "name", reaches the program, "what it means") */
#define UNFRAG_OUTCOMES(X) \
	X(WHOLE, "whole", 1, "never fragmented; given to the program") \
	X(REASSEMBLED, "reassembled", 1, "made whole from fragments; given to the program") \
	X(FRAGMENT_FIRST, "fragment_first", 0, "still a fragment: the first, with more to come") \
	X(FRAGMENT_LATER, "fragment_later", 0, "still a fragment: not the first") \
	X(FRAGMENT_MALFORMED, "fragment_malformed", 0, \
	  "an IPv6 fragment that the kernel refused to reassemble and passed on") \
	X(UNREADABLE, "unreadable", 0, \
	  "headers that lie, are cut short or are too many to follow") \
	X(SLOT_EMPTY, "slot_empty", 0, "whole, but there was no program to judge it")

/** Room for outcomes in counters, so that more of them don't change a layout. */
#define UNFRAG_OUTCOME_SLOTS 32

enum unfrag_outcome {
#define X(id, name, judged, text) UNFRAG_OUTCOME_##id,
	UNFRAG_OUTCOMES(X)
#undef X
		UNFRAG_OUTCOME_MAX,
};
