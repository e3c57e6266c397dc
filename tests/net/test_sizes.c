// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sizes at the edge: the largest datagram, one byte more, the smallest fragments, the shortest last
 * one, lengths that lie, and headers that don't stand in one piece. How it is seen: series.h.
 */
#include <series.h>
#include <string.h>

#define UDP_MAX_V4 65507 /* bytes of data in a datagram of 65,535 bytes */
#define UDP_MAX_V6 65527

static size_t largest_fragment(int family)
{
	return family == AF_INET6 ? 1448 : 1480;
}

static size_t udp_max(int family)
{
	return family == AF_INET6 ? UDP_MAX_V6 : UDP_MAX_V4;
}

/* One datagram of that many bytes of data in every order, without and with duplicates. */
static void all_orders(struct series *s, size_t len, size_t fragment)
{
	for (unsigned int order = 0; order < LAB_ORDER_MAX; order++) {
		for (int duplicates = 0; duplicates < 2; duplicates++) {
			lab_auto_datagram struct lab_datagram dg = { 0 };

			series_make(s, &dg, len);
			series_send_datagram(s, &dg, fragment, (enum lab_order)order, duplicates);
		}
	}
	series_mark(s);
}

static void largest_datagram_is_one_packet(struct series *s, int family)
{
	series_begin(s, UNFRAG_HOOK_FORWARD, family);
	all_orders(s, udp_max(family), largest_fragment(family));
}

static void largest_datagram_is_one_packet_ipv4(void *state)
{
	largest_datagram_is_one_packet(state, AF_INET);
}

static void largest_datagram_is_one_packet_ipv6(void *state)
{
	largest_datagram_is_one_packet(state, AF_INET6);
}

/* Fragments of a payload that ends one byte behind what a datagram can hold. */
static void too_long(struct series *s, enum lab_order order)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	const size_t end = SERIES_UDP_HLEN + udp_max(s->family) + 1;
	const size_t last = (end - 1) / 8 * 8, size = largest_fragment(s->family);

	series_make(s, &dg, udp_max(s->family));
	for (size_t at = 0; at < last; at += size)
		test_ok(lab_fragment_at(&dg, at, last - at < size ? last - at : size, true,
					&packets));
	test_ok(lab_fragment_at(&dg, last, end - last, false, &packets));
	test_ok(lab_packets_order(&packets, order, false, 1));
	series_send(s, &packets);
}

static void one_byte_too_long_is_no_packet(struct series *s, int family)
{
	series_begin(s, UNFRAG_HOOK_PREROUTING, family);
	for (unsigned int order = 0; order < LAB_ORDER_MAX; order++)
		too_long(s, (enum lab_order)order);
	series_mark(s);
}

static void one_byte_too_long_is_no_packet_ipv4(void *state)
{
	one_byte_too_long_is_no_packet(state, AF_INET);
}

static void one_byte_too_long_is_no_packet_ipv6(void *state)
{
	one_byte_too_long_is_no_packet(state, AF_INET6);
}

/* 8,192 of them in IPv6; they take more memory than fragments are given by default. */
static void eight_byte_fragments_are_one_packet(struct series *s, int family)
{
	static const enum lab_order orders[] = { LAB_IN_ORDER, LAB_REVERSED, LAB_RANDOM };
	const char *limit = family == AF_INET6 ? "net/netfilter/nf_conntrack_frag6_high_thresh" :
						 "net/ipv4/ipfrag_high_thresh";

	test_ok(lab_ns_sysctl(s->router->middle, limit, "33554432"));
	series_begin(s, UNFRAG_HOOK_PREROUTING, family);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		lab_auto_datagram struct lab_datagram dg = { 0 };

		series_make(s, &dg, udp_max(family));
		series_send_datagram(s, &dg, 8, orders[i], false);
		series_mark(s);
	}
}

static void eight_byte_fragments_are_one_packet_ipv4(void *state)
{
	eight_byte_fragments_are_one_packet(state, AF_INET);
}

static void eight_byte_fragments_are_one_packet_ipv6(void *state)
{
	eight_byte_fragments_are_one_packet(state, AF_INET6);
}

static void last_fragment_of_one_byte_counts(struct series *s, int family)
{
	static const size_t sizes[] = { 8, 16, 104, 1448 };

	series_begin(s, UNFRAG_HOOK_PREROUTING, family);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		all_orders(s, sizes[i] + 1 - SERIES_UDP_HLEN, sizes[i]);
		all_orders(s, 5 * sizes[i] + 1 - SERIES_UDP_HLEN, sizes[i]);
	}
}

static void last_fragment_of_one_byte_counts_ipv4(void *state)
{
	last_fragment_of_one_byte_counts(state, AF_INET);
}

static void last_fragment_of_one_byte_counts_ipv6(void *state)
{
	last_fragment_of_one_byte_counts(state, AF_INET6);
}

