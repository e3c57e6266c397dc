/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The guard's limits: defaults, contradictions, and what the programs are told of them. Nothing
 * here touches the system; what there is of it is handed in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../guard/layout.h"

#include <unfrag/guard.h>

/* What limits have to fit. */
struct limits_frame {
	uint64_t memory;    /* bytes that the machine has */
	uint64_t available; /* of those, what can still be had */
	uint32_t families;
	bool tuned;         /* the kernel's limits follow; else these are they, -1: unknown */
	int64_t high[2];    /* bytes */
	int64_t timeout[2]; /* seconds */
};

/* The default. */
#define LIMITS_DATAGRAMS 8192u

/* Bytes that the tables for so many datagrams take. */
uint64_t limits_table(uint32_t datagrams);

/* Sets of datagrams of one family, and of sources. */
uint32_t limits_datagram_sets(uint32_t datagrams);
uint32_t limits_source_sets(uint32_t datagrams);

/*
 * Fills in what is 0 and checks all. table: bytes of tables that are yet to be made. 0, or -EINVAL,
 * logged, with the limits that contradict each other.
 */
int limits_settle(struct unfrag_guard_limits *limits, const struct limits_frame *frame,
		  uint64_t table);

/* All of the configuration but its secret. Limits are settled. */
void limits_to_config(struct guard_config *config, const struct unfrag_guard_limits *limits);

/*
 * For `glance` of `config`, which is to follow `old` now (ns). Where what makes a source changes,
 * datagrams are in the table whose source is in no set any more, and glances stop until their time
 * is over.
 */
uint32_t limits_glance(const struct guard_config *config, const struct guard_config *old,
		       uint64_t now);

/* The limits that a configuration was made of. */
void limits_of_config(struct unfrag_guard_limits *limits, const struct guard_config *config);

/* What is 0 in `limits` is taken from `from`. */
void limits_merge(struct unfrag_guard_limits *limits, const struct unfrag_guard_limits *from);
