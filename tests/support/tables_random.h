/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random rules, aimed at packets: the values that they look for are those of packets, or next to
 * them.
 */
#pragma once

#include <lab.h>

#include "../../src/gate/layout.h"
#include "tables.h"

#define RANDOM_PACKET_MAX 256

struct random_packet {
	uint8_t data[RANDOM_PACKET_MAX];
	uint32_t len;
};

/* Of either family, mostly well-formed, with options, extension headers and cut short at times. */
void random_packet(struct random_packet *p, struct lab_random *random);

/* Rules with conditions of all kinds, jumps, counters, limits that let a few packets pass. */
struct rules *random_rules(struct lab_random *random, const struct gate_values *values, size_t n,
			   uint32_t entries);

/* Conditions on intervals of few fields and nothing else: what GATE_IS_PLAIN stands for. */
struct rules *random_plain_rules(struct lab_random *random, const struct gate_values *values,
				 size_t n);
