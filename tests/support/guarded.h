/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guard under test: the native build of it, and if asked its three BPF programs through
 * BPF_PROG_TEST_RUN, each with tables of its own. They are given the same packets at the same
 * times, and must say the same of each.
 */
#pragma once

#include <lab.h>
#include <stdbool.h>
#include <stdint.h>
#include <unfrag/reason.h>

#include "../../src/guard/layout.h"
#include "test.h"
#include "usual.h"

#define GUARDED_PLACES 3 /* netfilter, tc, XDP */

struct guarded_place {
	const char *name;
	struct bpf_object *obj;
	void *skeleton;
	void (*destroy)(void *skeleton);
	int prog_fd;
	int config_fd, state_fd, counters_fd, sources_fd;
	uint32_t datagram_mask, source_mask; /* what its tables were made for */
};

struct guarded {
	struct guarded_place places[GUARDED_PLACES];
	int n_places;
	struct guard_native *native;
	uint64_t now;     /* ns */
	uint64_t glances; /* fragments that the native build refused at a glance */
};

/*
 * bpf: all places, else the native build alone. Closed places are kept, and wiped when they are
 * opened again: to verify their programs takes by far the most of a test.
 */
void guarded_open(struct guarded *g, const struct guard_config *c, bool bpf);
void guarded_close(struct guarded *g);

/* Other limits from here on; tables keep their size. */
void guarded_tune(struct guarded *g, const struct guard_config *c);

/* Shows it a packet, from the IP header on. NONE: it passed; or the reason why not. */
uint32_t guarded_see(struct guarded *g, const void *packet, size_t len);
uint32_t guarded_see_packet(struct guarded *g, const struct lab_packets *packets, size_t i);

/* One fragment of a datagram, as lab_fragment_at() makes it. */
uint32_t guarded_see_at(struct guarded *g, const struct lab_datagram *dg, size_t off, size_t len,
			bool more);

/* Of the native build, which the others must agree with: guarded_agree(). */
int64_t guarded_used(const struct guarded *g, int family);
const struct guard_counters *guarded_counters(const struct guarded *g, int family);
const struct guard_source *guarded_source(const struct guarded *g, int family,
					  const struct lab_datagram *dg);

/* All places have come to the same state and counters. */
void guarded_agree(const struct guarded *g);

/* Two guards have come to the same state, tables and counters, natively and at each place. */
void guarded_same(const struct guarded *a, const struct guarded *b);
