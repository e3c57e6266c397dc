/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What judges in a router of its own, all with the same file: nothing, nftables, nftables with
 * connection tracking, the gate; and a link whose program accepts, behind the defragmenter, which
 * no program can be cheaper than. They stand side by side, so that rounds cost no loading.
 */
#pragma once

#include <stdbool.h>

#include "link_wire.h"

enum gate_side {
	GATE_SIDE_NONE,
	GATE_SIDE_NFTABLES,
	GATE_SIDE_CONNTRACK,
	GATE_SIDE_GATE,
	GATE_SIDE_LINK,
	GATE_SIDE_MAX,
};

const char *gate_side_name(enum gate_side side);

struct gate_sides;

/* 0 or -errno, told in words; so the rest. */
int gate_sides_new(struct gate_sides **out);
void gate_sides_free(struct gate_sides *sides);

/* Puts a file in force everywhere, in place of the one before. load_ms: what it took, or NULL. */
int gate_sides_load(struct gate_sides *sides, const char *path, double load_ms[GATE_SIDE_MAX]);

/* Puts a file in force at the gate as people would, by the command. *ms: what it took. */
int gate_sides_reload(struct gate_sides *sides, const char *path, double *ms);

/* As wire_send(). */
int gate_sides_send(struct gate_sides *sides, enum gate_side side, enum wire_traffic traffic,
		    unsigned int datagrams, double *ns);

/* The gate's program by itself, by BPF_PROG_TEST_RUN. *ns: what one run took. */
int gate_sides_run(struct gate_sides *sides, enum wire_traffic traffic, unsigned int repeat,
		   double *ns);
