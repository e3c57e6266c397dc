/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixture of tests that bring the same fragments to the kernel, in front of an attachment, and
 * to the engine, and compare the whole datagrams that come out, byte for byte. The calls assert.
 *
 * Fragments go over a wire to a router whose program hands on all that it sees (whole.bpf.c). They
 * are sent in bulk; now and then a small packet follows, the mark. The sender stays on one CPU and
 * nothing on the way changes the order, so what the program saw before the mark is all there is.
 *
 * Each datagram is of a source of its own, so it has a key of its own, and a whole one tells which
 * it is. Nothing is given up for time, memory or distance while a test runs, on either side.
 */
#pragma once

#include <lab.h>
#include <test.h>
#include <unfrag/reasm.h>

#include "attached.h"

#define AGREE_BATCH 256 /* packets between two marks; a device's queue holds 1,000 */

struct agree {
	struct lab_router *router;
	struct attached *program;
	struct lab_sender *sender;
	struct ring_buffer *ring;
	struct unfrag_reasm *engine;
	struct lab_packets kernel; /* whole datagrams, in the order in which they became so */
	struct lab_packets ours;
	uint32_t number; /* of the latest datagram */
	size_t since_mark;
	bool marked;
	unsigned char *data; /* LAB_PAYLOAD_MAX random bytes */
};

void agree_setup(void **state);
void agree_teardown(void *state);

#define AGREE_TEST(fn) TEST_WITH(fn, agree_setup, agree_teardown)

/* Another engine than the fixture's; nothing is given up in it either. */
struct unfrag_reasm *agree_engine(void);

/* The next datagram: UDP by its protocol, with the first bytes of s->data as payload. */
void agree_make(struct agree *s, int family, struct lab_datagram *dg, size_t payload_len);

/* Which datagram a packet is, or is of. */
uint32_t agree_number(const unsigned char *packet);

/* Brings a packet to an engine; one that becomes whole by it is added to `wholes`. */
enum unfrag_reasm_outcome agree_push(struct unfrag_reasm *r, const void *packet, size_t len,
				     uint64_t scope, struct lab_packets *wholes);

/* Sends packets to the kernel alone, and to both. */
void agree_send_kernel(struct agree *s, const void *packet, size_t len);
void agree_send(struct agree *s, const struct lab_packets *packets);

/* After this the kernel's whole datagrams are all there. */
void agree_mark(struct agree *s);

/* Both lists are the same. */
void agree_same(const struct lab_packets *a, const struct lab_packets *b);

/* Marks; both sides made the same datagrams whole, `want` of them; then forgets them. */
void agree_check(struct agree *s, size_t want);
