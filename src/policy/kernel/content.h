/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in the map of a set: the elements that it was made of, neighbours joined.
 */
#pragma once

#include "region.h"

/* By the descriptor of the map in "trees" or "tuples". -EINVAL: it is none of ours. */
int content_of_tree(struct regions *out, int fd, const struct set *s);
int content_of_tuples(struct regions *out, int fd, const struct set *s);
