// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Case 7: what headers a whole datagram gets, and what headers keep a fragment out.
 */
#include <errno.h>
#include <string.h>

#include <engine.h>

#include <unfrag/packet.h>

/* Both ways round: the header comes with the first fragment, whenever that is. */
static void check_whole(struct engine *e, struct lab_datagram *dg)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	enum lab_order order;

	test_ok(lab_fragment(dg, 400, &packets));
	for (order = LAB_IN_ORDER; order <= LAB_REVERSED; order++) {
		test_ok(lab_packets_order(&packets, order, false, 0));
		assert_int_equal(engine_push_all(e, &packets), 1);
		engine_assert_whole(e, dg);
		assert_int_equal(e->res.fragments, packets.count);
	}
}

static void ipv4_options_come_from_the_first_fragment(void)
{
	static const unsigned char options[40] = { 0x94, 4, 0, 0, 0x07, 35 }; /* copied, not */
	struct lab_datagram dg;
	struct engine e;
	size_t len;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1001, 1);
	dg.headers = options;
	for (len = 4; len <= sizeof(options); len += 36) {
		dg.headers_len = len;
		check_whole(&e, &dg);
		assert_int_equal(e.res.header, 20 + len);
	}
	engine_close(&e);
}

static void ipv6_extension_headers_stay_in_front(void)
{
	static unsigned char headers[8 + 24 + 8] = { [0] = 43, [8] = 60, [9] = 2, [32] = 44 };
	static unsigned char longer[1024] = { [1] = 127 };
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, 1001, 1);
	dg.headers = headers;
	dg.headers_first = 0;
	dg.headers_len = 8;
	check_whole(&e, &dg);
	dg.headers_len = 32;
	check_whole(&e, &dg);
	dg.headers_len = sizeof(headers);
	check_whole(&e, &dg);
	assert_int_equal(e.res.header, 80);
	dg.headers = longer; /* with the IPv6 header more than is kept */
	dg.headers_len = sizeof(longer);
	engine_push_at(&e, &dg, 0, 400, true);
	engine_assert_dropped(&e, UNFRAG_REASON_HEADER);
	longer[1] = 122; /* as long as it may be */
	dg.headers_len = 984;
	check_whole(&e, &dg);
	engine_close(&e);
}

static void ipv6_headers_behind_the_fragment_header_are_data(void)
{
	static unsigned char payload[1001] = { [0] = UNFRAG_PROTO_UDP, [1] = 1 };
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, sizeof(payload), 1);
	dg.payload = payload;
	dg.protocol = UNFRAG_PROTO_DSTOPTS;
	check_whole(&e, &dg);
	engine_close(&e);
}

static void a_first_fragment_again_changes_no_header(void)
{
	static unsigned char options[8] = { 0 };
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts) };
	struct lab_datagram dg, longer;
	struct engine e;

	for (; opts.policy < UNFRAG_REASM_POLICY_MAX; opts.policy++) {
		engine_open(&e, &opts);
		make_datagram(&dg, AF_INET6, 1000, 1);
		longer = dg;
		longer.headers = options;
		longer.headers_len = sizeof(options);
		engine_push_at(&e, &dg, 0, 800, true);
		engine_push_at(&e, &longer, 0, 800, true);
		assert_int_equal(e.res.outcome, UNFRAG_REASM_DUPLICATE);
		engine_push_at(&e, &dg, 800, 200, false);
		engine_assert_whole(&e, &dg);
		engine_close(&e);
	}
}

