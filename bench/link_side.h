/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in the middlebox, one at a time: the sides that are compared.
 *
 * All that filter keep one policy, UDP from or to port 53, at prerouting. The BPF program is the
 * same one behind every kind of link; where it meets fragments it lets later ones by, for without
 * the flag no other answer would forward anything. Conntrack comes to its state at -200, so the
 * nftables chain stands right behind it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net.h"

enum side_kind {
	SIDE_NONE,
	SIDE_LINK,
	SIDE_LINK_DEFRAG,
	SIDE_ATTACHMENT,
	SIDE_NFTABLES,
	SIDE_MAX,
};

const char *side_name(enum side_kind kind);

struct sides;

/* Needs the middlebox for as long as it lives. 0 or -errno, told in words. */
int sides_new(struct sides **out, const struct lab_ns *middle);

/* Takes away what stands there, too. */
void sides_free(struct sides *sides);

/* Puts one there, after the one before is gone. 0 or -errno, told in words. */
int side_up(struct sides *sides, enum side_kind kind);
int side_down(struct sides *sides);

/*
 * Whether the attachment, if it stands there, gave this many datagrams to the program since it
 * stands there, and nothing else met it. True for all others.
 */
bool side_saw(const struct sides *sides, int family, uint64_t whole, uint64_t reassembled);
