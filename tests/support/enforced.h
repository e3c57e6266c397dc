/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file in nftables' language, put in force by the gate in a namespace as the command would: read,
 * compiled, loaded and attached at all its places.
 */
#pragma once

#include "nft_count.h"

struct enforced;

/* 0 or -errno; then `why` says more. */
int enforced_new(struct enforced **out, const struct lab_ns *ns, const char *path, char *why,
		 size_t size);
void enforced_free(struct enforced *e);

/* Another file in its place, in one step. On failure the old one stays. */
int enforced_replace(struct enforced *e, const char *path, char *why, size_t size);

/* As nft_counts_read() of the same file. 0 or -errno. */
int enforced_counts(const struct enforced *e, struct nft_counts *out);

/* Of its attachment. */
const char *enforced_name(const struct enforced *e);

/* The program at the first of the places: its descriptor. */
int enforced_program(const struct enforced *e);
