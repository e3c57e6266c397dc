// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel and the engine make the same whole datagrams of the same fragments, byte for byte:
 * orders and sizes (case 1), sizes at the edge (case 3) and headers (case 7). How that is seen:
 * agree.h. What they make differently: test_agree_differences.c.
 *
 * The grid of case 1, for each family and each of five orders without and with duplicates: 9 to
 * 65,000 bytes in steps of 571, and 9 to 1,500 in steps of 13; each datagram in fragments of
 * another size, of all that make more than one and not too many.
 */
#include <agree.h>
#include <string.h>

#define FRAGMENTS_MAX 400
#define STEP_LARGE    571
#define STEP_SMALL    13

static size_t largest_fragment(int family)
{
	return family == AF_INET6 ? 1448 : 1480;
}

static size_t payload_max(int family)
{
	return family == AF_INET6 ? 65535 : 65515;
}

static void send_datagram(struct agree *s, const struct lab_datagram *dg, size_t fragment,
			  enum lab_order order, bool duplicates)
{
	lab_auto_packets struct lab_packets packets = { 0 };

	test_ok(lab_fragment(dg, fragment, &packets));
	assert_true(packets.count > 1);
	test_ok(lab_packets_order(&packets, order, duplicates, dg->identification));
	agree_send(s, &packets);
}

static size_t fragment_size(int family, size_t n, size_t len)
{
	size_t most = len <= largest_fragment(family) ? len - 1 : largest_fragment(family);
	size_t size = 8 * (n % (most / 8)) + 8, least = (len / FRAGMENTS_MAX + 7) / 8 * 8;

	return size < least ? least : size;
}

static size_t sweep(struct agree *s, int family, size_t last, size_t step, enum lab_order order,
		    bool duplicates)
{
	size_t n = 0, len;

	for (len = 9; len <= last; len += step, n++) {
		struct lab_datagram dg;

		agree_make(s, family, &dg, len);
		send_datagram(s, &dg, fragment_size(family, s->number, len), order, duplicates);
	}
	return n;
}

static void grid(struct agree *s, int family)
{
	size_t n;

	for (unsigned int order = 0; order < LAB_ORDER_MAX; order++)
		for (int duplicates = 0; duplicates < 2; duplicates++) {
			n = sweep(s, family, 65000, STEP_LARGE, (enum lab_order)order, duplicates);
			n += sweep(s, family, 1500, STEP_SMALL, (enum lab_order)order, duplicates);
			agree_check(s, n);
		}
}

static void all_orders(struct agree *s, const struct lab_datagram *like, size_t fragment)
{
	for (unsigned int order = 0; order < LAB_ORDER_MAX; order++)
		for (int duplicates = 0; duplicates < 2; duplicates++) {
			struct lab_datagram dg, next = *like;

			agree_make(s, like->family, &dg, 0);
			next.src = dg.src;
			next.identification = dg.identification;
			send_datagram(s, &next, fragment, (enum lab_order)order, duplicates);
		}
	agree_check(s, (size_t)2 * LAB_ORDER_MAX);
}

static void sizes_at_the_edge(struct agree *s, int family)
{
	static const size_t sizes[] = { 8, 16, 104, 1448 };
	struct lab_datagram dg;

	agree_make(s, family, &dg, payload_max(family));
	all_orders(s, &dg, largest_fragment(family));
	all_orders(s, &dg, 8);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		dg.payload_len = sizes[i] + 1;
		all_orders(s, &dg, sizes[i]);
		dg.payload_len = 5 * sizes[i] + 1;
		all_orders(s, &dg, sizes[i]);
	}
}

/* Both give nothing. The end comes first, so the kernel has nothing else to hold against it. */
static void one_byte_too_long(struct agree *s, int family)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	const size_t end = payload_max(family) + 1, last = (end - 1) / 8 * 8;
	struct lab_datagram dg;
	size_t at, size = largest_fragment(family);

	agree_make(s, family, &dg, payload_max(family));
	test_ok(lab_fragment_at(&dg, last, end - last, false, &packets));
	for (at = 0; at < last; at += size)
		test_ok(lab_fragment_at(&dg, at, last - at < size ? last - at : size, true,
					&packets));
	agree_send(s, &packets);
	agree_check(s, 0);
}

static void set_ipv4_length(const struct lab_packets *packets, uint16_t length)
{
	size_t len;
	unsigned char *packet = lab_packet_at(packets, 0, &len);
	uint16_t sum;

	packet[2] = (unsigned char)(length >> 8);
	packet[3] = (unsigned char)length;
	packet[10] = packet[11] = 0;
	sum = lab_checksum(packet, 20, 0);
	memcpy(packet + 10, &sum, sizeof(sum));
}

/* A header that tells of less than itself, or of more than came, is of no datagram. */
static void lengths_that_lie(struct agree *s)
{
	static const uint16_t lengths[] = { 0, 19, 1000, 65535 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		lab_auto_packets struct lab_packets first = { 0 }, rest = { 0 };
		struct lab_datagram dg;

		agree_make(s, AF_INET, &dg, 100);
		test_ok(lab_fragment_at(&dg, 0, 80, true, &first));
		test_ok(lab_fragment_at(&dg, 80, 20, false, &rest));
		set_ipv4_length(&first, lengths[i]);
		agree_send(s, &first);
		agree_send(s, &rest);
		agree_check(s, 0);
	}
}

