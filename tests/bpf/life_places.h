/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs of tests/bpf/life_places.bpf.c tell: which content of theirs met which packet.
 */
#pragma once

#include <linux/types.h>

#define PLACES_PROGRAMS 3
#define PLACES_PACKETS  (1u << 16)

/* Of a packet, told apart by the first four bytes of its UDP payload; 0: not met. */
struct places_met {
	__u32 content[PLACES_PROGRAMS]; /* `content` of the program that met it */
};
