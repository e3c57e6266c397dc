/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The front program of one attachment, loaded: see src/bpf/front.bpf.c.
 */
#pragma once

#include <stdint.h>

#include <unfrag/unfrag.h>

struct front {
	int prog_fd;
	int slot_fd;
	int counters_fd;
};

#define FRONT_INIT \
	{ \
		.prog_fd = -1, .slot_fd = -1, .counters_fd = -1 \
	}
#define _cleanup_front_ _cleanup_(front_release)

/* Loads one with its own slot and counters. flags: UNFRAG_ATTACH_ACCEPT_.... Logs errors. */
int front_load(struct front *out, uint32_t flags);
void front_release(struct front *f);

/* Puts a program into a slot: from the next packet on it judges. Logs the error. */
int front_put(int slot_fd, int prog_fd);

/*
 * Returns when every packet that was inside a program has left it: what only that program used may
 * go. Best effort: without memory for it, it returns at once.
 */
void front_settle(void);

/* The kernel's id of the program in a slot, 0: none; -EBADF when that is no slot. */
int front_get(int slot_fd, uint32_t *id);

/* Adds up the counters of one key (family and hook) over CPUs. -EBADF: these are not counters. */
int front_count(int counters_fd, uint32_t key, struct unfrag_counters *sum);
