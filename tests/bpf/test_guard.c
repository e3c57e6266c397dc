// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard's rules, each with the same packets at all three places and natively: the same verdicts
 * and reasons everywhere.
 */
#include <guarded.h>
#include <stdlib.h>

#define TCP     6
#define UDP     17
#define ICMPV6  58
#define DSTOPTS 60
#define SCTP    132

struct fixture {
	struct guarded g;
	struct guard_config config;
	uint32_t id;
};

static void setup(void **state)
{
	struct fixture *f;

	test_require_root();
	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	*state = f;
	usual_limits(&f->config, 2);
	guarded_open(&f->g, &f->config, true);
}

static void teardown(void *state)
{
	struct fixture *f = state;

	if (!f)
		return;
	guarded_close(&f->g);
	free(f);
}

/* Opens it again with what the test changed in f->config. */
static void reopen(struct fixture *f)
{
	guarded_close(&f->g);
	guarded_open(&f->g, &f->config, true);
}

static void switch_off(struct fixture *f, enum unfrag_reason reason)
{
	f->config.off |= 1u << reason;
	reopen(f);
}

/* Another datagram between the two same hosts; its payload is a UDP header and zeroes. */
static void next(struct fixture *f, struct lab_datagram *dg, int family, uint8_t protocol)
{
	static const uint8_t payload[65535] = { 0x12, 0x34, 0, 53, 0xff, 0, 0, 0 };

	test_ok(lab_datagram_init(dg, family, family == AF_INET ? "192.0.2.1" : "2001:db8::1",
				  family == AF_INET ? "198.51.100.1" : "2001:db8:1::1"));
	dg->protocol = protocol;
	dg->identification = ++f->id;
	dg->payload = payload;
	dg->payload_len = sizeof(payload);
}

#define EACH_FAMILY(family) for (int family = 2; family; family = family == 2 ? AF_INET6 : 0)

/* One fragment of a new datagram. */
static uint32_t lone(struct fixture *f, int family, uint8_t protocol, size_t off, size_t len,
		     bool more)
{
	struct lab_datagram dg;

	next(f, &dg, family, protocol);
	return guarded_see_at(&f->g, &dg, off, len, more);
}

static void whole_packets_are_not_its_business(void *state)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct fixture *f = state;
	struct lab_datagram dg;

	EACH_FAMILY(family)
	{
		next(f, &dg, family, UDP);
		dg.payload_len = 1000;
		test_ok(lab_whole(&dg, &packets));
	}
	assert_int_equal(guarded_see_packet(&f->g, &packets, 0), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_see_packet(&f->g, &packets, 1), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_counters(&f->g, AF_INET)->fragments, 0);
	assert_int_equal(guarded_counters(&f->g, AF_INET6)->fragments, 0);
	guarded_agree(&f->g);
}

static void datagrams_pass_and_leave_nothing(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;

	EACH_FAMILY(family)
	{
		next(f, &dg, family, UDP);
		assert_int_equal(guarded_see_at(&f->g, &dg, 0, 1400, true), UNFRAG_REASON_NONE);
		assert_int_equal(guarded_used(&f->g, family), 2304 + 256);
		assert_int_equal(guarded_see_at(&f->g, &dg, 2800, 50, false), UNFRAG_REASON_NONE);
		assert_int_equal(guarded_used(&f->g, family), 2 * 2304 + 256);
		assert_int_equal(guarded_see_at(&f->g, &dg, 1400, 1400, true), UNFRAG_REASON_NONE);
		assert_int_equal(guarded_used(&f->g, family), 0);
		assert_int_equal(guarded_counters(&f->g, family)->opened, 1);
		assert_int_equal(guarded_counters(&f->g, family)->completed, 1);
		assert_int_equal(guarded_source(&f->g, family, &dg)->standing, 1);
	}
	guarded_agree(&f->g);
}

