// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Case 1: whatever the size of the datagram and of its fragments, and in whatever order they come,
 * with duplicates or without, the datagram comes out byte for byte.
 */
#include <stdlib.h>
#include <string.h>

#include <engine.h>

static void check(struct engine *e, int family, size_t payload, size_t size, enum lab_order order,
		  bool duplicates)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	size_t i, last = 0;

	make_datagram(&dg, family, payload, (uint32_t)(payload * 31 + size));
	test_ok(lab_fragment(&dg, size, &packets));
	if (packets.count == 1)
		return;
	test_ok(lab_packets_order(&packets, order, duplicates, payload + size));
	for (i = 0; i < packets.count; i++) {
		last = i;
		if (engine_push_packet(e, &packets, i) == UNFRAG_REASM_COMPLETE)
			break;
	}
	assert_int_equal(last, packets.count - 1);
	engine_assert_whole(e, &dg);
	assert_int_equal(e->res.fragments, duplicates ? (packets.count + 1) / 2 : packets.count);
}

static size_t next_size(size_t size)
{
	return size < 64 ? size + 8 : size < 512 ? size + 56 : size + 328;
}

static void every(int family, enum lab_order order)
{
	struct engine e;
	size_t payload, size;
	int duplicates;

	engine_open(&e, NULL);
	for (duplicates = 0; duplicates < 2; duplicates++)
		for (payload = 9; payload <= 65000; payload = payload * 7 / 4 + 3)
			for (size = payload > 9000 ? 64 : 8; size <= 1500; size = next_size(size))
				check(&e, family, payload, size, order, duplicates);
	assert_int_equal(e.fates, 0);
	engine_close(&e);
}

#define ORDER(name, order) \
	static void ipv4_##name(void) \
	{ \
		every(AF_INET, order); \
	} \
	static void ipv6_##name(void) \
	{ \
		every(AF_INET6, order); \
	}

ORDER(in_order, LAB_IN_ORDER)
ORDER(reversed, LAB_REVERSED)
ORDER(odd_then_even, LAB_ODD_THEN_EVEN)
ORDER(blocks_backwards, LAB_BLOCKS_BACKWARDS)
ORDER(at_random, LAB_RANDOM)

/* Case 3 as well: the most fragments a datagram can have. */
static void most_fragments(void)
{
	enum lab_order order;
	struct engine e;

	engine_open(&e, NULL);
	for (order = LAB_IN_ORDER; order < LAB_ORDER_MAX; order++) {
		check(&e, AF_INET, 65515, 8, order, false);
		check(&e, AF_INET6, 65535, 8, order, false);
	}
	check(&e, AF_INET6, 65535, 8, LAB_RANDOM, true);
	assert_int_equal(e.res.fragments, 8192);
	engine_close(&e);
}

static const struct test tests[] = {
	TEST(ipv4_in_order),         TEST(ipv6_in_order),         TEST(ipv4_reversed),
	TEST(ipv6_reversed),         TEST(ipv4_odd_then_even),    TEST(ipv6_odd_then_even),
	TEST(ipv4_blocks_backwards), TEST(ipv6_blocks_backwards), TEST(ipv4_at_random),
	TEST(ipv6_at_random),        TEST(most_fragments),
};

TEST_MAIN(tests);
