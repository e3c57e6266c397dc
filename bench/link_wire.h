/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic through the middlebox of the lab's router, as fast as it goes, every frame accounted for.
 *
 *   live frames ──▶ left ── middle ── right ──────── eth0 ──▶ XDP_DROP, counted
 *
 * The sender is an XDP program that the kernel runs on pages of its own (BPF_PROG_TEST_RUN, live
 * frames): no socket, no device and no copy stand before the middlebox's first hook. What is sent
 * is UDP to port 53, one flow a family, without checksum: as a device that has checked it would
 * hand it in, nobody computes one.
 */
#pragma once

#include <stddef.h>

#include "net.h"

enum wire_traffic {
	WIRE_SMALL_IPV4, /* frames of 64 bytes */
	WIRE_SMALL_IPV6,
	WIRE_LARGE_IPV4, /* 2,900 bytes of UDP in two frames */
	WIRE_LARGE_IPV6,
	WIRE_TRAFFIC_MAX,
};

const char *wire_traffic_name(enum wire_traffic traffic);

struct wire;

/* Needs the router for as long as it lives. 0 or -errno, told in words. */
int wire_new(struct wire **out, const struct lab_router *router);
void wire_free(struct wire *wire);

/* The first frame of a datagram, with its Ethernet header. */
const void *wire_frame(const struct wire *wire, enum wire_traffic traffic, size_t *size);

/* Datagrams, a multiple of every batch, that go ahead of those that are timed. */
#define WIRE_WARM_UP 1024

/*
 * Sends datagrams and waits until all have arrived as they were sent. *ns: what one took.
 * 0; -EBADMSG when not all arrived, or in other frames; or another -errno. Told in words.
 */
int wire_send(struct wire *wire, enum wire_traffic traffic, unsigned int datagrams, double *ns);

/* The same without the middlebox: each frame is made and thrown away. */
int wire_send_nowhere(struct wire *wire, enum wire_traffic traffic, unsigned int datagrams,
		      double *ns);