static void a_length_that_is_no_multiple_of_8_is_refused(void *state)
{
	struct fixture *f = state;

	EACH_FAMILY(family)
	{
		assert_int_equal(lone(f, family, UDP, 0, 403, true), UNFRAG_REASON_LENGTH);
		assert_int_equal(lone(f, family, UDP, 800, 403, false), UNFRAG_REASON_NONE);
	}
	/* Switched off, IPv4 is cut as the kernel does it, and IPv6 is the kernel's to judge. */
	switch_off(f, UNFRAG_REASON_LENGTH);
	EACH_FAMILY(family)
	assert_int_equal(lone(f, family, UDP, 0, 403, true), UNFRAG_REASON_NONE);
	assert_true(guarded_used(&f->g, AF_INET) > 0);
	assert_int_equal(guarded_used(&f->g, AF_INET6), 0);
	guarded_agree(&f->g);
}

static void a_cut_fragment_and_its_rest_are_whole(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;

	switch_off(f, UNFRAG_REASON_LENGTH);
	next(f, &dg, AF_INET, UDP);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 403, true), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_see_at(&f->g, &dg, 400, 100, false), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_counters(&f->g, AF_INET)->completed, 1);
	guarded_agree(&f->g);
}

static void empty_fragments_are_refused(void *state)
{
	struct fixture *f = state;

	EACH_FAMILY(family)
	{
		assert_int_equal(lone(f, family, UDP, 0, 0, true), UNFRAG_REASON_EMPTY);
		assert_int_equal(lone(f, family, UDP, 80, 0, true), UNFRAG_REASON_EMPTY);
		assert_int_equal(lone(f, family, UDP, 80, 0, false), UNFRAG_REASON_EMPTY);
	}
	switch_off(f, UNFRAG_REASON_EMPTY);
	assert_int_equal(lone(f, AF_INET, UDP, 80, 0, true), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_used(&f->g, AF_INET), 0);
	guarded_agree(&f->g);
}

/* 65,535 bytes with the IPv4 header, or without the IPv6 one. */
static void a_datagram_has_65535_bytes_at_most(void *state)
{
	struct fixture *f = state;

	assert_int_equal(lone(f, AF_INET, UDP, 65504, 11, false), UNFRAG_REASON_NONE);
	assert_int_equal(lone(f, AF_INET, UDP, 65504, 12, false), UNFRAG_REASON_OVERSIZE);
	assert_int_equal(lone(f, AF_INET6, UDP, 65528, 7, false), UNFRAG_REASON_NONE);
	assert_int_equal(lone(f, AF_INET6, UDP, 65528, 8, false), UNFRAG_REASON_OVERSIZE);
	switch_off(f, UNFRAG_REASON_OVERSIZE);
	EACH_FAMILY(family)
	{
		assert_int_equal(lone(f, family, UDP, 65528, 1000, false), UNFRAG_REASON_NONE);
		assert_int_equal(guarded_used(&f->g, family), 0);
	}
	guarded_agree(&f->g);
}

static void first_fragments_need_their_upper_layer_header(void *state)
{
	struct fixture *f = state;

	EACH_FAMILY(family)
	{
		assert_int_equal(lone(f, family, SCTP, 0, 8, true), UNFRAG_REASON_CHAIN);
		assert_int_equal(lone(f, family, SCTP, 0, 16, true), UNFRAG_REASON_NONE);
		assert_int_equal(lone(f, family, SCTP, 8, 8, true), UNFRAG_REASON_NONE);
	}
	switch_off(f, UNFRAG_REASON_CHAIN);
	EACH_FAMILY(family)
	assert_int_equal(lone(f, family, SCTP, 0, 8, true), UNFRAG_REASON_NONE);
	guarded_agree(&f->g);
}

/* A first fragment with a part of a Destination Options header of 24 bytes. */
static void ipv6_header_chains_stand_in_the_first_fragment(void *state)
{
	static const uint8_t chain[64] = { UDP, 2 };
	struct fixture *f = state;
	struct lab_datagram dg;

	next(f, &dg, AF_INET6, DSTOPTS);
	dg.payload = chain;
	dg.payload_len = sizeof(chain);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 16, true), UNFRAG_REASON_CHAIN);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 24, true), UNFRAG_REASON_CHAIN);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 32, true), UNFRAG_REASON_NONE);
	guarded_agree(&f->g);
}

