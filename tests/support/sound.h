/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether an image is one that the gate may run: every number in it leads to what is there.
 */
#pragma once

#include "image.h"

/* NULL: it is. Else what is not. */
const char *sound_image(const struct image *image, const struct ruleset *rs);
