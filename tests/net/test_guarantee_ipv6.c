// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guarantee where only IPv6 needs it: fragments that the kernel finds malformed and passes on,
 * headers that can't be followed, atomic fragments, and fragments inside of fragments. How it is
 * seen: bypass.h.
 */
#include <bypass.h>
#include <bytes.h>
#include <records.h>
#include <shoot.h>
#include <string.h>

#define DEADLINE_MS 5000
#define IPV6_HLEN   40

/* A first fragment with more to come whose length is no multiple of 8, and one in the middle. */
static void add_odd_lengths(struct bypass *b, struct lab_packets *packets)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };

	bypass_make(b, &dg, b->data, sizeof(b->data));
	test_ok(lab_fragment_at(&dg, 0, 403, true, packets));
	bypass_make(b, &dg, b->data, sizeof(b->data));
	test_ok(lab_fragment_at(&dg, 800, 801, true, packets));
}

static const unsigned char two_headers[16] = {
	IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0, /* PadN of 4 bytes */
	IPPROTO_UDP,     0, 1, 4, 0, 0, 0, 0,
};

/* First fragments that end before the upper-layer header does: TCP, and behind other headers. */
static void add_cut_headers(struct bypass *b, struct lab_packets *packets)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };

	bypass_make(b, &dg, b->data, sizeof(b->data));
	dg.protocol = IPPROTO_TCP;
	test_ok(lab_fragment_at(&dg, 0, 16, true, packets));
	bypass_make(b, &dg, b->data, 0);
	dg.protocol = IPPROTO_DSTOPTS;
	dg.payload = two_headers;
	dg.payload_len = sizeof(two_headers);
	test_ok(lab_fragment_at(&dg, 0, sizeof(two_headers), true, packets));
}

static void malformed_fragments(struct bypass *b, uint32_t flags)
{
	lab_auto_packets struct lab_packets packets = { 0 };

	bypass_attach(b, "shoot", AF_INET6, b->hook, flags);
	add_odd_lengths(b, &packets);
	add_cut_headers(b, &packets);
	assert_int_equal(packets.count, 4);
	test_ok(lab_send_all(b->sender, &packets));
	assert_int_equal(bypass_mark(b).fragments, flags & UNFRAG_ATTACH_ACCEPT_FRAGMENTS ? 4 : 0);
	COUNTED(b, MALFORMED = 4);
	bypass_program_saw(b, 0);
}

static void malformed_ipv6_fragments_are_dropped(void *state)
{
	struct bypass *b = state;

	b->hook = UNFRAG_HOOK_PREROUTING;
	malformed_fragments(b, 0);
	b->hook = UNFRAG_HOOK_FORWARD;
	malformed_fragments(b, 0);
}

static void malformed_ipv6_fragments_go_on_unjudged_if_asked(void *state)
{
	struct bypass *b = state;

	b->hook = UNFRAG_HOOK_PREROUTING;
	malformed_fragments(b, UNFRAG_ATTACH_ACCEPT_FRAGMENTS);
	b->hook = UNFRAG_HOOK_FORWARD;
	malformed_fragments(b, UNFRAG_ATTACH_ACCEPT_FRAGMENTS);
}

/* IPv6 extension headers of 8 bytes each in front of UDP, sent whole. */
static void send_chain(struct bypass *b, size_t headers, unsigned char last_len)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	unsigned char chain[20 * 8] = { 0 };
	unsigned char *packet;
	size_t len;

	bypass_make(b, &dg, b->data, 100);
	for (size_t i = 0; i < headers; i++) {
		chain[8 * i] = IPPROTO_DSTOPTS;
		chain[8 * i + 2] = 1; /* PadN of 4 bytes */
		chain[8 * i + 3] = 4;
	}
	dg.headers = chain;
	dg.headers_len = 8 * headers;
	dg.headers_first = IPPROTO_DSTOPTS;
	test_ok(lab_whole(&dg, &packets));
	packet = lab_packet_at(&packets, 0, &len);
	packet[IPV6_HLEN + 8 * (headers - 1) + 1] = last_len;
	test_ok(lab_send_all(b->sender, &packets));
}

static void unreadable(struct bypass *b, uint32_t flags)
{
	bypass_attach(b, "shoot", AF_INET6, UNFRAG_HOOK_FORWARD, flags);
	send_chain(b, UNFRAG_EXTHDR_MAX, 0); /* readable */
	assert_int_equal(bypass_mark(b).others, 1);
	COUNTED(b, UNREADABLE = 0);

	send_chain(b, UNFRAG_EXTHDR_MAX + 1, 0);
	send_chain(b, 1, 255); /* runs past the packet's end */
	send_chain(b, 3, 14);  /* by 4 bytes */
	assert_int_equal(bypass_mark(b).others, flags & UNFRAG_ATTACH_ACCEPT_UNREADABLE ? 3 : 0);
	COUNTED(b, UNREADABLE = 3);
	bypass_program_saw(b, 0);
	assert_int_equal(counter_read(attached_map(b->program, "counts"), SHOOT_OTHER), 1);
}

static void unreadable_packets_are_dropped(void *state)
{
	unreadable(state, 0);
}

static void unreadable_packets_go_on_unjudged_if_asked(void *state)
{
	unreadable(state, UNFRAG_ATTACH_ACCEPT_UNREADABLE);
}

/* A whole datagram behind a Fragment header (RFC 6946). */
static void send_atomic(struct bypass *b)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };

	bypass_make(b, &dg, b->data, 100);
	test_ok(lab_fragment_at(&dg, 0, dg.payload_len, false, &packets));
	test_ok(lab_send_all(b->sender, &packets));
}

