/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixture of tests of the guarantee: fragments find a way past the kernel's defragmenter, and
 * three places are compared: what the program behind unfrag met, what the counters say, and what
 * came through. The calls assert.
 *
 * The program stands in the middle (at output: in the client). An ear on the server's device takes
 * what came through. A small whole datagram, the mark, ends each round: it comes last, as the
 * sender stays on one CPU and nothing on the way changes the order of packets. Outcomes are
 * compared to the packet, all but "whole", which hosts add to with what they have to say to each
 * other.
 */
#pragma once

#include <lab.h>
#include <test.h>

#include "attached.h"

#define BYPASS_CLIENT_PORT 40000
#define BYPASS_SERVER_PORT 50000
#define BYPASS_FRAGMENTS   3 /* of a datagram of bypass_add_fragments() */

struct bypass {
	struct lab_router *router;
	struct attached *program;
	struct lab_sender *sender; /* to the client's device, past its hooks */
	struct unfrag_hold *hold;  /* to be released in the end; NULL: none */
	int ear, sink, family;
	enum unfrag_hook hook;
	uint32_t id; /* of the latest datagram */
	unsigned int marks;
	unsigned char data[4000]; /* random bytes */
};

void bypass_setup(void **state);
void bypass_teardown(void *state);

#define BYPASS_TEST(fn) TEST_WITH(fn, bypass_setup, bypass_teardown)

/* Attaches a program of tests/bpf for both families, the latest one gone; family: of the round. */
void bypass_attach(struct bypass *b, const char *object, int family, enum unfrag_hook hook,
		   uint32_t flags);

/* A UDP datagram with an identification of its own; what was in *dg is released. */
void bypass_make(struct bypass *b, struct lab_datagram *dg, const void *data, size_t len);

/* Adds one that is fine, in BYPASS_FRAGMENTS; `turned`: the last one first. */
void bypass_add_fragments(struct bypass *b, bool turned, struct lab_packets *packets);

/* What came through from the client since the last mark. */
struct bypass_heard {
	unsigned int fragments;
	unsigned int others;
};

struct bypass_heard bypass_mark(struct bypass *b);

struct bypass_outcomes {
	uint64_t n[UNFRAG_OUTCOME_MAX];
};

/* Exactly these, "whole" left out: COUNTED(b, FIRST = 1, LATER = 2), the others zero. */
void bypass_counted(const struct bypass *b, struct bypass_outcomes want);

#define COUNTED(b, ...) bypass_counted((b), (struct bypass_outcomes){ .n = { __VA_ARGS__ } })
#define FIRST           [UNFRAG_OUTCOME_FRAGMENT_FIRST]
#define LATER           [UNFRAG_OUTCOME_FRAGMENT_LATER]
#define MALFORMED       [UNFRAG_OUTCOME_FRAGMENT_MALFORMED]
#define UNREADABLE      [UNFRAG_OUTCOME_UNREADABLE]
#define EMPTY           [UNFRAG_OUTCOME_SLOT_EMPTY]
#define REASSEMBLED     [UNFRAG_OUTCOME_REASSEMBLED]

/* The counters of the round's hook and family; that they add up has been checked. */
struct unfrag_counters bypass_counters(const struct bypass *b);

/* The program "shoot" met so many whole datagrams besides the marks, and not one fragment. */
void bypass_program_saw(const struct bypass *b, uint64_t whole);
