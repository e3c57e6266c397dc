/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * tc's classic way to a device's ingress, where the kernel has no tcx links: a BPF filter in direct
 * action, below a clsact qdisc. All in the namespace of the calling thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct clsact_filter {
	uint32_t ifindex;
	uint32_t handle;
	uint32_t priority;
	uint32_t prog_id;
};

/* 1 if the device has a qdisc there, 0 if not, or -errno. */
int clsact_is_there(uint32_t ifindex);

/* Makes the qdisc if it is not there. 0 or -errno. */
int clsact_make(uint32_t ifindex);

int clsact_attach(const struct clsact_filter *f, int prog_fd);

/* Whether the filter is there and has that program: 1, 0 or -errno. */
int clsact_has(const struct clsact_filter *f);

/* Removes the filter if it has that program; 0 too if it is not there. */
int clsact_detach(const struct clsact_filter *f);

/* Removes the qdisc if it has no filters. */
int clsact_remove_if_empty(uint32_t ifindex);
