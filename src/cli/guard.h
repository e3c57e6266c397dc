/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb "guard": what its words share.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli.h"

struct guard_request {
	const char *netns;
	const char *id;
	const char *devices[UNFRAG_GUARD_DEVICES_MAX];
	uint32_t device_count;
	uint32_t families;
	enum unfrag_guard_place place;
	enum unfrag_guard_mode mode;
	int32_t priority;
	struct unfrag_guard_limits limits;
	uint32_t rows; /* of top */
	bool no_tune;
	bool all;
	bool json;
	bool openmetrics;
};

/* Which options a word takes; --netns and --json go with all. */
enum guard_given {
	GUARD_GIVEN_PLACE = 1,
	GUARD_GIVEN_LIMITS = 2,
	GUARD_GIVEN_ID = 4,
	GUARD_GIVEN_ALL = 8,
	GUARD_GIVEN_OPENMETRICS = 16,
	GUARD_GIVEN_ROWS = 32,
	GUARD_GIVEN_JSON = 64,
};

/* Reads options into *q and notes in *given which kinds there were. False: return *code. */
bool guard_options(const struct verb *self, struct guard_request *q, int argc, char **argv,
		   unsigned int *given, int *code);

/* The guard of --id or of the namespace. 0 or -errno, which is in words already. */
int guard_open(const struct guard_request *q, struct unfrag_guard **out);

int guard_status(const struct guard_request *q);
int guard_top(const struct guard_request *q);
int guard_watch(const struct guard_request *q);

json_t *guard_json_limits(struct unfrag_guard *guard);
json_t *guard_json_sysctls(struct unfrag_guard *guard);
json_t *guard_json_devices(const struct unfrag_guard_info *i);

/* "eth0:native,eth1:generic", "-" where there are none; buf of GUARD_WORDS bytes. */
#define GUARD_WORDS 512
const char *guard_devices(const struct unfrag_guard_info *i, char *buf);

/* "10.0.0.1", "fd00::/64": with the bits that count, unless that is all of them. */
#define GUARD_ADDRESS 64
const char *guard_address(uint32_t family, const uint8_t *address, uint32_t prefix, char *buf);