static void tcp_flags_can_be_neither_hidden_nor_rewritten(void *state)
{
	struct fixture *f = state;

	EACH_FAMILY(family)
	{
		assert_int_equal(lone(f, family, TCP, 0, 8, true), UNFRAG_REASON_TINY);
		assert_int_equal(lone(f, family, TCP, 0, 24, true), UNFRAG_REASON_NONE);
		assert_int_equal(lone(f, family, TCP, 8, 800, true), UNFRAG_REASON_TINY);
		assert_int_equal(lone(f, family, TCP, 16, 800, true), UNFRAG_REASON_NONE);
		assert_int_equal(lone(f, family, UDP, 8, 800, true), UNFRAG_REASON_NONE);
	}
	switch_off(f, UNFRAG_REASON_TINY);
	EACH_FAMILY(family)
	assert_int_equal(lone(f, family, TCP, 8, 800, true), UNFRAG_REASON_NONE);
	guarded_agree(&f->g);
}

static void neighbor_discovery_comes_in_no_fragments(void *state)
{
	static const uint8_t types[] = { 133, 134, 135, 136, 137, 148, 149 };
	uint8_t payload[64] = { 0 };
	struct fixture *f = state;
	struct lab_datagram dg;
	size_t i;

	next(f, &dg, AF_INET6, ICMPV6);
	dg.payload = payload;
	dg.payload_len = sizeof(payload);
	for (i = 0; i < sizeof(types); i++) {
		payload[0] = types[i];
		dg.identification++;
		assert_int_equal(guarded_see_at(&f->g, &dg, 0, 32, true), UNFRAG_REASON_DISCOVERY);
		/* Atomic ones are fragments to RFC 6980. */
		assert_int_equal(guarded_see_at(&f->g, &dg, 0, 64, false), UNFRAG_REASON_DISCOVERY);
	}
	payload[0] = 128; /* echo request */
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 32, true), UNFRAG_REASON_NONE);
	payload[0] = 135;
	switch_off(f, UNFRAG_REASON_DISCOVERY);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 32, true), UNFRAG_REASON_NONE);
	guarded_agree(&f->g);
}

static void fragments_that_forbid_fragments_are_counted_and_pass(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;

	next(f, &dg, AF_INET, UDP);
	dg.df = true;
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_see_at(&f->g, &dg, 800, 80, false), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_counters(&f->g, AF_INET)->dont_fragment, 2);
	assert_int_equal(guarded_counters(&f->g, AF_INET)->completed, 1);
	guarded_agree(&f->g);
}

/* A Destination Options header that says it is longer than the packet. */
static void headers_that_lie_are_refused(void *state)
{
	static const uint8_t lying[16] = { UDP, 200 };
	lab_auto_packets struct lab_packets packets = { 0 };
	struct fixture *f = state;
	struct lab_datagram dg;

	next(f, &dg, AF_INET6, DSTOPTS);
	dg.payload = lying;
	dg.payload_len = sizeof(lying);
	test_ok(lab_whole(&dg, &packets));
	assert_int_equal(guarded_see_packet(&f->g, &packets, 0), UNFRAG_REASON_UNREADABLE);
	switch_off(f, UNFRAG_REASON_UNREADABLE);
	assert_int_equal(guarded_see_packet(&f->g, &packets, 0), UNFRAG_REASON_NONE);
	guarded_agree(&f->g);
}

static void atomic_fragments_pass_alone(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;

	next(f, &dg, AF_INET6, UDP);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, false), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_counters(&f->g, AF_INET6)->atomic, 1);
	assert_int_equal(guarded_see_at(&f->g, &dg, 800, 80, false), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_counters(&f->g, AF_INET6)->completed, 1);
	guarded_agree(&f->g);
}

