/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory an image takes once it is in maps.
 */
#pragma once

#include "image.h"

/* Fills in image->memory. */
void memory_count(struct image *image, const struct image_opts *opts);

/* -E2BIG beyond limit bytes; 0: no limit. */
int memory_check(const struct image *image, uint64_t limit, struct complaint *c);