/* Of two Fragment headers the outer counts; what is inside is for another turn. */
static void a_fragment_in_a_fragment_is_brought_out_once(void)
{
	lab_auto_packets struct lab_packets inner = { 0 };
	unsigned char whole[4096], *data;
	struct lab_datagram dg, in;
	struct engine e;
	size_t len;

	engine_open(&e, NULL);
	make_datagram(&in, AF_INET6, 1000, 1);
	test_ok(lab_fragment_at(&in, 0, 800, true, &inner));
	test_ok(lab_fragment_at(&in, 800, 200, false, &inner));
	data = lab_packet_at(&inner, 0, &len);
	dg = in; /* the same key */
	dg.protocol = UNFRAG_PROTO_FRAGMENT;
	dg.payload = data + 40;
	dg.payload_len = len - 40;
	check_whole(&e, &dg);
	assert_int_equal(unfrag_reasm_copy(e.r, &e.res, whole, sizeof(whole)), len);
	assert_memory_equal(whole, data, len);
	assert_int_equal(engine_push(&e, whole, len), UNFRAG_REASM_HELD);
	assert_int_equal(engine_push_packet(&e, &inner, 1), UNFRAG_REASM_COMPLETE);
	engine_assert_whole(&e, &in);
	engine_close(&e);
}

static void an_atomic_fragment_is_alone_even_among_its_like(void)
{
	lab_auto_packets struct lab_packets want = { 0 };
	unsigned char whole[2000], *data;
	struct lab_datagram dg, other;
	struct engine e;
	size_t len;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, 1000, 1);
	make_datagram(&other, AF_INET6, 333, 1);
	other.headers = "\0\0\1\4\0\0\0"; /* padding */
	other.headers_len = 8;
	engine_push_at(&e, &dg, 0, 800, true);
	assert_int_equal(engine_push_at(&e, &other, 0, 333, false), UNFRAG_REASM_ATOMIC);
	engine_close(&e);
	engine_open(&e, NULL);
	engine_push_at(&e, &dg, 0, 800, true);
	test_ok(lab_fragment_at(&other, 0, 333, false, &want));
	assert_int_equal(engine_push_packet(&e, &want, 0), UNFRAG_REASM_ATOMIC);
	len = (size_t)unfrag_reasm_copy(e.r, &e.res, whole, sizeof(whole));
	assert_int_equal(e.res.len, len);
	test_err((int)unfrag_reasm_copy(e.r, &e.res, whole, len - 1), -ENOSPC);
	test_err(unfrag_reasm_pieces(e.r, &e.res, NULL, 0), -EINVAL);
	test_ok(lab_whole(&other, &want));
	data = lab_packet_at(&want, 1, &len);
	assert_int_equal(e.res.len, len);
	assert_memory_equal(whole, data, len);
	engine_push_at(&e, &dg, 800, 200, false);
	engine_assert_whole(&e, &dg);
	engine_close(&e);
}

static void a_header_chain_cut_short_is_dropped(void)
{
	static unsigned char payload[1000] = { [0] = UNFRAG_PROTO_UDP, [1] = 2 };
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, sizeof(payload), 1);
	dg.payload = payload;
	dg.protocol = UNFRAG_PROTO_DSTOPTS;
	engine_push_at(&e, &dg, 0, 16, true); /* within the options */
	engine_assert_dropped(&e, UNFRAG_REASON_CHAIN);
	engine_push_at(&e, &dg, 0, 24, true); /* before UDP */
	engine_assert_dropped(&e, UNFRAG_REASON_CHAIN);
	assert_int_equal(engine_push_at(&e, &dg, 0, 32, true), UNFRAG_REASM_HELD);
	engine_close(&e);
}

static void check_tiny(int family, bool tiny)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts), .tiny = tiny };
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, &opts);
	make_datagram(&dg, family, 1000, 1);
	dg.protocol = UNFRAG_PROTO_TCP;
	engine_push_at(&e, &dg, 0, 8, true);
	if (!tiny)
		engine_assert_dropped(&e, UNFRAG_REASON_TINY);
	engine_push_at(&e, &dg, 8, 800, true);
	if (!tiny)
		engine_assert_dropped(&e, UNFRAG_REASON_TINY);
	engine_push_at(&e, &dg, 808, 192, false);
	if (tiny)
		engine_assert_whole(&e, &dg);
	dg.identification = 2;
	engine_push_at(&e, &dg, 0, 16, true); /* flags, but not all of the header */
	if (!tiny)
		engine_assert_dropped(&e, UNFRAG_REASON_CHAIN);
	assert_int_equal(engine_push_at(&e, &dg, 0, 24, true),
			 tiny ? UNFRAG_REASM_DROPPED : UNFRAG_REASM_HELD);
	engine_close(&e);
}

