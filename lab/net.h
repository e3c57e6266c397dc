/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two wirings, each of unnamed namespaces joined by veth:
 *
 *   lab_router    client ─────────────── middle ─────────────── server
 *                   eth0               left  right               eth0
 *                  10.77.1.2      10.77.1.1  10.77.2.1      10.77.2.2
 *                 fd00:77:1::2  fd00:77:1::1 fd00:77:2::1  fd00:77:2::2
 *
 *   lab_pair      client ─────────────── server, both named eth0, the same two addresses with one
 *                 prefix around both (/16, /32): what runs on a router runs on a pair
 *
 * MTU 1500, every offload off that hides fragments or leaves a checksum open, no duplicate
 * address detection, forwarding on in the middle, fixed MAC addresses and permanent neighbour
 * entries for the addresses above: no resolution traffic disturbs a count, and a packet program
 * that drops everything does not cut the wire for good. Link-local addresses stay, and with them
 * a few multicast listener reports.
 *
 * When a call returns 0, a small datagram has gone there and back in both families.
 */
#pragma once

#include "ns.h"

#define LAB_CLIENT_IF "eth0"
#define LAB_LEFT_IF   "left"
#define LAB_RIGHT_IF  "right"
#define LAB_SERVER_IF "eth0"

#define LAB_CLIENT_V4 "10.77.1.2"
#define LAB_LEFT_V4   "10.77.1.1"
#define LAB_RIGHT_V4  "10.77.2.1"
#define LAB_SERVER_V4 "10.77.2.2"

#define LAB_CLIENT_V6 "fd00:77:1::2"
#define LAB_LEFT_V6   "fd00:77:1::1"
#define LAB_RIGHT_V6  "fd00:77:2::1"
#define LAB_SERVER_V6 "fd00:77:2::2"

#define LAB_CLIENT_MAC "02:00:00:77:01:02"
#define LAB_LEFT_MAC   "02:00:00:77:01:01"
#define LAB_RIGHT_MAC  "02:00:00:77:02:01"
#define LAB_SERVER_MAC "02:00:00:77:02:02"

struct lab_router {
	struct lab_ns *client;
	struct lab_ns *middle;
	struct lab_ns *server;
};

struct lab_pair {
	struct lab_ns *client;
	struct lab_ns *server;
};

/* 0 or -errno; -ETIMEDOUT if the wire did not come up. *out is untouched on failure. */
int lab_router_new(struct lab_router **out);
void lab_router_free(struct lab_router *router);

int lab_pair_new(struct lab_pair **out);
void lab_pair_free(struct lab_pair *pair);

/* The addresses above by family, as text. */
const char *lab_client_addr(int family);
const char *lab_server_addr(int family);

/*
 * Sends small datagrams from one namespace to an address in the other, and back, until one came
 * back in each family, for at most ms. The ready check of the calls above; port 7 must be free.
 */
int lab_wait_ready(const struct lab_ns *client, const struct lab_ns *server, int ms);

static inline void lab_router_freep(struct lab_router **router)
{
	lab_router_free(*router);
}

static inline void lab_pair_freep(struct lab_pair **pair)
{
	lab_pair_free(*pair);
}

#define lab_auto_router lab_cleanup(lab_router_freep)
#define lab_auto_pair   lab_cleanup(lab_pair_freep)
