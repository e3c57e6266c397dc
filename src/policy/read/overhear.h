/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libnftables tells the kernel. For elements of big sets that is the quickest way to learn
 * them: asked for them, the kernel walks over all that it told before for each 32 KiB of answer,
 * which takes minutes for a million. And the order in which chains were made is told nowhere else.
 *
 * libnftables calls sendmsg(2) through its own definition here, which sends and remembers, and
 * before that makes as much room in the socket as goes without privilege. If libnftables should do
 * otherwise one day, nothing is overheard, and the kernel is asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here on, in this process and for good. */
void overhear_start(void);

/*
 * Puts the messages that made all elements of a set into a listing. *known is false, and nothing is
 * put, if they are not known: nothing was heard, or something was deleted on the way.
 */
int overhear_put_elements(int fd, uint8_t family, const char *table, const char *set, bool *known);

/* Puts the messages that made chains, in their order. */
int overhear_put_chains(int fd);
