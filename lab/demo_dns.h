/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The honest side of the demo: an authoritative DNS server (nsd) with answers of about 1,800, 4,000
 * and 8,000 bytes over UDP, and a resolver's tool (kdig) that asks for them.
 */
#pragma once

#include "net.h"

/* Other addresses that the server answers at, if its namespace has them; another /64. */
#define LAB_OTHER_V4 "10.77.2.3"
#define LAB_OTHER_V6 "fd00:77:4::3"

struct demo_dns;

/*
 * Starts the server in the server's namespace and waits until it answers the client in both
 * families, large answers included. What goes wrong is said. 0 or -errno.
 */
int demo_dns_new(struct demo_dns **out, const struct lab_router *router);

/* Stops the server and removes its files. */
void demo_dns_free(struct demo_dns *dns);

/* Asks for large answers, all at once. How many came back whole, or -errno. */
int demo_dns_ask(const struct demo_dns *dns, int family, int count);

static inline void demo_dns_freep(struct demo_dns **dns)
{
	demo_dns_free(*dns);
}
