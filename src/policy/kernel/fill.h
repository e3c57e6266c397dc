/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image into the gate's maps: their sizes before the programs are loaded, their content after.
 */
#pragma once

#include "image.h"

struct bpf_map_create_opts;
struct gate_bpf;

/* 0 or -errno, of libbpf. */
int fill_sizes(struct gate_bpf *skel, const struct image *image);

/* All but sets, and counters, which start from zero. Names the map that can't be filled. */
int fill_arrays(const struct gate_bpf *skel, const struct image *image, struct complaint *c);
int fill_sets(const struct gate_bpf *skel, const struct image *image, struct complaint *c);

/* A map with this content, which is to be put into "trees" or "tuples": its descriptor. */
int fill_tree(const struct image_tree *tree);
int fill_tuples(const struct image_tuples *tuples);
