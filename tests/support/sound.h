/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether an image is one that the gate may run: every number in it leads to what is there. And
 * packets that there may be.
 */
#pragma once

#include "image.h"

/* NULL: it is. Else what is not. */
const char *sound_image(const struct image *image, const struct ruleset *rs);

/* Makes values those of a packet of a family: 0 IPv4, 1 IPv6. It has nothing of the other one. */
void sound_values(struct gate_values *v, uint32_t family);
