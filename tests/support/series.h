/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixture of tests that send datagrams in fragments, many of them, and look at what a program
 * behind unfrag makes of them (tests/bpf/bytes.bpf.c). The calls assert.
 *
 * Datagrams go from client to server by way of the middle; the program stands in the middle
 * (prerouting, forward), the server (input) or the client (output). Now and then a small whole
 * datagram follows, the mark. The sender stays on one CPU and nothing on the way changes the order
 * of packets, so a program that has seen the mark has seen all that came before it: then what it
 * saw must be the datagrams sent since the last mark, once each, in their order.
 */
#pragma once

#include <bytes.h>
#include <lab.h>
#include <test.h>

#include "attached.h"

#define SERIES_PORT     50000 /* of the server */
#define SERIES_UDP_HLEN 8u
#define SERIES_BATCH    256 /* packets between two marks; a device's queue holds 1,000 */

/* A datagram that was sent, and what the program has to say of it. */
struct series_expected {
	uint32_t id;
	uint32_t l4_len;
	uint64_t sum;
	uint16_t sport;
	uint32_t frag_max_size; /* 0: was sent whole */
};

struct series {
	struct lab_router *router;
	struct attached *program;
	struct lab_sender *sender;
	enum unfrag_hook hook;
	int family;
	int sink;            /* takes what arrives in the end, so that nobody complains */
	uint32_t id;         /* of the latest datagram */
	unsigned char *data; /* LAB_PAYLOAD_MAX random bytes */
	struct series_expected expected[SERIES_BATCH];
	size_t n_expected;
	size_t since_mark; /* packets sent */
};

void series_setup(void **state);
void series_teardown(void *state);

#define SERIES_TEST(fn) TEST_WITH(fn, series_setup, series_teardown)

/* Attaches the program, for both families, and opens the sender of one. Once. */
void series_begin(struct series *s, enum unfrag_hook hook, int family);

/* The next datagram, of that many bytes of data: its own identification, source port and bytes. */
void series_make(struct series *s, struct lab_datagram *dg, size_t len);

/* Sends packets that are to be seen as nothing. */
void series_send(struct series *s, const struct lab_packets *packets);

/* Sends a datagram in fragments; it is to be seen as one packet. */
void series_send_datagram(struct series *s, const struct lab_datagram *dg, size_t fragment,
			  enum lab_order order, bool duplicates);

/* All that was sent has been seen, and nothing else. */
void series_mark(struct series *s);

/* The next record of the program. */
void series_take(const struct series *s, struct bytes_record *r);

/* The program's sum over a payload. */
uint64_t series_sum(const unsigned char *payload, size_t len);
