/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets of a capture as a gate sees them: whole.
 */
#pragma once

#include "told.h"
#include "trouble.h"

struct policy_pcap {
	uint64_t packets;    /* read */
	uint64_t unreadable; /* no IP packet, or cut too short to tell */
	uint64_t fragments;  /* that ended in no whole datagram */
};

/* number: of the packet in the capture, from 1; of a datagram, of its last piece. */
typedef int policy_pcap_fn(const struct told_packet *p, uint64_t number, uint64_t time, void *arg);

/* Calls fn for each packet until it returns other than 0, which is returned; or -errno. */
int policy_pcap_each(struct policy_pcap *stats, const char *path, policy_pcap_fn *fn, void *arg,
		     struct trouble *t);