/* IPv4 headers that tell of less than themselves, or of more than came. */
static void length_that_lies_is_no_packet(void *state)
{
	static const uint16_t lengths[] = { 0, 19, 29, 1000, 65535 };
	struct series *s = state;

	series_begin(s, UNFRAG_HOOK_PREROUTING, AF_INET);
	for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
		lab_auto_packets struct lab_packets packets = { 0 };
		lab_auto_datagram struct lab_datagram dg = { 0 };
		unsigned char *packet;
		uint16_t sum;
		size_t len;

		series_make(s, &dg, 0);
		test_ok(i % 2 ? lab_fragment_at(&dg, 0, SERIES_UDP_HLEN, true, &packets) :
				lab_whole(&dg, &packets));
		packet = lab_packet_at(&packets, 0, &len);
		packet[2] = (unsigned char)(lengths[i / 2] >> 8);
		packet[3] = (unsigned char)lengths[i / 2];
		packet[10] = packet[11] = 0;
		sum = lab_checksum(packet, 20, 0);
		memcpy(packet + 10, &sum, sizeof(sum));
		series_send(s, &packets);
	}
	series_mark(s);
}

#define CHAIN 8

/* IPv6, eight extension headers of 8 bytes, the seventh a Fragment header, and UDP. */
struct chained {
	unsigned char ip[UNFRAG_IPV6_HLEN];
	unsigned char headers[CHAIN][8];
	unsigned char udp[SERIES_UDP_HLEN + 8];
};

static struct chained make_chained(uint16_t off_more)
{
	struct chained c = { .ip = { 0x60, [6] = IPPROTO_DSTOPTS } };

	c.ip[5] = sizeof(c) - sizeof(c.ip);
	for (size_t i = 0; i < CHAIN; i++) {
		c.headers[i][0] = i == CHAIN - 3 ? IPPROTO_FRAGMENT : IPPROTO_DSTOPTS;
		c.headers[i][2] = 1; /* PadN of 4 bytes */
		c.headers[i][3] = 4;
	}
	c.headers[CHAIN - 2][2] = (unsigned char)(off_more >> 8);
	c.headers[CHAIN - 2][3] = (unsigned char)off_more;
	memcpy(&c.headers[CHAIN - 2][4], "\x12\x34\x56\x78", 4);
	c.headers[CHAIN - 1][0] = IPPROTO_UDP;
	memcpy(c.udp, "\x11\x22\x33\x44\0\x10", 6);
	return c;
}

/*
 * A socket that is given its data piece by piece keeps it in pieces where the device can gather
 * them: the first extension header stands in one buffer with the IP header, all others elsewhere.
 */
static void send_in_pieces(const struct lab_ns *ns, const struct chained *c)
{
	lab_autoclose int fd = test_ok(lab_socket(ns, AF_INET6, SOCK_RAW, IPPROTO_DSTOPTS));
	struct lab_addr to;

	test_ok(lab_addr_parse(&to, AF_INET6, "::1", 0));
	test_ok(connect(fd, &to.sa, to.len));
	test_ok((int)send(fd, c->headers[0], 8, MSG_MORE));
	test_ok((int)send(fd, c->headers[1], sizeof(c->headers) - 8, MSG_MORE));
	test_ok((int)send(fd, c->udp, sizeof(c->udp), 0));
}

static void headers_in_other_buffers_are_followed(void *state)
{
	static const uint16_t off_more[] = { 0, 1, 800 | 1, 1600 };
	const struct unfrag_netfilter_opts opts = {
		.sz = sizeof(opts),
		.pf = UNFRAG_IPV6,
		.hook = UNFRAG_HOOK_OUTPUT,
	};
	struct series *s = state;

	test_ok(attached_link(&s->program, s->router->client, "bytes", &opts));
	for (size_t i = 0; i < sizeof(off_more) / sizeof(off_more[0]); i++) {
		struct chained c = make_chained(off_more[i]);
		struct unfrag_facts want = { 0 };
		struct bytes_record r;

		test_ok(unfrag_facts_read(&want, &c, sizeof(c)));
		assert_int_equal(want.id, 0x12345678);
		send_in_pieces(s->router->client, &c);
		series_take(s, &r);
		test_ok(r.init_rc);
		assert_int_equal(r.linear, UNFRAG_IPV6_HLEN + 8);
		assert_memory_equal(&r.facts, &want, sizeof(want));
		if (!want.has_l4)
			continue;
		test_ok(r.ports_rc);
		assert_int_equal(r.sport, 0x1122);
		assert_int_equal(r.dport, 0x3344);
		assert_int_equal(r.summed, sizeof(c.udp));
		assert_true(r.sum == series_sum(c.udp, sizeof(c.udp)));
	}
}

static const struct test tests[] = {
	SERIES_TEST(largest_datagram_is_one_packet_ipv4),
	SERIES_TEST(largest_datagram_is_one_packet_ipv6),
	SERIES_TEST(one_byte_too_long_is_no_packet_ipv4),
	SERIES_TEST(one_byte_too_long_is_no_packet_ipv6),
	SERIES_TEST(eight_byte_fragments_are_one_packet_ipv4),
	SERIES_TEST(eight_byte_fragments_are_one_packet_ipv6),
	SERIES_TEST(last_fragment_of_one_byte_counts_ipv4),
	SERIES_TEST(last_fragment_of_one_byte_counts_ipv6),
	SERIES_TEST(length_that_lies_is_no_packet),
	SERIES_TEST(headers_in_other_buffers_are_followed),
};

TEST_MAIN(tests);
