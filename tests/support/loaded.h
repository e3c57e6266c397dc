/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset in the kernel, attached to nothing: packets are given to its programs by hand.
 */
#pragma once

#include <instance.h>

struct loaded {
	struct ruleset rs; /* to be filled in, or read */
	struct image *image;
	struct instance *instance;
};

/* Compiles and loads what is in rs. */
void loaded_start(struct loaded *l, const struct instance_opts *opts);

/* A file's text, which nftables reads. */
void loaded_read(struct loaded *l, struct policy_listing *listing, const char *text);
void loaded_release(struct loaded *l);

/* GATE_ACCEPT or GATE_DROP of all ranks at a hook, for a packet from its IP header on. */
uint32_t loaded_packet(const struct loaded *l, uint32_t family, uint32_t hook, const void *packet,
		       size_t len);

/* What loaded_packet() shows a ruleset of such a packet. */
struct gate_values loaded_values(uint32_t hook, const void *packet, size_t len);

struct gate_counter loaded_counter(const struct instance *in, uint32_t number);

/* An IPv4 packet with UDP ports; its length. */
size_t loaded_udp(uint8_t packet[64], uint32_t source, uint32_t dest, uint16_t sport,
		  uint16_t dport);
