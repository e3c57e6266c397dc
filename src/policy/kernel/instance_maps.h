/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of an instance's code share: its maps, by number.
 */
#pragma once

#include "instance.h"

struct gate_bpf;

/* Those that are looked at after loading. */
enum instance_map {
	INSTANCE_ABOUT,
	INSTANCE_LISTING,
	INSTANCE_COUNTERS,
	INSTANCE_EARLIER,
	INSTANCE_LIMITS,
	INSTANCE_TREES,
	INSTANCE_TUPLES,
	INSTANCE_EVENTS,
	INSTANCE_LOST,
	INSTANCE_MAP_MAX,
};

struct instance {
	struct gate_bpf *skel; /* of one that was loaded, with all descriptors; else NULL */
	int fds[INSTANCE_MAP_MAX];
	struct instance_about about;
	const struct ruleset *rs;
	struct ruleset own; /* of one that was opened, as is the next */
	struct policy_listing listing;
};

/* The kernel's refusal, in words. what: "the map 'x' can't be filled" */
int instance_complain(struct complaint *c, int err, const char *what);

/* Fills in what all maps take now. */
int instance_weigh(struct instance *in);

/* Fills entries 0..n-1 of an array; reads them. Entries of counters are of all CPUs. */
int instance_write(int fd, const void *values, size_t n);
int instance_read(int fd, void *values, size_t n);
