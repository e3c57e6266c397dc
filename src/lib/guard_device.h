/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The guard at devices: found, joined by tcx link, clsact filter or XDP link, and left again.
 *
 * A filter has no pin, so what is needed to find it again is noted in the guard's place before it
 * is made.
 */
#pragma once

#include "guard.h"

/* A device as the programs need to know it. */
struct device_facts {
	uint32_t link_header;
	uint8_t mac[6];
};

/*
 * Looks up the devices that are named, in the namespace (see netns_call()), and fills in what is
 * known of them. -ENODEV, -EINVAL, logged.
 */
int device_find(int netns_fd, const struct unfrag_guard_opts *opts, struct guard_place *place,
		struct device_facts *facts);

struct device_join {
	enum unfrag_guard_place place;
	enum unfrag_guard_mode mode; /* as asked */
	const int *progs;
	struct guard_place *about;
	int about_fd; /* map that it is kept in */
	const struct store *store;
};

/* Puts the program of each at it and pins what can be pinned. On failure some may be left. */
int device_join_all(int netns_fd, struct device_join *j);

/* Removes the filters that have no pin. What is gone already is fine. */
int device_leave_all(int netns_fd, const struct guard_place *place);

/* Notes in `problem` if a device's program is not where it was; netns_fd as of guard_netns(). */
int device_check(int netns_fd, const struct store *s, const struct guard_device *d, char *problem,
		 size_t size);
