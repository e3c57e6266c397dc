/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One packet on its way through the chains of a place. In BPF this stands on a stack of 512 bytes
 * that functions called from here share.
 */
#pragma once

#include "layout.h"

/* Where a chain goes on that has called another. */
struct gate_frame {
	__u16 pc;
	__u16 end;
};

/* Filled in for a packet: values (its length in any case), hook. */
struct gate_walk {
	struct gate_values values;
	__u16 vector[GATE_FIELD_MAX + 1]; /* of fields that have a table */
	struct gate_frame frame[GATE_JUMPS_MAX];
	__u32 pc;       /* entry that is next */
	__u32 end;      /* of the chain */
	__u32 base;     /* base chain */
	__u32 base_end; /* of those at this place */
	__u16 depth;    /* frames */
	__u16 checked;  /* checks of that entry that hold, if there are more to look at */
	__u16 hook;
	__u16 verdict; /* once the walk has ended: GATE_ACCEPT or GATE_DROP */
};

/* What an entry came to, told to gate_trace(). */
enum gate_outcome {
	GATE_FAILED,  /* a check did not hold: number of the check */
	GATE_LIMITED, /* its limit said no */
	GATE_MATCHED, /* verdict */
	GATE_ENDED,   /* of a chain, not of an entry: of the base chain, its policy */
};
