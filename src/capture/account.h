/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The account of a pass over a capture.
 *
 * A packet that is read is in one class. One that is made here, because a datagram became whole or
 * lost a Fragment header, may carry a fragment in a tunnel, and is then in a class once more:
 *
 *      packets + nested = not_ip + not_fragments + unreadable + cut + atomic + fragments
 *      packets - whole_fragments + whole = written + filtered + left_out
 */
#pragma once

#include <stdint.h>

#include "record.h"

struct capture_stats {
	uint64_t packets; /* read */
	uint64_t lost;    /* from an interface: came too fast to be read; in no sum */
	uint64_t nested;  /* made here, whole or without a header, and in a class again */
	/* Classes. Their sum is that of the two above. */
	uint64_t not_ip;          /* no IP header found */
	uint64_t not_fragments;   /* IP, but no fragment */
	uint64_t unreadable;      /* headers that can't be followed */
	uint64_t cut;             /* captured in part: not judged */
	uint64_t atomic;          /* IPv6 datagrams in one fragment: Fragment header taken off */
	uint64_t fragments;       /* the sum of the next two: */
	uint64_t whole_fragments; /* in whole datagrams, duplicates too, */
	uint64_t single;          /* and not */
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
