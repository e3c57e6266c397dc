/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The front programs of one attachment, loaded: see src/bpf/front.bpf.c. Without places there is
 * one, with places one for each of them.
 */
#pragma once

#include <stdint.h>

#include "../bpf/layout.h"

#include <unfrag/unfrag.h>

struct front {
	int prog_fds[FRONT_PLACES]; /* by place; without places the first */
	int slot_fd;
	int counters_fd;
	int turn_fd; /* with places */
};

#define FRONT_INIT \
	{ \
		.prog_fds = { [0 ... FRONT_PLACES - 1] = -1 }, .slot_fd = -1, .counters_fd = -1, \
		.turn_fd = -1 \
	}
#define _cleanup_front_ _cleanup_(front_release)

/* Loads one with its own slot and counters. flags: UNFRAG_ATTACH_ACCEPT_.... Logs errors. */
int front_load(struct front *f, uint32_t flags);

/*
 * Loads one for each place that has any of these seats (bits), with maps of their own, or with
 * those that `f` has already.
 */
int front_load_seats(struct front *f, uint32_t flags, uint32_t seats);

void front_release(struct front *f);

/* Puts a program into a slot: from the next packet on it judges. Logs the error. */
int front_put(int slot_fd, uint32_t key, int prog_fd);

/*
 * Empties one half of a slot but for these seats (bits). Each that is emptied waits for packets
 * under way.
 */
void front_clear(int slot_fd, unsigned int half, uint32_t but);

/* What the map "turn" says, or a negative errno; -EBADF: that is no such map. */
int front_turn(int turn_fd, uint64_t *turn);

/* Puts a half into force, for all links at once. Logs the error. */
int front_flip(int turn_fd, uint64_t turn);

/*
 * Returns when every packet that was inside a program has left it: what only that program used may
 * go. Best effort: without memory for it, it returns at once.
 */
void front_settle(void);

/* The kernel's id of the program in a slot, 0: none; -EBADF when that is no slot. */
int front_get(int slot_fd, uint32_t key, uint32_t *id);

/* Adds up the counters of one key (family and hook) over CPUs. -EBADF: these are not counters. */
int front_count(int counters_fd, uint32_t key, struct unfrag_counters *sum);
