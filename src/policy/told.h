/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet that somebody describes in words:
 *
 *	udp 10.0.0.1:5353 > 10.8.0.2:53 len 4000 iif eth0
 *	tcp [2001:db8::1]:1024 > [2001:db8::2]:22 flags syn hook input
 *	icmp 10.0.0.1 > 10.8.0.2 type 8 reassembled largest 1500 smallest 548
 */
#pragma once

#include "complaint.h"
#include "rule.h"

struct told_packet {
	uint32_t family; /* 0: IPv4, 1: IPv6 */
	int hook;        /* -1: not told */
	bool has_iif, has_oif;
	struct gate_values values;
};

/* The whole text. -EINVAL, with the word that is not understood. */
int told_parse(struct told_packet *out, const char *text, struct complaint *c);

/* Only what may follow the addresses, into a packet that is known otherwise. */
int told_parse_options(struct told_packet *p, const char *text, struct complaint *c);

/* Whether a packet with these devices comes through a hook. */
bool told_meets_hook(const struct told_packet *p, uint32_t hook);

/* The values as they are at a hook: incoming packets have no outgoing device there, and so on. */
struct gate_values told_values(const struct told_packet *p, uint32_t hook);
