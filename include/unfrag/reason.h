/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Why a fragment does not end in a whole datagram: the one list that the engine, its statistics,
 * the command, the manual and the tests are made from. BPF programs may include it.
 */
#pragma once

/* X(NAME, "name", "what it means") */
#define UNFRAG_REASONS(X) \
	X(NONE, "none", "no reason to complain") \
	X(UNREADABLE, "unreadable", "headers that lie, are cut short or are too many to follow") \
	X(EMPTY, "empty", "no bytes of the datagram in it") \
	X(LENGTH, "length", "more to come, but its length is no multiple of 8") \
	X(OVERSIZE, "oversize", "ends beyond the 65,535 bytes that a datagram may have") \
	X(CHAIN, "chain", "a first fragment without its whole upper-layer header (RFC 7112)") \
	X(TINY, "tiny", "a TCP fragment made to hide or rewrite flags (RFC 1858, RFC 3128)") \
	X(HEADER, "header", "more header before the fragmentable part than is kept") \
	X(DISCOVERY, "discovery", "Neighbor Discovery in fragments (RFC 6980)") \
	X(OVERLAP, "overlap", "bytes that another fragment had brought already (RFC 5722)") \
	X(END, "end", "beyond the end of its datagram, or another end than the one known") \
	X(ECN, "ecn", "fragments that disagree on ECN (RFC 3168 5.3)") \
	X(REFUSED, "refused", "of a datagram that was given up before") \
	X(TIMEOUT, "timeout", "pieces missing when the timer ended") \
	X(STALE, "stale", "so old that its identification may be in use again (RFC 4963)") \
	X(SHARE, "share", "its source holds its share of memory") \
	X(EVICTED, "evicted", "made room for others") \
	X(MEMORY, "memory", "no room for it") \
	X(FLUSHED, "flushed", "the end of all work") \
	X(DUPLICATE, "duplicate", "the same fragment again") \
	X(SMALL, "small", "too many fragments for the bytes that they carry") \
	X(TABLE, "table", "no place in the table of datagrams")

enum unfrag_reason {
#define X(id, name, text) UNFRAG_REASON_##id,
	UNFRAG_REASONS(X)
#undef X
		UNFRAG_REASON_MAX,
};

#ifndef __bpf__

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** "overlap" and so on, NULL when there is no such; static. Since: 0.1 */
const char *unfrag_reason_name(uint32_t reason);
/** One line that says what a reason means; likewise. Since: 0.1 */
const char *unfrag_reason_text(uint32_t reason);

#ifdef __cplusplus
}
#endif

#endif
