/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture with fragments in, the same with whole packets out, and the account of it (account.h).
 *
 * Every packet that is read is written as it was, or is in a whole packet that is written in its
 * place, or is counted as left out because that was asked for. Order stays, so what comes after a
 * fragment waits until that fragment's fate is known; memory for that is bounded.
 */
#pragma once

#include <signal.h>

#include "account.h"
#include "compare.h"
#include "track.h"
#include "trouble.h"

#define CAPTURE_MEMORY     (64u << 20)
#define CAPTURE_BUFFER     (256u << 20)
#define CAPTURE_BUFFER_MIN (1u << 20)
#define CAPTURE_BUFFER_MAX (1u << 31)

struct capture_opts {
	const char *in, *out; /* "-": standard input, output; out NULL: nothing is written */
	bool live;            /* in is a network interface, read until told to stop */
	uint64_t count;       /* end after so many packets; 0: don't */
	const char *filter;
	uint32_t policy;            /* enum unfrag_reasm_policy */
	size_t memory;              /* bytes for reassembly; 0: CAPTURE_MEMORY */
	size_t buffer;              /* bytes for packets that wait; 0: CAPTURE_BUFFER */
	bool at_first;              /* whole packets at the place and time of their first piece */
	bool leave_incomplete;      /* don't write fragments that end in no datagram */
	bool strict;                /* refuse what RFC 1858, 3128 and 7112 tell to drop */
	bool tunnels;               /* look for fragments inside of tunnels too */
	track_tell_fn *on_datagram; /* NULL: datagrams are not looked at one by one */
	compare_tell_fn *on_difference; /* NULL: they are not compared */
	void (*on_progress)(int percent, const struct capture_stats *stats, void *arg);
	void *arg;
	const volatile sig_atomic_t *stop; /* not 0: end as if the capture ended here */
};

/* Fills stats in any case. Returns 0 or -errno; what was read before trouble is in the output. */
int capture_run(const struct capture_opts *o, struct capture_stats *stats, struct trouble *t);
