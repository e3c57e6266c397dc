/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine under test, and a book of all that it says: each fragment has exactly one fate, and
 * its memory is what it was given. Checked as it goes, and again at the end.
 *
 * A test that is built with ENGINE_LENDS lends its packets where the engine may borrow them: each
 * is a copy that must come back once, and is gone when it does.
 */
#pragma once

#include <lab.h>
#include <unfrag/reasm.h>

#include "test.h"

#define SECOND UINT64_C(1000000000)

#ifndef ENGINE_LENDS
#define ENGINE_LENDS 0
#endif

struct engine {
	struct unfrag_reasm *r;
	uint64_t now;
	uint64_t scope;
	struct unfrag_reasm_result res; /* of the last packet */
	struct unfrag_reasm_fate fate;  /* the last one taken */
	uint64_t fragments;             /* brought, whose fate is to be known */
	uint64_t known;                 /* whose fate is known */
	uint64_t fates;                 /* of datagrams that were given up */
	uint32_t *held;                 /* by slot: fragments held */
	uint64_t *number;               /* by slot: of its datagram */
	uint32_t slots;
	size_t memory;
	bool lends;
	uint64_t lent; /* packets that the engine has */
	void *unlent;  /* the last packet, if it has not: its result may be read */
};

/* Fixtures: all defaults but for fates, which are kept. */
void engine_open_with(struct engine *e, const struct unfrag_reasm_opts *opts, bool lends);
static inline void engine_open(struct engine *e, const struct unfrag_reasm_opts *opts)
{
	engine_open_with(e, opts, ENGINE_LENDS);
}

static inline void engine_policy(struct engine *e, enum unfrag_reasm_policy policy)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts), .policy = policy };

	engine_open(e, &opts);
}

/* Gives up what is left, checks the books and ends the engine. */
void engine_close(struct engine *e);

/* Brings a packet; the result is in e->res. Returns its outcome. */
int engine_push(struct engine *e, const void *data, size_t len);
int engine_push_packet(struct engine *e, const struct lab_packets *packets, size_t i);

/* Brings one fragment of a datagram, as lab_fragment_at() makes it. */
int engine_push_at(struct engine *e, const struct lab_datagram *dg, size_t off, size_t len,
		   bool more);

/* Brings one fragment of some UDP datagram, within its first 1,024 bytes, with bytes of its own. */
int engine_push_bytes(struct engine *e, int family, uint32_t id, int off, const void *bytes,
		      int len, bool more);

/* Brings them all; returns how many datagrams became whole. */
int engine_push_all(struct engine *e, const struct lab_packets *packets);

/* Takes back all that the engine has let go of. */
void engine_take_back(struct engine *e);

/* Handles what is due and takes all fates. */
void engine_expire(struct engine *e);
void engine_take_fates(struct engine *e);

/* The last result must be dropped for that reason. */
void engine_assert_dropped(const struct engine *e, enum unfrag_reason reason);

/* The last result must be this whole packet, copied and in pieces. */
void engine_assert_whole(const struct engine *e, const struct lab_datagram *dg);

/* A datagram between two documentation addresses with a pattern of that length as payload. */
void make_datagram(struct lab_datagram *dg, int family, size_t len, uint32_t id);
