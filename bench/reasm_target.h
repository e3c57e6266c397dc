/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine is to reach, and whether it did: of each target the worst figure that was seen,
 * of packets that are copied and of lent ones.
 */
#pragma once

#include <stdbool.h>

enum target {
	TARGET_HOT,       /* M fragments a second, one datagram at a time */
	TARGET_HOT_PEER,  /* the peer's cost, as a multiple of ours */
	TARGET_WIDE,      /* M fragments a second, 10,000 datagrams at once */
	TARGET_WIDE_PEER, /* the peer's cost with its buffers freed, as a multiple of ours */
	TARGET_REVERSED,  /* 44 fragments reversed, as a multiple of in order */
	TARGET_RANDOM,    /* 8,191 fragments at random, as a multiple of 44 in order */
	TARGET_FLOOD,     /* percent of honest datagrams that become whole */
	TARGET_MAX,
};

/* One figure, and what it was seen at. */
void target_note(enum target target, bool lent, double value, const char *where);

/* A line for each that was measured. */
void targets_print(void);
