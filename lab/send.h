/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Senders of finished IP packets, in two kinds:
 *
 *   lab_raw_sender   through the namespace's own stack (LOCAL_OUT and POST_ROUTING hooks, routing).
 *                    IPv4: the kernel writes total length and checksum, and an identification
 *                    if it is 0. A packet longer than the MTU is refused: -EMSGSIZE.
 *   lab_link_sender  straight to a device, byte for byte, past all hooks of the sender: use it
 *                    for malformed packets and for a stream at speed.
 */
#pragma once

#include "frag.h"
#include "ns.h"

struct lab_sender;

/* family: AF_INET or AF_INET6. 0 or -errno. */
int lab_raw_sender(struct lab_sender **out, const struct lab_ns *ns, int family);

/*
 * Both families. The link destination is that of the device's IPv4 neighbour: on the lab's wires
 * there is always one; elsewhere send something first. -ENOENT without one.
 */
int lab_link_sender(struct lab_sender **out, const struct lab_ns *ns, const char *ifname);

void lab_sender_free(struct lab_sender *sender);

/* One finished packet. 0 or -errno. */
int lab_send(struct lab_sender *sender, const void *packet, size_t len);

/* All packets, in their order. 0 or the first -errno. */
int lab_send_all(struct lab_sender *sender, const struct lab_packets *packets);

static inline void lab_sender_freep(struct lab_sender **sender)
{
	lab_sender_free(*sender);
}

#define lab_auto_sender lab_cleanup(lab_sender_freep)
