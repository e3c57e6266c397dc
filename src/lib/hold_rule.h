/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Defragmentation switched on by an nftables rule, where links can't do it: the kernel counts each
 * tproxy rule as a user of its defragmenter (4.19), conntrack is not involved. The rule stands in a
 * table of our own, in a chain that no hook leads to, so no packet ever comes to it. The table is
 * the reference: with it the kernel counts one user less (from 5.13 on; before, it never switches
 * its defragmenter off in a namespace).
 *
 * netns_fd is as netns_call() takes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULE_TABLE_MAX 64 /* as in struct about */

/* The name of a holder's table, of the family inet. */
void rule_table(char *buf, size_t size, const char *holder);

/*
 * Makes the table with a rule for each family (UNFRAG_FAMILIES_...). -EEXIST; -EOPNOTSUPP when this
 * kernel has no such rules. Logs the error.
 */
int rule_make(int netns_fd, const char *table, uint32_t families);

/*
 * The same for a table that goes when the returned descriptor is closed, however that comes.
 * -EOPNOTSUPP before Linux 5.12.
 */
int rule_make_owned(int netns_fd, const char *table, uint32_t families);

/* Missing is fine. Logs the error. */
int rule_remove(int netns_fd, const char *table);

/* 1, 0 or a negative errno. */
int rule_exists(int netns_fd, const char *table);

/* Whether defragmentation of IPv4 stays on when a rule is gone: 1, 0 or a negative errno. */
int rule_sticks(void);
