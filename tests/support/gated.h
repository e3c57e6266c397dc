/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gate under test: rules evaluated natively, and if asked also by the BPF program through
 * BPF_PROG_TEST_RUN, which must come to the same.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../../src/gate/walk.h"
#include "tables.h"

struct gate_native;

#define GATED_HOOK     3u /* NF_INET_LOCAL_OUT */
#define GATED_COUNTERS 64
#define GATED_LOGS     64

struct gated {
	struct rules *rules;
	struct gate_native *native;
	struct gate_counter counters[GATED_COUNTERS]; /* of the native build */
	struct gate_limit limits[RULES_LIMITS];
	uint32_t logged[GATED_LOGS]; /* by number of the log */
	uint64_t now;                /* ns */
	void *skeleton;
};

/* Rules that are finished, which are the gate's from then on. bpf: load the program too. */
void gated_open(struct gated *g, struct rules *r, bool bpf);
void gated_close(struct gated *g);

/* Loads the program, or those of all ranks, over empty maps. 0 or -errno. */
int gated_verify(const struct gate_config *config, bool all);

/* The native verdict, GATE_ACCEPT or GATE_DROP; the length is set for all. */
uint32_t gated_judge(struct gated *g, const struct gate_values *v);
uint32_t gated_judge_at(struct gated *g, const struct gate_values *v, uint32_t family,
			uint32_t hook, uint32_t rank);

/* What a packet shows in a test run. Returns 0, or -1 if its header is not there. */
int gated_read(struct gate_values *v, const void *packet, size_t len);

/*
 * A packet, from the IP header on, through both. They agree on the verdict. It goes out by the
 * loopback device: at other hooks kernels differ in what devices a test run has.
 */
uint32_t gated_see(struct gated *g, const void *packet, size_t len);

/* Both have counted the same. */
void gated_agree(const struct gated *g);
