/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that loads a file in nftables' language into a network namespace of its own, and tells
 * what the kernel made of it. It ends with the namespace; a file can do no harm elsewhere, and
 * costs no more memory and time than is allowed.
 */
#pragma once

#include "policy.h"

/* The sections of a listing, none of them LISTING_FAILED. Errors as of policy_read(), told. */
int scratch_list(struct policy_listing *out, const char *path, const struct policy_read_opts *opts);

/* Inside that process, in the namespace: all of nf_tables, to `fd`. */
int scratch_dump(int fd);

/* A device to be there: "iif" is resolved when a file is loaded. */
struct scratch_devices {
	struct if_nameindex *list; /* of the namespace that the file is for */
};

/* Makes as many of them as can be made. */
void scratch_make_devices(const struct scratch_devices *devices);

/* Inside that process: says why it ends, and ends it. */
__attribute__((noreturn)) void scratch_fail(int fd, int err, const char *what);

/* Inside it: libnftables, which keeps to itself what it would print. */
struct nft_ctx *scratch_nftables(int fd);

/* Inside it: a section of text, if there is any. */
void scratch_put_text(int fd, uint32_t section, const char *text);

int listing_put(int fd, uint32_t section, const void *data, size_t len);