static void duplicates_are_refused_and_do_no_harm(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;
	int64_t used;

	EACH_FAMILY(family)
	{
		next(f, &dg, family, UDP);
		assert_int_equal(guarded_see_at(&f->g, &dg, 0, 1400, true), UNFRAG_REASON_NONE);
		assert_int_equal(guarded_see_at(&f->g, &dg, 1400, 1400, true), UNFRAG_REASON_NONE);
		assert_int_equal(guarded_see_at(&f->g, &dg, 4200, 53, false), UNFRAG_REASON_NONE);
		used = guarded_used(&f->g, family);
		assert_int_equal(guarded_see_at(&f->g, &dg, 0, 1400, true),
				 UNFRAG_REASON_DUPLICATE);
		assert_int_equal(guarded_see_at(&f->g, &dg, 1400, 1400, true),
				 UNFRAG_REASON_DUPLICATE);
		assert_int_equal(guarded_see_at(&f->g, &dg, 4200, 53, false),
				 UNFRAG_REASON_DUPLICATE);
		assert_int_equal(guarded_used(&f->g, family), used);
		assert_int_equal(guarded_see_at(&f->g, &dg, 2800, 1400, true), UNFRAG_REASON_NONE);
		assert_int_equal(guarded_counters(&f->g, family)->completed, 1);
	}
	switch_off(f, UNFRAG_REASON_DUPLICATE);
	next(f, &dg, AF_INET, UDP);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 1400, true), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 1400, true), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_see_at(&f->g, &dg, 1400, 8, false), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_counters(&f->g, AF_INET)->completed, 1);
	guarded_agree(&f->g);
}

/* Each of these after 800..1599 in two fragments of 400 bytes. */
static void overlap_kills_until_the_time_is_over(void *state)
{
	static const struct {
		size_t off, len;
	} wrong[] = { { 792, 16 },  { 800, 8 },    { 1192, 16 }, { 1592, 16 }, { 1592, 8 },
		      { 800, 800 }, { 792, 1000 }, { 800, 392 }, { 1208, 392 } };
	struct fixture *f = state;
	struct lab_datagram dg;
	size_t i;

	EACH_FAMILY(family)
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		next(f, &dg, family, UDP);
		guarded_see_at(&f->g, &dg, 800, 400, true);
		guarded_see_at(&f->g, &dg, 1200, 400, true);
		assert_int_equal(guarded_see_at(&f->g, &dg, wrong[i].off, wrong[i].len, true),
				 UNFRAG_REASON_OVERLAP);
		assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_REFUSED);
		f->g.now += 4 * USUAL_SECOND;
		assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_NONE);
	}
	guarded_agree(&f->g);
}

/* What the kernel makes of them is not known, so they count until their time is over. */
static void overlap_that_is_allowed_stays_charged(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;

	switch_off(f, UNFRAG_REASON_OVERLAP);
	next(f, &dg, AF_INET, UDP);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_see_at(&f->g, &dg, 400, 800, true), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_see_at(&f->g, &dg, 1200, 80, false), UNFRAG_REASON_NONE);
	assert_int_equal(guarded_counters(&f->g, AF_INET)->completed, 0);
	assert_true(guarded_used(&f->g, AF_INET) > 0);
	guarded_agree(&f->g);
}

static void a_datagram_has_one_end(void *state)
{
	static const struct {
		size_t off, len;
		bool more;
	} wrong[] = { { 1600, 8, false }, { 1600, 8, true },   { 1560, 48, true },
		      { 800, 40, false }, { 1592, 16, false }, { 1592, 7, false } };
	struct fixture *f = state;
	struct lab_datagram dg;
	size_t i;

	EACH_FAMILY(family)
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		next(f, &dg, family, UDP);
		guarded_see_at(&f->g, &dg, 1592, 8, false);
		assert_int_equal(guarded_see_at(&f->g, &dg, wrong[i].off, wrong[i].len,
						wrong[i].more),
				 UNFRAG_REASON_END);
		assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_REFUSED);
	}
	next(f, &dg, AF_INET, UDP);
	guarded_see_at(&f->g, &dg, 800, 800, true);
	assert_int_equal(guarded_see_at(&f->g, &dg, 400, 400, false), UNFRAG_REASON_END);
	guarded_agree(&f->g);
}