/* A link's padding behind the last fragment is no data. */
static void padding(struct agree *s, int family)
{
	lab_auto_packets struct lab_packets packets = { 0 }, padded = { 0 };
	unsigned char frame[1500] = { 0 };
	struct lab_datagram dg;

	agree_make(s, family, &dg, 801);
	test_ok(lab_fragment(&dg, 800, &packets));
	for (size_t i = 0; i < packets.count; i++) {
		size_t len;
		const unsigned char *packet = lab_packet_at(&packets, i, &len);

		memset(frame, 0xee, sizeof(frame));
		memcpy(frame, packet, len);
		test_ok(lab_packets_add(&padded, frame, len + 46));
	}
	agree_send(s, &padded);
	agree_check(s, 1);
}

/* One option that is copied into every fragment, one that is not, and padding. */
static void ipv4_options(struct agree *s)
{
	static const unsigned char options[40] = { 0x94, 4, 0, 0, 0x07, 35, 4 };
	struct lab_datagram dg;

	agree_make(s, AF_INET, &dg, 1001);
	dg.headers = options;
	for (dg.headers_len = 4; dg.headers_len <= sizeof(options); dg.headers_len += 36)
		all_orders(s, &dg, 400);
}

/* Options of the Hop-by-Hop kind, a Routing header without segments left, Destination Options. */
static const unsigned char in_front[] = {
	43, 0, 1, 4, 0, 0, 0, 0, /* PadN of 4 bytes */
	60, 0, 4, 0, 0, 0, 0, 0, /* type 4, none left */
	44, 0, 1, 4, 0, 0, 0, 0, /* */
};

static void ipv6_headers_in_front(struct agree *s)
{
	struct lab_datagram dg;

	agree_make(s, AF_INET6, &dg, 1001);
	dg.headers = in_front;
	for (dg.headers_len = 8; dg.headers_len <= sizeof(in_front); dg.headers_len += 8)
		all_orders(s, &dg, 400);
	dg.headers = in_front + 16;
	dg.headers_first = IPPROTO_DSTOPTS;
	dg.headers_len = 8;
	all_orders(s, &dg, 400);
}

static void ipv6_headers_behind(struct agree *s)
{
	static unsigned char payload[1001] = { IPPROTO_UDP, 1, 1, 4, 0, 0, 0, 0, 1, 6 };
	struct lab_datagram dg;

	agree_make(s, AF_INET6, &dg, sizeof(payload));
	dg.payload = payload;
	dg.protocol = IPPROTO_DSTOPTS;
	all_orders(s, &dg, 400);
}

/* A first fragment that ends before UDP does is no part of its datagram; a better one is. */
static void a_chain_cut_short(struct agree *s)
{
	static unsigned char payload[1001] = { IPPROTO_UDP, 2, 1, 20 };
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;

	agree_make(s, AF_INET6, &dg, sizeof(payload));
	dg.payload = payload;
	dg.protocol = IPPROTO_DSTOPTS;
	test_ok(lab_fragment_at(&dg, 800, 201, false, &packets));
	test_ok(lab_fragment_at(&dg, 0, 16, true, &packets));
	test_ok(lab_fragment_at(&dg, 0, 24, true, &packets));
	agree_send(s, &packets);
	agree_mark(s);
	assert_int_equal(s->kernel.count, 0);
	packets.count = 0;
	test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
	agree_send(s, &packets);
	agree_check(s, 1);
}

/* Of each pair of codepoints; and who has don't-fragment, the larger or the smaller. */
static void ecn_and_df(struct agree *s, int family)
{
	size_t want = 0;

	for (unsigned int i = 0; i < 4 * 4 * 4; i++) {
		lab_auto_packets struct lab_packets packets = { 0 };
		uint8_t first = i & 3, last = i >> 2 & 3;
		struct lab_datagram dg;

		agree_make(s, family, &dg, 1000);
		dg.tos = 0xb8 | first;
		dg.df = i & 16;
		test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
		dg.tos = 0xb8 | last;
		dg.df = i & 32;
		test_ok(lab_fragment_at(&dg, 800, 200, false, &packets));
		agree_send(s, &packets);
		want += !first == !last;
	}
	agree_check(s, want);
}

/* Only the first fragment's header counts: also its TTL, traffic class and flow label. */
static void an_atomic_fragment(struct agree *s)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;

	agree_make(s, AF_INET6, &dg, 333);
	test_ok(lab_fragment_at(&dg, 0, 333, false, &packets));
	dg.headers = in_front;
	dg.headers_len = sizeof(in_front);
	test_ok(lab_fragment_at(&dg, 0, 333, false, &packets));
	agree_send(s, &packets);
	agree_check(s, 2);
}

static void ipv4_in_every_order_and_size(void *state)
{
	grid(state, AF_INET);
}

static void ipv6_in_every_order_and_size(void *state)
{
	grid(state, AF_INET6);
}

static void sizes_at_the_edge_ipv4(void *state)
{
	sizes_at_the_edge(state, AF_INET);
	one_byte_too_long(state, AF_INET);
	lengths_that_lie(state);
	padding(state, AF_INET);
}

static void sizes_at_the_edge_ipv6(void *state)
{
	sizes_at_the_edge(state, AF_INET6);
	one_byte_too_long(state, AF_INET6);
	padding(state, AF_INET6);
}

static void headers_ipv4(void *state)
{
	ipv4_options(state);
	ecn_and_df(state, AF_INET);
}

static void headers_ipv6(void *state)
{
	ipv6_headers_in_front(state);
	ipv6_headers_behind(state);
	a_chain_cut_short(state);
	an_atomic_fragment(state);
	ecn_and_df(state, AF_INET6);
}

static const struct test tests[] = {
	AGREE_TEST(ipv4_in_every_order_and_size),
	AGREE_TEST(ipv6_in_every_order_and_size),
	AGREE_TEST(sizes_at_the_edge_ipv4),
	AGREE_TEST(sizes_at_the_edge_ipv6),
	AGREE_TEST(headers_ipv4),
	AGREE_TEST(headers_ipv6),
};

TEST_MAIN(tests);
