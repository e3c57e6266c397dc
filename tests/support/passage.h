/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A router whose hooks are watched: packets are shot at it and through it, each with a number, and
 * for each it is known afterwards which hooks it came through (tests/bpf/passage_bits.h). What
 * judges them is put into router->middle by others. The calls assert.
 *
 * Of the lab's router the client stands for 10.1.0.0/16 and fd00:1::/32, the server for 10.2 and
 * fd00:2, and the middle itself has 10.3 and fd00:3.
 *
 * One thread, on one CPU, sends everything, so packets are judged in the order in which they are
 * shot; frames of another protocol follow them, and when these have come so has all else.
 */
#pragma once

#include <lab.h>
#include <passage_bits.h>

enum shot_way {
	SHOT_CLIENT, /* from there, over the wire */
	SHOT_SERVER,
	SHOT_OUTPUT, /* from the router's own sockets */
};

struct shot {
	enum shot_way way;
	uint32_t mark;
	size_t first, n; /* packets: one, or fragments */
};

/* Shot i has the number i + 1. Zeroed it is empty. */
struct shots {
	struct lab_packets packets;
	struct shot *shot;
	size_t n;
};

void shots_release(struct shots *shots);

struct passage;

void passage_new(struct passage **out);
void passage_free(struct passage *p);

const struct lab_ns *passage_ns(const struct passage *p);

/* What became of shot i is in seen[i]; only shot `only` is shot, unless it is shots->n. */
void passage_shoot(struct passage *p, const struct shots *shots, size_t only, uint32_t *seen);