static void tiny_tcp_fragments_are_dropped_unless_asked_for(void)
{
	check_tiny(AF_INET, false);
	check_tiny(AF_INET6, false);
	check_tiny(AF_INET, true);
	check_tiny(AF_INET6, true);
}

static void neighbor_discovery_never_comes_in_fragments(void)
{
	static unsigned char payload[1000];
	struct lab_datagram dg;
	struct engine e;
	uint32_t type;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET6, sizeof(payload), 1);
	dg.payload = payload;
	dg.protocol = UNFRAG_PROTO_ICMPV6;
	for (type = 128; type < 150; type++) {
		bool discovery = (type >= 133 && type <= 137) || type >= 148;

		payload[0] = (unsigned char)type;
		dg.identification = type;
		engine_push_at(&e, &dg, 800, 200, false);
		engine_push_at(&e, &dg, 0, 800, true);
		if (discovery)
			engine_assert_dropped(&e, UNFRAG_REASON_DISCOVERY);
		else
			engine_assert_whole(&e, &dg);
		engine_push_at(&e, &dg, 0, 1000, false);
		if (discovery)
			engine_assert_dropped(&e, UNFRAG_REASON_DISCOVERY);
		else
			assert_int_equal(e.res.outcome, UNFRAG_REASM_ATOMIC);
	}
	engine_close(&e);
}

/* RFC 3168 5.3, every pair: 0 not capable, 1 and 2 capable, 3 congestion; -1: dropped. */
static void ecn_is_joined_or_the_datagram_dropped(void)
{
	static const int want[4][4] = {
		{ 0, -1, -1, -1 }, { -1, 1, 1, 3 }, { -1, 2, 2, 3 }, { -1, 3, 3, 3 }
	};
	static const int families[] = { AF_INET, AF_INET6 };
	struct lab_datagram dg;
	struct engine e;
	int first, last;
	size_t i;

	engine_open(&e, NULL);
	for (i = 0; i < 2; i++)
		for (first = 0; first < 4; first++)
			for (last = 0; last < 4; last++) {
				make_datagram(&dg, families[i], 1000, (uint32_t)(first * 4 + last));
				dg.tos = (uint8_t)(0xb8 | first);
				engine_push_at(&e, &dg, 0, 800, true);
				dg.tos = (uint8_t)(0xb8 | last);
				engine_push_at(&e, &dg, 800, 200, false);
				dg.tos = (uint8_t)(0xb8 | want[first][last]);
				if (want[first][last] < 0)
					engine_assert_dropped(&e, UNFRAG_REASON_ECN);
				else
					engine_assert_whole(&e, &dg);
			}
	engine_close(&e);
}

/* As the kernel: the whole has DF if the largest fragment had it. */
static void dont_fragment_is_that_of_the_largest(void)
{
	struct lab_datagram dg;
	struct engine e;
	int which;

	engine_open(&e, NULL);
	for (which = 0; which < 4; which++) {
		make_datagram(&dg, AF_INET, 1000, (uint32_t)which);
		dg.df = which & 1;
		engine_push_at(&e, &dg, 0, 800, true);
		dg.df = which & 2;
		engine_push_at(&e, &dg, 800, 200, false);
		dg.df = which & 1;
		engine_assert_whole(&e, &dg);
	}
	engine_close(&e);
}

static const struct test tests[] = {
	TEST(ipv4_options_come_from_the_first_fragment),
	TEST(ipv6_extension_headers_stay_in_front),
	TEST(ipv6_headers_behind_the_fragment_header_are_data),
	TEST(a_first_fragment_again_changes_no_header),
	TEST(a_fragment_in_a_fragment_is_brought_out_once),
	TEST(an_atomic_fragment_is_alone_even_among_its_like),
	TEST(a_header_chain_cut_short_is_dropped),
	TEST(tiny_tcp_fragments_are_dropped_unless_asked_for),
	TEST(neighbor_discovery_never_comes_in_fragments),
	TEST(ecn_is_joined_or_the_datagram_dropped),
	TEST(dont_fragment_is_that_of_the_largest),
};

TEST_MAIN(tests);
