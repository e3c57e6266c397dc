/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same fragments under every overlap policy at once: which datagrams do systems read
 * differently, where, and what does each read there. Under the policy "drop" such a datagram is
 * nothing at all, so it is not asked.
 */
#pragma once

#include "record.h"

#define READING_BYTES 16
#define READINGS_MAX  (UNFRAG_REASM_POLICY_MAX - 1)

struct reading {
	uint32_t policies; /* bits: enum unfrag_reasm_policy */
	uint32_t n;        /* bytes there are, at most READING_BYTES */
	uint8_t bytes[READING_BYTES];
};

struct difference {
	struct datagram_key key;
	uint64_t time;     /* of the last fragment, ns since 1970 */
	uint32_t at, size; /* from the first byte that differs to the last, in the IP packet */
	uint32_t len;      /* of the packet */
	uint32_t n;
	struct reading readings[READINGS_MAX];
};

struct compare;

typedef void compare_tell_fn(const struct difference *difference, void *arg);

/* `like`: options of the engines but for the policy. */
int compare_new(struct compare **out, const struct unfrag_reasm_opts *like, compare_tell_fn *tell,
		void *arg);
void compare_free(struct compare *c);

/* Takes an IP packet. Returns whether it made a datagram whole that reads differently. */
bool compare_push(struct compare *c, const struct unfrag_reasm_packet *packet, uint64_t now,
		  const struct place *place);
