/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures for the benchmark: Ethernet, fragments of many datagrams, nothing else.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pcap_shape {
	int family;
	uint32_t size; /* payload bytes of a fragment */
	int fragments; /* of a datagram */
	int width;     /* datagrams on their way at once, a fragment of each in turn */
};

struct pcap_made {
	uint64_t fragments, datagrams;
	uint64_t out; /* bytes of the file with whole datagrams */
};

/* Writes a file of about `bytes`. 0 or -errno. */
int pcap_make(const char *path, const struct pcap_shape *shape, size_t bytes,
	      struct pcap_made *made);
