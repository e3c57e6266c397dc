/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments without an attack, as the native build of the guard sees them: datagrams of both
 * families and of mixed sizes, each of another source, several at a time, their fragments in all
 * orders and some of them twice. Headers are made, and no bytes behind them.
 */
#pragma once

#include <stdint.h>
#include <unfrag/reason.h>

struct peace {
	uint64_t datagrams; /* whose fragments all came */
	uint64_t fragments;
	uint64_t twice;     /* of those, the ones that came once more */
	uint64_t disturbed; /* datagrams of which one was refused, but a duplicate */
	uint64_t reasons[UNFRAG_REASON_MAX]; /* fragments that were refused */
	int64_t memory;                      /* bytes charged at most, of one family */
};

/*
 * So many datagrams, a thousand a second. A fragment that comes again after its datagram was whole
 * begins another, which stays in pieces: at three times the rate these alone would use up what
 * strangers may. 0 or -ENOMEM.
 */
int peace_run(struct peace *out, uint32_t datagrams, uint64_t seed);
