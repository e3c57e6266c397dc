/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dishonest side of the demo: datagrams to a port that is forbidden, sent in two fragments,
 * the one without ports first, and a look at what of them arrives.
 */
#pragma once

#include "net.h"

#define DEMO_SMUGGLED 1000

struct demo_smuggled {
	int sent;      /* datagrams */
	int through;   /* datagrams of which anything arrived */
	int fragments; /* packets that arrived */
};

/*
 * Sends DEMO_SMUGGLED datagrams with identifications from first_id on, from client to server, and
 * waits until all that comes through has come. What goes wrong is said. 0 or -errno.
 */
int demo_smuggle(const struct lab_router *router, int family, uint32_t first_id,
		 struct demo_smuggled *result);