/* The first record, of a packet that can be read. */
static struct bytes_record record(const struct bypass *b)
{
	struct bytes_record r;

	test_ok(record_next(attached_map(b->program, "records"), &r, DEADLINE_MS));
	test_ok(r.init_rc);
	return r;
}

static void atomic_fragment_is_judged(struct bypass *b, uint32_t flags, uint8_t frag)
{
	struct bytes_record r;

	bypass_attach(b, "bytes", AF_INET6, UNFRAG_HOOK_FORWARD, flags);
	send_atomic(b);
	bypass_mark(b);
	r = record(b);
	assert_int_equal(r.facts.frag, frag);
	assert_int_equal(r.facts.has_l4, 1);
	assert_int_equal(r.sport, BYPASS_CLIENT_PORT);
	assert_int_equal(r.dport, BYPASS_SERVER_PORT);
	assert_int_equal(r.summed, 108);
}

/* The kernel takes its header away, and leaves the trace of a reassembly from one fragment. */
static void atomic_fragment_is_judged_whole(void *state)
{
	atomic_fragment_is_judged(state, 0, UNFRAG_FRAG_NONE);
	COUNTED(state, REASSEMBLED = 1);
	atomic_fragment_is_judged(state, UNFRAG_ATTACH_NO_DEFRAG, UNFRAG_FRAG_ATOMIC);
	COUNTED(state, REASSEMBLED = 0);
}

/* Extension headers in the first fragment, the upper-layer header in the second. */
static void add_chain_over_two_fragments(struct bypass *b, struct lab_packets *packets)
{
	unsigned char payload[sizeof(two_headers) + 108];
	lab_auto_datagram struct lab_datagram dg = { 0 };

	bypass_make(b, &dg, b->data, 100);
	memcpy(payload, two_headers, sizeof(two_headers));
	memcpy(payload + sizeof(two_headers), dg.payload, 108);
	dg.protocol = IPPROTO_DSTOPTS;
	dg.payload = payload;
	dg.payload_len = sizeof(payload);
	test_ok(lab_fragment_at(&dg, 0, 8, true, packets));
	test_ok(lab_fragment_at(&dg, 8, sizeof(payload) - 8, false, packets));
}

static void header_chain_over_two_fragments_is_judged_whole(void *state)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct bypass *b = state;
	struct bytes_record r;

	bypass_attach(b, "bytes", AF_INET6, UNFRAG_HOOK_PREROUTING, 0);
	add_chain_over_two_fragments(b, &packets);
	test_ok(lab_send_all(b->sender, &packets));
	bypass_mark(b);
	COUNTED(b, REASSEMBLED = 1);
	r = record(b);
	assert_int_equal(r.linear, IPV6_HLEN + 8);
	assert_int_equal(r.facts.l4_off, IPV6_HLEN + sizeof(two_headers));
	assert_int_equal(r.facts.proto, IPPROTO_UDP);
	assert_int_equal(r.sport, BYPASS_CLIENT_PORT);
	assert_int_equal(r.dport, BYPASS_SERVER_PORT);
	assert_int_equal(r.summed, 108);
}

/* A datagram whose payload is a fragment again, sent in pieces of that size. */
static void send_nested(struct bypass *b, uint16_t off_more, size_t piece)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	unsigned char payload[8 + 808] = { IPPROTO_UDP };

	bypass_make(b, &dg, b->data, 800);
	payload[2] = (unsigned char)(off_more >> 8);
	payload[3] = (unsigned char)off_more;
	payload[7] = (unsigned char)b->id;
	memcpy(payload + 8, dg.payload, 808);
	dg.protocol = IPPROTO_FRAGMENT;
	dg.payload = payload;
	dg.payload_len = sizeof(payload);
	for (size_t at = 0; at < sizeof(payload); at += piece) {
		size_t left = sizeof(payload) - at;

		test_ok(lab_fragment_at(&dg, at, left < piece ? left : piece, left > piece,
					&packets));
	}
	test_ok(lab_send_all(b->sender, &packets));
}

/* The kernel looks at the outer Fragment header only, and so an inner one gets by. */
static void fragment_inside_a_fragment_is_dropped(void *state)
{
	static const size_t pieces[] = { 816, 400 }; /* one atomic fragment, three fragments */
	struct bypass *b = state;
	struct bypass_heard heard;

	for (size_t i = 0; i < 2; i++) {
		bypass_attach(b, "shoot", AF_INET6, UNFRAG_HOOK_PREROUTING, 0);
		send_nested(b, 0 | 1, pieces[i]);
		send_nested(b, 800 | 1, pieces[i]);
		send_nested(b, 1600, pieces[i]);
		heard = bypass_mark(b);
		assert_int_equal(heard.fragments, 0);
		assert_int_equal(heard.others, 0);
		COUNTED(b, FIRST = 1, LATER = 2);
		bypass_program_saw(b, 0);
	}
}

static const struct test tests[] = {
	BYPASS_TEST(malformed_ipv6_fragments_are_dropped),
	BYPASS_TEST(malformed_ipv6_fragments_go_on_unjudged_if_asked),
	BYPASS_TEST(unreadable_packets_are_dropped),
	BYPASS_TEST(unreadable_packets_go_on_unjudged_if_asked),
	BYPASS_TEST(atomic_fragment_is_judged_whole),
	BYPASS_TEST(header_chain_over_two_fragments_is_judged_whole),
	BYPASS_TEST(fragment_inside_a_fragment_is_dropped),
};

TEST_MAIN(tests);
