/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels: from an IP header to the one that its datagram carries.
 */
#pragma once

#include "place.h"

/*
 * Moves the place from a whole IP packet to the IP packet inside of it. The tunnel becomes a part
 * of the scope, and its fields that count are noted to be put right. False, and the place is as it
 * was: there is no IP inside, or it is behind PLACE_TUNNELS tunnels.
 */
bool tunnel_enter(struct place *place, const uint8_t *packet, uint32_t size);
