// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders, sizes and duplicates: whatever way the fragments of a datagram come, a program behind
 * unfrag sees one packet, with the right facts and the right bytes. How that is seen: series.h.
 *
 * The grid, for each hook and family, for each of five orders without and with duplicates:
 *
 *	data      1 .. 65,000 bytes of UDP in steps of 571, and 1 .. 1,500 in steps of 13
 *	fragment  8, 16, .. 1,480 bytes (IPv6: 1,448), the next size for the next datagram, so that
 *	          every size occurs; a larger one where FRAGMENTS_MAX would be exceeded
 *
 * That is 2,300 datagrams, about 130,000 packets, for each hook and family.
 */
#include <series.h>

#define FRAGMENTS_MAX 400
#define STEP_LARGE    571
#define STEP_SMALL    13

/* The n-th size of a fragment, larger if the datagram had too many of them. */
static size_t fragment_size(const struct series *s, unsigned int n, size_t payload)
{
	const size_t sizes = s->family == AF_INET6 ? 181 : 185;
	const size_t least = (payload / FRAGMENTS_MAX + 7) / 8 * 8;
	size_t size = 8 * (n % sizes + 1);

	return size < least ? least : size;
}

static void sweep(struct series *s, size_t last, size_t step, enum lab_order order, bool duplicates)
{
	for (size_t len = 1; len <= last; len += step) {
		lab_auto_datagram struct lab_datagram dg = { 0 };

		series_make(s, &dg, len);
		series_send_datagram(s, &dg, fragment_size(s, s->id, len + SERIES_UDP_HLEN), order,
				     duplicates);
	}
}

static void grid(struct series *s, enum unfrag_hook hook, int family)
{
	series_begin(s, hook, family);
	for (unsigned int order = 0; order < LAB_ORDER_MAX; order++) {
		for (int duplicates = 0; duplicates < 2; duplicates++) {
			sweep(s, 65000, STEP_LARGE, (enum lab_order)order, duplicates);
			sweep(s, 1500, STEP_SMALL, (enum lab_order)order, duplicates);
		}
	}
	series_mark(s);
}

static void one_packet_at_prerouting_ipv4(void *state)
{
	grid(state, UNFRAG_HOOK_PREROUTING, AF_INET);
}

static void one_packet_at_prerouting_ipv6(void *state)
{
	grid(state, UNFRAG_HOOK_PREROUTING, AF_INET6);
}

static void one_packet_at_input_ipv4(void *state)
{
	grid(state, UNFRAG_HOOK_INPUT, AF_INET);
}

static void one_packet_at_input_ipv6(void *state)
{
	grid(state, UNFRAG_HOOK_INPUT, AF_INET6);
}

static void one_packet_at_forward_ipv4(void *state)
{
	grid(state, UNFRAG_HOOK_FORWARD, AF_INET);
}

static void one_packet_at_forward_ipv6(void *state)
{
	grid(state, UNFRAG_HOOK_FORWARD, AF_INET6);
}

static void one_packet_at_output_ipv4(void *state)
{
	grid(state, UNFRAG_HOOK_OUTPUT, AF_INET);
}

static void one_packet_at_output_ipv6(void *state)
{
	grid(state, UNFRAG_HOOK_OUTPUT, AF_INET6);
}

static const struct test tests[] = {
	SERIES_TEST(one_packet_at_prerouting_ipv4), SERIES_TEST(one_packet_at_prerouting_ipv6),
	SERIES_TEST(one_packet_at_input_ipv4),      SERIES_TEST(one_packet_at_input_ipv6),
	SERIES_TEST(one_packet_at_forward_ipv4),    SERIES_TEST(one_packet_at_forward_ipv6),
	SERIES_TEST(one_packet_at_output_ipv4),     SERIES_TEST(one_packet_at_output_ipv6),
};

TEST_MAIN(tests);
