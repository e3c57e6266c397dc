/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Link layers: from the first byte of a captured packet to its IP header.
 */
#pragma once

#include "place.h"

/* Whether packets of this link type (DLT_*) can be read here. */
bool link_is_known(int type);

/* Finds the outermost IP header. False: there is none, or not as far as was captured. */
bool link_find(struct place *place, int type, const uint8_t *packet, uint32_t size);
