/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The guard's programs, loaded: one for each device, or one for netfilter, all with the same maps.
 */
#pragma once

#include <stdint.h>

#include "store.h"

#include <unfrag/guard.h>

enum guard_map {
	GUARD_MAP_CONFIG,
	GUARD_MAP_STATE,
	GUARD_MAP_COUNTERS,
	GUARD_MAP_SETS,
	GUARD_MAP_DATAGRAMS,
	GUARD_MAP_SOURCES,
	GUARD_MAP_EVENTS,
	GUARD_MAP_MAX,
};

/* As it is named in the object and in the pin. Static. */
const char *guard_map_name(enum guard_map map);

struct guard_maps {
	int fds[GUARD_MAP_MAX]; /* -1: not made yet */
};

void guard_maps_init(struct guard_maps *m);
void guard_maps_release(struct guard_maps *m);

/* Logs the error. */
int guard_maps_pin(const struct guard_maps *m, const struct store *s);

struct guard_load {
	enum unfrag_guard_place place;
	uint32_t datagrams;
	uint32_t link_header; /* tc */
	uint8_t mac[6];       /* XDP */
};

/* Returns the descriptor of a program; the first one makes the maps. Logs errors. */
int guard_load(struct guard_maps *maps, const struct guard_load *what);
