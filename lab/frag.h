/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams cut into fragments by hand: finished IP packets, byte for byte, well formed or not.
 *
 *   struct lab_datagram  what is to be cut: addresses, protocol, identification, payload
 *   struct lab_packets   what comes out: raw IP packets in one buffer, in the order to send them
 *
 * "Payload" is what the fragments carry: for IPv4 all after the IP header, for IPv6 all that
 * would stand after the Fragment header. Sizes and offsets are bytes of payload.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "util.h"

#define LAB_PAYLOAD_MAX 65535

struct lab_datagram {
	int family;          /* AF_INET or AF_INET6 */
	struct in6_addr src; /* IPv4: the first four bytes */
	struct in6_addr dst;
	uint8_t protocol;        /* of the payload; in IPv6 the Fragment header's next header */
	uint8_t ttl;             /* or hop limit; 0 means 64 */
	uint8_t tos;             /* or traffic class */
	bool df;                 /* IPv4: don't-fragment, set in every fragment */
	uint32_t identification; /* IPv4: the low 16 bits */

	/*
	 * IPv4: options, a multiple of 4 up to 40 bytes. Fragments after the first carry those
	 * with the copied bit; the others become no-operations there.
	 * IPv6: extension headers that stand before the Fragment header. headers_first is the
	 * number of the first one; the last one's next header is filled in.
	 */
	const void *headers;
	size_t headers_len;
	uint8_t headers_first;

	const void *payload;
	size_t payload_len;
	void *owned; /* a payload to be freed by lab_datagram_release() */
};

/* An empty datagram between two addresses given as text. 0, -EINVAL or -EAFNOSUPPORT. */
int lab_datagram_init(struct lab_datagram *dg, int family, const char *src, const char *dst);
void lab_datagram_release(struct lab_datagram *dg);

/*
 * Makes the payload a UDP datagram of data, header and checksum included, owned by dg. Set the
 * addresses first; the old payload is released. At most 65,527 bytes. 0, -EMSGSIZE or -ENOMEM.
 */
int lab_datagram_set_udp(struct lab_datagram *dg, uint16_t sport, uint16_t dport, const void *data,
			 size_t len);

/* Bytes that tell where they belong: the same for the same seed, others for another. */
void lab_pattern(void *buf, size_t len, uint64_t seed);

/* The Internet checksum (RFC 1071) of data, to be stored as it is; sum starts at 0. */
uint16_t lab_checksum(const void *data, size_t len, uint32_t sum);

struct lab_packet {
	size_t offset; /* into lab_packets.data */
	size_t len;
};

/* Zeroed it is empty and ready for use. Packets may share bytes (duplicates do). */
struct lab_packets {
	unsigned char *data;
	size_t len, size;
	struct lab_packet *items;
	size_t count, items_size;
};

void lab_packets_release(struct lab_packets *packets);

/* Adds a copy of a finished packet. 0 or -ENOMEM. */
int lab_packets_add(struct lab_packets *packets, const void *data, size_t len);

/* The bytes of packet i; valid until the next packet is added. */
unsigned char *lab_packet_at(const struct lab_packets *packets, size_t i, size_t *len);

/*
 * All of the calls below add to the end of *out and return 0 or -errno.
 *
 * lab_fragment: fragments of frag_size bytes of payload (rounded down to a multiple of 8, at
 * least 8: else -EINVAL), in order; a payload that fits into one goes out whole.
 */
int lab_fragment(const struct lab_datagram *dg, size_t frag_size, struct lab_packets *out);

/*
 * One fragment, right or wrong: offset is any multiple of 8 up to 65,528, len anything that an IP
 * header can say, more the more-fragments bit. What lies beyond the payload is zeroes.
 */
int lab_fragment_at(const struct lab_datagram *dg, size_t offset, size_t len, bool more,
		    struct lab_packets *out);

/* The datagram as one packet that is no fragment, however long. */
int lab_whole(const struct lab_datagram *dg, struct lab_packets *out);

enum lab_order {
	LAB_IN_ORDER,
	LAB_REVERSED,
	LAB_ODD_THEN_EVEN,
	LAB_BLOCKS_BACKWARDS, /* three blocks, the last block first, each in order */
	LAB_RANDOM,
	LAB_ORDER_MAX,
};

const char *lab_order_name(enum lab_order order);

/*
 * Puts the packets into an order. With duplicates, each packet but the last one to be sent is
 * followed by a second copy: of itself or, in random order, of any sent so far. (A copy after the
 * last would start a reassembly that never ends.) The seed matters for LAB_RANDOM only.
 */
int lab_packets_order(struct lab_packets *packets, enum lab_order order, bool duplicates,
		      uint64_t seed);

/* A small seeded generator of random numbers, the same on every machine. */
struct lab_random {
	uint64_t state;
};

uint64_t lab_random_next(struct lab_random *random);

/* Below limit (> 0). */
uint64_t lab_random_below(struct lab_random *random, uint64_t limit);

static inline void lab_packets_releasep(struct lab_packets *packets)
{
	lab_packets_release(packets);
}

static inline void lab_datagram_releasep(struct lab_datagram *dg)
{
	lab_datagram_release(dg);
}

#define lab_auto_packets  lab_cleanup(lab_packets_releasep)
#define lab_auto_datagram lab_cleanup(lab_datagram_releasep)
