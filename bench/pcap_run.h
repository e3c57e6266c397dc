/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs of the command and of its peer, tshark, each a process. What they say is checked.
 */
#pragma once

#include <stdbool.h>

#include "pcap_file.h"

/* ns: by the clock; in user space and in the kernel. */
struct pcap_cost {
	double clock, cpu;
};

bool pcap_has_peer(void);

/* 0 or -errno, told in words. */
int pcap_run_ours(const char *in, const char *out, const struct pcap_made *made,
		  struct pcap_cost *cost);
int pcap_run_peer(const char *in, const struct pcap_made *made, struct pcap_cost *cost);
