/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Link layers: from the first byte of a captured packet to its IP header.
 */
#pragma once

#include "place.h"

struct link;

/* The link type (DLT_*) of a capture; NULL if it can't be read here. */
const struct link *link_of(int type);

/* Finds the outermost IP header. False: there is none, or not as far as was captured. */
bool link_find(struct place *place, const struct link *link, const uint8_t *packet, uint32_t size);
