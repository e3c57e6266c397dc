// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fragment facts from plain memory: every field of every kind of packet that matters.
 */
#include <arpa/inet.h>
#include <string.h>
#include <test.h>

#include <lab.h>
#include <unfrag/packet.h>

static struct unfrag_facts read_ok(const void *data, size_t len)
{
	struct unfrag_facts f;

	assert_int_equal(unfrag_facts_read(&f, data, (__u32)len), 0);
	return f;
}

static void make(struct lab_datagram *dg, int family, size_t payload)
{
	static unsigned char data[65535];

	test_ok(lab_datagram_init(dg, family, family == AF_INET ? "192.0.2.1" : "2001:db8::1",
				  family == AF_INET ? "192.0.2.2" : "2001:db8::2"));
	dg->identification = 0x1234;
	test_ok(lab_datagram_set_udp(dg, 1000, 53, data, payload));
}

static void check_fragment(int family, size_t payload, size_t size)
{
	lab_auto_datagram struct lab_datagram dg;
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_facts f;
	size_t i, len, off = 0;
	unsigned char *p;

	make(&dg, family, payload);
	test_ok(lab_fragment(&dg, size, &packets));
	for (i = 0; i < packets.count; i++) {
		p = lab_packet_at(&packets, i, &len);
		f = read_ok(p, len);
		assert_int_equal(f.family, family == AF_INET ? UNFRAG_IPV4 : UNFRAG_IPV6);
		assert_int_equal(f.len, len);
		assert_int_equal(f.id, 0x1234);
		assert_int_equal(f.proto, UNFRAG_PROTO_UDP);
		assert_int_equal(f.frag_off, off);
		assert_int_equal(f.payload_off, family == AF_INET ? 20 : 48);
		assert_int_equal(f.defect, UNFRAG_DEFECT_NONE);
		assert_int_equal(f.has_l4, i == 0);
		assert_int_equal(f.frag, i == 0                 ? UNFRAG_FRAG_FIRST :
					 i + 1 == packets.count ? UNFRAG_FRAG_LAST :
								  UNFRAG_FRAG_MIDDLE);
		assert_true(unfrag_facts_is_fragment(&f));
		off += len - f.payload_off;
	}
	assert_int_equal(off, payload + 8);
}

static void fragments_of_both_families(void)
{
	check_fragment(AF_INET, 3000, 1480);
	check_fragment(AF_INET6, 3000, 1448);
	check_fragment(AF_INET, 100, 8);
	check_fragment(AF_INET6, 100, 8);
}

static void a_whole_packet_is_no_fragment(void)
{
	lab_auto_datagram struct lab_datagram v4, v6;
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_facts f;
	size_t len;

	make(&v4, AF_INET, 100);
	make(&v6, AF_INET6, 100);
	test_ok(lab_whole(&v4, &packets));
	test_ok(lab_whole(&v6, &packets));
	f = read_ok(lab_packet_at(&packets, 0, &len), 128);
	assert_int_equal(f.frag, UNFRAG_FRAG_NONE);
	assert_int_equal(f.l4_off, 20);
	assert_true(f.has_l4);
	f = read_ok(lab_packet_at(&packets, 1, &len), 148);
	assert_int_equal(f.frag, UNFRAG_FRAG_NONE);
	assert_int_equal(f.l4_off, 40);
	assert_true(f.has_l4);
	assert_int_equal(f.id, 0);
}

struct defect_case {
	int family;
	size_t offset, len;
	bool more;
	enum unfrag_defect want;
};

static void one_fragment_shows_its_defects(void)
{
	static const struct defect_case cases[] = {
		{ AF_INET, 0, 16, true, UNFRAG_DEFECT_NONE },
		{ AF_INET, 8, 13, true, UNFRAG_DEFECT_LENGTH },
		{ AF_INET, 8, 13, false, UNFRAG_DEFECT_NONE },
		{ AF_INET, 8, 0, true, UNFRAG_DEFECT_EMPTY },
		{ AF_INET, 8, 0, false, UNFRAG_DEFECT_EMPTY },
		{ AF_INET, 65512, 3, false, UNFRAG_DEFECT_NONE },
		{ AF_INET, 65512, 4, false, UNFRAG_DEFECT_OVERSIZE },
		{ AF_INET6, 0, 16, true, UNFRAG_DEFECT_NONE },
		{ AF_INET6, 0, 13, true, UNFRAG_DEFECT_LENGTH },
		{ AF_INET6, 8, 0, true, UNFRAG_DEFECT_EMPTY },
		{ AF_INET6, 65528, 7, false, UNFRAG_DEFECT_NONE },
		{ AF_INET6, 65528, 8, false, UNFRAG_DEFECT_OVERSIZE },
	};
	size_t i, len;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct defect_case *c = &cases[i];
		lab_auto_datagram struct lab_datagram dg;
		lab_auto_packets struct lab_packets packets = { 0 };
		unsigned char *p;

		make(&dg, c->family, 8000);
		test_ok(lab_fragment_at(&dg, c->offset, c->len, c->more, &packets));
		p = lab_packet_at(&packets, 0, &len);
		assert_int_equal(read_ok(p, len).defect, c->want);
	}
}