/* RFC 3168 5.3: 0, not capable, with any other is wrong; 3, congested, with 1 or 2 is well. */
static void fragments_agree_on_ecn(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;
	uint8_t a, b;
	uint32_t want;

	EACH_FAMILY(family)
	for (a = 0; a < 4; a++)
		for (b = 0; b < 4; b++) {
			want = (!a != !b) ? UNFRAG_REASON_ECN : UNFRAG_REASON_NONE;
			next(f, &dg, family, UDP);
			dg.tos = a;
			guarded_see_at(&f->g, &dg, 0, 800, true);
			dg.tos = b;
			assert_int_equal(guarded_see_at(&f->g, &dg, 800, 80, false), want);
			f->g.now += USUAL_SECOND;
		}
	guarded_agree(&f->g);
}

/* 32 fragments of any size; with the 33rd they must have 128 bytes in the mean. */
static void many_fragments_for_few_bytes_are_refused(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;
	size_t i;

	f->config.memory[0] *= 64;
	f->config.memory[1] *= 64;
	reopen(f);
	EACH_FAMILY(family)
	{
		next(f, &dg, family, UDP);
		for (i = 0; i < 32; i++)
			assert_int_equal(guarded_see_at(&f->g, &dg, i * 16, 16, true),
					 UNFRAG_REASON_NONE);
		assert_int_equal(guarded_see_at(&f->g, &dg, i * 16, 16, true), UNFRAG_REASON_SMALL);
		next(f, &dg, family, UDP);
		for (i = 0; i < 120; i++)
			assert_int_equal(guarded_see_at(&f->g, &dg, i * 128, 128, true),
					 UNFRAG_REASON_NONE);
	}
	guarded_agree(&f->g);
}

/* IPv4 datagrams differ by protocol too (RFC 791), IPv6 ones do not (RFC 8200 4.5). */
static void datagrams_are_told_apart_as_the_kernel_does_it(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;

	next(f, &dg, AF_INET, UDP);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_NONE);
	dg.protocol = SCTP;
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_NONE);
	next(f, &dg, AF_INET6, UDP);
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_NONE);
	dg.protocol = SCTP;
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_DUPLICATE);
	dg.dst.s6_addr[15]++;
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_NONE);
	dg.src.s6_addr[15]++;
	assert_int_equal(guarded_see_at(&f->g, &dg, 0, 800, true), UNFRAG_REASON_NONE);
	guarded_agree(&f->g);
}

#define GUARD_TEST(fn) TEST_WITH(fn, setup, teardown)

static const struct test tests[] = {
	GUARD_TEST(whole_packets_are_not_its_business),
	GUARD_TEST(datagrams_pass_and_leave_nothing),
	GUARD_TEST(a_length_that_is_no_multiple_of_8_is_refused),
	GUARD_TEST(a_cut_fragment_and_its_rest_are_whole),
	GUARD_TEST(empty_fragments_are_refused),
	GUARD_TEST(a_datagram_has_65535_bytes_at_most),
	GUARD_TEST(first_fragments_need_their_upper_layer_header),
	GUARD_TEST(ipv6_header_chains_stand_in_the_first_fragment),
	GUARD_TEST(tcp_flags_can_be_neither_hidden_nor_rewritten),
	GUARD_TEST(neighbor_discovery_comes_in_no_fragments),
	GUARD_TEST(fragments_that_forbid_fragments_are_counted_and_pass),
	GUARD_TEST(headers_that_lie_are_refused),
	GUARD_TEST(atomic_fragments_pass_alone),
	GUARD_TEST(duplicates_are_refused_and_do_no_harm),
	GUARD_TEST(overlap_kills_until_the_time_is_over),
	GUARD_TEST(overlap_that_is_allowed_stays_charged),
	GUARD_TEST(a_datagram_has_one_end),
	GUARD_TEST(fragments_agree_on_ecn),
	GUARD_TEST(many_fragments_for_few_bytes_are_refused),
	GUARD_TEST(datagrams_are_told_apart_as_the_kernel_does_it),
};

TEST_MAIN(tests);
