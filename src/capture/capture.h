/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture with fragments in, the same with whole packets out, and the account of it.
 *
 * Every packet that is read is written as it was, or is in a whole packet that is written in its
 * place, or is counted as left out because that was asked for. Order stays, so what comes after a
 * fragment waits until that fragment's fate is known; memory for that is bounded.
 */
#pragma once

#include <signal.h>

#include "compare.h"
#include "record.h"
#include "track.h"
#include "trouble.h"

#define CAPTURE_BUFFER     (256u << 20)
#define CAPTURE_BUFFER_MIN (1u << 20)
#define CAPTURE_BUFFER_MAX (1u << 31)

struct capture_stats {
	uint64_t packets;         /* read; the sum of the next six */
	uint64_t not_ip;          /* written as they were: no IP header found, */
	uint64_t not_fragments;   /* IP, but no fragment, */
	uint64_t unreadable;      /* headers that can't be followed, */
	uint64_t cut;             /* captured in part: not judged */
	uint64_t atomic;          /* IPv6 datagrams in one fragment: Fragment header taken off */
	uint64_t fragments;       /* the sum of the next two */
	uint64_t whole_fragments; /* that are in whole datagrams, duplicates too */
	uint64_t single;          /* that are not */
	uint64_t reasons[UNFRAG_REASON_MAX]; /* of these */
	uint64_t duplicates;
	uint64_t whole;                 /* datagrams made whole */
	uint64_t differ;                /* datagrams that systems read differently */
	uint64_t written;               /* packets */
	uint64_t filtered;              /* not written: the filter */
	uint64_t left_out;              /* not written: fragments, as was asked for */
	uint64_t findings[FINDING_MAX]; /* datagrams */
	uint64_t datagrams;             /* told */
	uint64_t first, last;           /* ns since 1970 */
	uint32_t largest;               /* whole datagram */
	uint32_t snap;                  /* bytes that packets were cut to */
};

struct capture_opts {
	const char *in, *out; /* "-": standard input, output; out NULL: nothing is written */
	const char *filter;
	uint32_t policy;            /* enum unfrag_reasm_policy */
	size_t buffer;              /* bytes for packets that wait; 0: CAPTURE_BUFFER */
	bool at_first;              /* whole packets at the place and time of their first piece */
	bool leave_incomplete;      /* don't write fragments that end in no datagram */
	bool strict;                /* refuse what RFC 1858, 3128 and 7112 tell to drop */
	track_tell_fn *on_datagram; /* NULL: datagrams are not looked at one by one */
	compare_tell_fn *on_difference; /* NULL: they are not compared */
	void (*on_progress)(int percent, const struct capture_stats *stats, void *arg);
	void *arg;
	const volatile sig_atomic_t *stop; /* not 0: end as if the capture ended here */
};

/* Fills stats in any case. Returns 0 or -errno; what was read before trouble is in the output. */
int capture_run(const struct capture_opts *o, struct capture_stats *stats, struct trouble *t);
