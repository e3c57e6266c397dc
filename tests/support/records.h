/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What programs of the tests write into maps, waited for: records out of a queue, and counters that
 * reach a number. Every wait has a deadline in milliseconds.
 */
#pragma once

#include <stdint.h>

/*
 * Keeps this thread on the CPU it is on, and so the packets that it sends: records then come in the
 * order in which packets were sent, as no packet waits in the queue of another CPU. 0 or -errno.
 */
int records_in_order(void);

/* Takes the oldest record out of a queue map. 0, -ETIMEDOUT or -errno. */
int record_next(int map_fd, void *record, int ms);

/* Element `key` of an array map of 64-bit numbers; 0 if there is none. */
uint64_t counter_read(int map_fd, uint32_t key);

/* Waits until that number is at least `want`. What it is in the end. */
uint64_t counter_wait(int map_fd, uint32_t key, uint64_t want, int ms);