static void a_first_fragment_without_its_upper_header_is_cut(void)
{
	lab_auto_datagram struct lab_datagram dg;
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_facts f;
	size_t len;

	make(&dg, AF_INET6, 100);
	dg.protocol = UNFRAG_PROTO_TCP;
	test_ok(lab_fragment_at(&dg, 0, 16, true, &packets));
	f = read_ok(lab_packet_at(&packets, 0, &len), 64);
	assert_int_equal(f.defect, UNFRAG_DEFECT_CHAIN);
	assert_false(f.has_l4);
	/* Destination options that run past the end of the first fragment. */
	dg.protocol = UNFRAG_PROTO_DSTOPTS;
	((unsigned char *)dg.owned)[0] = UNFRAG_PROTO_UDP;
	((unsigned char *)dg.owned)[1] = 2;
	test_ok(lab_fragment_at(&dg, 0, 16, true, &packets));
	f = read_ok(lab_packet_at(&packets, 1, &len), 64);
	assert_int_equal(f.frag, UNFRAG_FRAG_FIRST);
	assert_int_equal(f.defect, UNFRAG_DEFECT_CHAIN);
	assert_false(f.has_l4);
}

/* IPv6 header with Next Header `next`, then `tail`. */
static size_t ipv6(unsigned char *p, unsigned char next, const void *tail, size_t len)
{
	memset(p, 0, 40);
	p[0] = 0x60;
	p[4] = (unsigned char)(len >> 8);
	p[5] = (unsigned char)len;
	p[6] = next;
	memcpy(p + 40, tail, len);
	return 40 + len;
}

static void an_atomic_fragment_is_whole(void)
{
	static const unsigned char tail[] = {
		17, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 53, 0, 8, 0, 0,
	};
	unsigned char p[128];
	struct unfrag_facts f = read_ok(p, ipv6(p, 44, tail, sizeof(tail)));

	assert_int_equal(f.frag, UNFRAG_FRAG_ATOMIC);
	assert_false(unfrag_facts_is_fragment(&f));
	assert_true(f.has_l4);
	assert_int_equal(f.l4_off, 48);
	assert_int_equal(f.id, 9);
}

static void of_two_fragment_headers_the_real_one_counts(void)
{
	static const unsigned char tail[] = {
		44, 0, 0, 0, 0, 0, 0, 9, 17, 0, 0, 17, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8,
	};
	unsigned char p[128];
	struct unfrag_facts f = read_ok(p, ipv6(p, 44, tail, sizeof(tail)));

	assert_int_equal(f.frag, UNFRAG_FRAG_MIDDLE);
	assert_int_equal(f.frag_off, 16);
	assert_int_equal(f.id, 7);
	assert_int_equal(f.frag_hdr, 48);
	assert_false(f.has_l4);
}

static void extension_headers_are_followed(void)
{
	/* hop-by-hop, routing (16 bytes), authentication (12 bytes of payload length 1), UDP */
	static const unsigned char tail[] = {
		43, 0, 0,  0, 0, 0, 0, 0, 51, 1, 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,
		0,  0, 17, 1, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 1, 0, 53, 0, 8, 0, 0,
	};
	unsigned char p[128];
	struct unfrag_facts f = read_ok(p, ipv6(p, 0, tail, sizeof(tail)));

	assert_int_equal(f.proto, UNFRAG_PROTO_UDP);
	assert_int_equal(f.l4_off, 40 + 36);
	assert_true(f.has_l4);
}

static void headers_that_lie_are_unreadable(void)
{
	static const unsigned char past_end[] = { 17, 9, 0, 0, 0, 0, 0, 0 };
	unsigned char p[512] = { 0x45, 0, 0, 40 }, many[17 * 8] = { 0 };
	struct unfrag_facts f;
	size_t i;

	assert_int_equal(unfrag_facts_read(&f, p, 39), -1); /* total length beyond what is there */
	p[3] = 19;
	assert_int_equal(unfrag_facts_read(&f, p, 40), -1); /* below a header's length */
	p[3] = 40;
	p[0] = 0x44;
	assert_int_equal(unfrag_facts_read(&f, p, 40), -1); /* header of 16 bytes */
	p[0] = 0x4f;
	assert_int_equal(unfrag_facts_read(&f, p, 40), -1); /* header of 60 bytes in 40 */
	p[0] = 0x55;
	assert_int_equal(unfrag_facts_read(&f, p, 40), -1); /* no such version */
	assert_int_equal(unfrag_facts_read(&f, p, 0), -1);
	assert_int_equal(unfrag_facts_read(&f, p, (__u32)ipv6(p, 60, past_end, 8)), -1);
	for (i = 0; i < sizeof(many); i += 8)
		many[i] = i + 8 == sizeof(many) ? 17 : 60;
	assert_int_equal(unfrag_facts_read(&f, p, (__u32)ipv6(p, 60, many, sizeof(many))), -1);
}

static void padding_is_not_data(void)
{
	unsigned char p[60] = { 0x45, 0, 0, 28, 0, 1, 0, 1, 64, 17 };
	struct unfrag_facts f = read_ok(p, sizeof(p));

	assert_int_equal(f.len, 28);
	assert_int_equal(f.frag, UNFRAG_FRAG_LAST);
}

static const struct test tests[] = {
	TEST(fragments_of_both_families),
	TEST(a_whole_packet_is_no_fragment),
	TEST(one_fragment_shows_its_defects),
	TEST(a_first_fragment_without_its_upper_header_is_cut),
	TEST(an_atomic_fragment_is_whole),
	TEST(of_two_fragment_headers_the_real_one_counts),
	TEST(extension_headers_are_followed),
	TEST(headers_that_lie_are_unreadable),
	TEST(padding_is_not_data),
};

TEST_MAIN(tests);
