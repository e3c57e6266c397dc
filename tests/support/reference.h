/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reassembly of one datagram, slow and obvious: each byte knows who brought it. What the engine
 * does with words and cells is told from here byte by byte.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <unfrag/reasm.h>

#ifndef REFERENCE_MAX
#define REFERENCE_MAX 65536
#endif

struct reference {
	enum unfrag_reasm_policy policy;
	bool refused;
	int fragments;            /* taken in */
	int end;                  /* 0: unknown */
	int top;                  /* the highest end seen */
	int owner[REFERENCE_MAX]; /* number of the fragment that a byte is of, 0: hole */
	uint8_t data[REFERENCE_MAX];
};

void reference_reset(struct reference *ref, enum unfrag_reasm_policy policy);

/* What becomes of a sound fragment; of UNFRAG_REASM_DROPPED the reason as well. */
enum unfrag_reasm_outcome reference_push(struct reference *ref, int off, const uint8_t *data,
					 int len, bool more, enum unfrag_reason *reason);
