/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet that somebody describes in words, or by its bytes:
 *
 *	udp 10.0.0.1:5353 > 10.8.0.2:53 len 4000 iif eth0
 *	tcp [2001:db8::1]:1024 > [2001:db8::2]:22 flags syn hook input
 *	icmp 10.0.0.1 > 10.8.0.2 type 8 reassembled largest 1500 smallest 548
 */
#pragma once

#include "complaint.h"
#include "rule.h"
#include "spell.h"

struct told_packet {
	uint32_t family; /* 0: IPv4, 1: IPv6 */
	int hook;        /* -1: not told */
	bool has_iif, has_oif, has_ct;
	struct gate_values values;
};

/* The whole text. -EINVAL, with the word that is not understood. */
int told_parse(struct told_packet *out, const char *text, struct complaint *c);

/*
 * A whole packet as it is, from its IP header on, with nothing known of where it came from.
 * -EINVAL: not even its IP header is there, or it is no IP.
 */
int told_from_bytes(struct told_packet *out, const uint8_t *packet, size_t size);

/* Only what may follow the addresses, into a packet that is known otherwise. */
int told_parse_options(struct told_packet *p, const char *text, struct complaint *c);

/* Whether ports stand behind the IP header. */
bool told_has_ports(int protocol);

/* The values as they are at a hook: incoming packets have no outgoing device there, and so on. */
struct gate_values told_values(const struct told_packet *p, uint32_t hook);

/* "udp 10.0.0.1:5353 > 10.8.0.2:53, 4000 bytes, of fragments of 548 to 1500" */
struct spelling told_spell(const struct told_packet *p);
