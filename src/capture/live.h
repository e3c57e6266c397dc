/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets from a network interface as they come and go.
 */
#pragma once

#include <pcap/pcap.h>

#include "trouble.h"

/* Sees what the interface sees, other hosts' packets too. Returns 0 or -errno. */
int live_open(pcap_t **out, const char *interface, struct trouble *t);

/* Waits until there is a packet, a signal, or a tenth of a second is over. */
void live_wait(pcap_t *pcap);

/* Packets that came while there was no room for them. */
unsigned int live_lost(pcap_t *pcap);
