/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept with a ruleset in the kernel, so that nothing but the BPF file system is needed to
 * show or change it: what was asked for, and the listing that it was read from.
 */
#pragma once

#include "instance.h"

#define KEPT_VERSION 2u
#define KEPT_PAGE    4096u

struct gate_bpf;

/* Before loading. listing NULL: none. */
int kept_sizes(struct gate_bpf *skel, const struct policy_listing *listing);

int kept_write(int about_fd, int listing_fd, const struct instance_about *about,
	       const struct policy_listing *listing, struct complaint *c);

/* Another `about`, beside the same listing. */
int kept_write_about(int about_fd, const struct instance_about *about, struct complaint *c);

/* -EINVAL: of another layout. The listing is to be released; NULL: it is not wanted. */
int kept_read(int about_fd, int listing_fd, struct instance_about *about,
	      struct policy_listing *listing);
