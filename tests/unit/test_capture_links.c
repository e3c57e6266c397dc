// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Link layers, built by hand: fragments behind each come out as one datagram behind the header of
 * the first fragment, with the lengths in it right. CASES 8, and what of 4 is in link layers.
 */
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>
#include <tape.h>
#include <test.h>
#include <wire.h>

#define MACS "\x02\0\0\0\0\x02\x02\0\0\0\0\x01"

struct layer {
	const char *name;
	int link;
	const char *header; /* for IPv4 */
	size_t len;
	const char *header_6; /* NULL: IPv4 only */
};

#define H(x) x, sizeof(x) - 1

static const struct layer layers[] = {
	{ "Ethernet", DLT_EN10MB, H(MACS "\x08\x00"), MACS "\x86\xdd" },
	{ "VLAN", DLT_EN10MB, H(MACS "\x81\x00\x20\x0a\x08\x00"), MACS "\x81\x00\x20\x0a\x86\xdd" },
	{ "QinQ", DLT_EN10MB, H(MACS "\x88\xa8\x00\x64\x81\x00\x00\x0a\x08\x00"),
	  MACS "\x88\xa8\x00\x64\x81\x00\x00\x0a\x86\xdd" },
	{ "old QinQ", DLT_EN10MB, H(MACS "\x91\x00\x00\x64\x81\x00\x00\x0a\x08\x00"), NULL },
	{ "MPLS", DLT_EN10MB, H(MACS "\x88\x47\x00\x01\x00\x40\x00\x02\x01\x40"),
	  MACS "\x88\x47\x00\x01\x00\x40\x00\x02\x01\x40" },
	{ "MPLS in VLAN", DLT_EN10MB, H(MACS "\x81\x00\x00\x05\x88\x48\x00\x01\x01\x40"), NULL },
	{ "raw IP", DLT_RAW, H(""), "" },
	{ "raw IPv4", DLT_IPV4, H(""), NULL },
	{ "Linux cooked", DLT_LINUX_SLL, H("\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x08\x00"),
	  "\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x86\xdd" },
	{ "Linux cooked 2", DLT_LINUX_SLL2,
	  H("\x08\x00\0\0\0\0\0\x07\0\x01\0\x06\x02\0\0\0\0\x01\0\0"),
	  "\x86\xdd\0\0\0\0\0\x07\0\x01\0\x06\x02\0\0\0\0\x01\0\0" },
	{ "loopback, little-endian", DLT_NULL, H("\x02\0\0\0"), "\x1e\0\0\0" },
	{ "loopback, big-endian", DLT_NULL, H("\0\0\0\x02"), "\0\0\0\x0a" },
	{ "OpenBSD loopback", DLT_LOOP, H("\0\0\0\x02"), "\0\0\0\x18" },
	{ "PPP", DLT_PPP, H("\xff\x03\x00\x21"), "\xff\x03\x00\x57" },
	{ "PPP without address", DLT_PPP, H("\x00\x21"), "\x00\x57" },
	{ "PPP compressed", DLT_PPP, H("\x21"), "\x57" },
	{ "PPP in HDLC", DLT_PPP_SERIAL, H("\xff\x03\x00\x21"), "\xff\x03\x00\x57" },
	{ "Cisco HDLC", DLT_C_HDLC, H("\x0f\0\x08\x00"), "\x0f\0\x86\xdd" },
};

#define LAYERS (sizeof(layers) / sizeof(layers[0]))

static void make(struct lab_datagram *dg, int family, size_t payload)
{
	static const unsigned char data[60000];

	if (family == AF_INET)
		test_ok(lab_datagram_init(dg, AF_INET, "10.0.0.1", "10.0.0.2"));
	else
		test_ok(lab_datagram_init(dg, AF_INET6, "2001:db8::1", "2001:db8::2"));
	dg->identification = 0x1234;
	test_ok(lab_datagram_set_udp(dg, 1000, 53, data, payload));
}

/* The packet is this link header and the datagram, whole. */
static void expect_whole(const struct tape_packet *p, const void *link, size_t link_len,
			 const struct lab_datagram *dg)
{
	lab_auto_packets struct lab_packets whole = { 0 };
	const unsigned char *ip;
	size_t len;

	test_ok(lab_whole(dg, &whole));
	ip = lab_packet_at(&whole, 0, &len);
	assert_int_equal(p->caplen, link_len + len);
	assert_int_equal(p->len, p->caplen);
	if (link_len)
		assert_memory_equal(p->data, link, link_len);
	assert_memory_equal(p->data + link_len, ip, len);
}

static void run_layer(const struct layer *l, int family, enum lab_order order)
{
	const char *header = family == AF_INET ? l->header : l->header_6;
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct tape_run run = { 0 };
	struct tape in;

	make(&dg, family, 3000);
	test_ok(lab_fragment(&dg, 1000, &packets));
	test_ok(lab_packets_order(&packets, order, false, 7));
	tape_init(&in, l->link);
	tape_add_all(&in, header, l->len, &packets);
	tape_run(&run, &in);
	if (run.out.count != 1)
		printf("# %s, family %d\n", l->name, family);
	assert_int_equal(run.out.count, 1);
	expect_whole(&run.out.packets[0], header, l->len, &dg);
	assert_int_equal(run.out.packets[0].time, in.packets[in.count - 1].time);
	tape_run_release(&run);
	tape_release(&in);
}

static void every_link_layer_is_read(void *state)
{
	size_t i;
	int order;

	(void)state;
	for (i = 0; i < LAYERS; i++) {
		for (order = 0; order < LAB_ORDER_MAX; order++) {
			run_layer(&layers[i], AF_INET, (enum lab_order)order);
			if (layers[i].header_6)
				run_layer(&layers[i], AF_INET6, (enum lab_order)order);
		}
	}
}

static void a_header_cut_anywhere_is_no_ip(void *state)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct tape_run run = { 0 };
	struct tape in;
	size_t i, len;

	(void)state;
	make(&dg, AF_INET, 100);
	for (i = 0; i < LAYERS; i++) {
		tape_init(&in, layers[i].link);
		for (len = 0; len < layers[i].len; len++)
			tape_add(&in, layers[i].header, len, "", 0, 0);
		tape_run(&run, &in);
		assert_int_equal(run.stats.not_ip, layers[i].len);
		assert_int_equal(run.out.count, layers[i].len);
		tape_run_release(&run);
		tape_release(&in);
	}
}

/* Writes a header for so many bytes of IP, and returns its length. */
typedef size_t (*header_fn)(uint8_t *header, size_t ip_len);

/* An IPv4 datagram in fragments, each behind a header of its own and before padding: one packet. */
static void run_behind(struct tape_run *run, struct lab_datagram *dg, size_t payload, size_t size,
		       header_fn write, size_t padding)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	auto_tape struct tape in;
	uint8_t header[22];
	size_t i, len;

	make(dg, AF_INET, payload);
	test_ok(lab_fragment(dg, size, &packets));
	tape_init(&in, DLT_EN10MB);
	for (i = 0; i < packets.count; i++) {
		const unsigned char *ip = lab_packet_at(&packets, i, &len);

		tape_add(&in, header, write(header, len), ip, len, padding);
	}
	tape_run(run, &in);
	assert_int_equal(run->out.count, 1);
}

static void copy(uint8_t *to, const char *from, size_t len)
{
	memcpy(to, from, len);
}

static size_t ethernet_header(uint8_t *header, size_t ip_len)
{
	(void)ip_len;
	memcpy(header, layers[0].header, layers[0].len);
	return layers[0].len;
}

static void padding_is_not_data(void *state)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	auto_tape_run struct tape_run run = { 0 };

	(void)state;
	run_behind(&run, &dg, 100, 56, ethernet_header, 22);
	expect_whole(&run.out.packets[0], layers[0].header, layers[0].len, &dg);
}

/* MACS, length, LLC and SNAP, type. */
static size_t snap_header(uint8_t *header, size_t ip_len)
{
	copy(header, MACS, 12);
	put16(header + 12, (uint32_t)(ip_len + 8));
	copy(header + 14, "\xaa\xaa\x03\0\0\0\x08\x00", 8);
	return 22;
}

static void run_snap(size_t payload, bool stays)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	auto_tape_run struct tape_run run = { 0 };
	uint8_t header[22];

	run_behind(&run, &dg, payload, 600, snap_header, 4);
	if (stays)
		expect_whole(&run.out.packets[0], header, snap_header(header, 20 + 8 + payload),
			     &dg);
	else
		expect_whole(&run.out.packets[0], MACS "\x08\x00", 14, &dg);
}

static void an_802_3_length_is_put_right_or_becomes_a_type(void *state)
{
	(void)state;
	run_snap(1464, true); /* 1500 with LLC, SNAP and headers */
	run_snap(1465, false);
	run_snap(5000, false);
}

static void pppoe_header(uint8_t *header, uint16_t session, size_t ip_len)
{
	copy(header, MACS "\x88\x64\x11\0", 16);
	put16(header + 16, session);
	put16(header + 18, (uint32_t)(ip_len + 2));
	copy(header + 20, "\x00\x21", 2);
}

static size_t pppoe_header_9(uint8_t *header, size_t ip_len)
{
	pppoe_header(header, 9, ip_len);
	return 22;
}

static void a_pppoe_length_is_put_right(void *state)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	auto_tape_run struct tape_run run = { 0 };
	uint8_t header[22];

	(void)state;
	run_behind(&run, &dg, 5000, 600, pppoe_header_9, 0);
	expect_whole(&run.out.packets[0], header, pppoe_header_9(header, 5028), &dg);
}

/* Two fragments of one datagram, behind these headers; are they put together? */
static bool meet(int link, const char *one, const char *two, size_t len)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct tape_run run = { 0 };
	struct tape in;
	const unsigned char *ip;
	size_t n;
	bool met;

	make(&dg, AF_INET, 1000);
	test_ok(lab_fragment(&dg, 600, &packets));
	tape_init(&in, link);
	ip = lab_packet_at(&packets, 0, &n);
	tape_add(&in, one, len, ip, n, 0);
	ip = lab_packet_at(&packets, 1, &n);
	tape_add(&in, two, len, ip, n, 0);
	tape_run(&run, &in);
	met = run.stats.whole == 1;
	assert_int_equal(run.out.count, met ? 1 : 2);
	tape_run_release(&run);
	tape_release(&in);
	return met;
}

static void vlans_labels_sessions_and_interfaces_are_apart(void *state)
{
	(void)state;
	assert_false(meet(DLT_EN10MB, MACS "\x81\x00\x00\x0a\x08\x00",
			  MACS "\x81\x00\x00\x0b\x08\x00", 18));
	assert_false(meet(DLT_EN10MB, MACS "\x88\xa8\x00\x01\x81\x00\x00\x02\x08\x00",
			  MACS "\x88\xa8\x00\x02\x81\x00\x00\x01\x08\x00", 22));
	assert_false(meet(DLT_EN10MB, MACS "\x88\x47\x00\x01\x01\x40",
			  MACS "\x88\x47\x00\x02\x01\x40", 18));
	assert_false(meet(DLT_EN10MB, MACS "\x88\x64\x11\0\0\x01\x02\x74\x00\x21",
			  MACS "\x88\x64\x11\0\0\x02\x02\x74\x00\x21", 22));
	assert_false(meet(DLT_LINUX_SLL2, "\x08\0\0\0\0\0\0\x07\0\x01\0\x06\x02\0\0\0\0\x01\0\0",
			  "\x08\0\0\0\0\0\0\x08\0\x01\0\x06\x02\0\0\0\0\x01\0\0", 20));
}

static void priorities_addresses_and_entropy_keep_nothing_apart(void *state)
{
	(void)state;
	assert_true(meet(DLT_EN10MB, MACS "\x81\x00\x20\x0a\x08\x00",
			 MACS "\x81\x00\xe0\x0a\x08\x00", 18));
	assert_true(
		meet(DLT_EN10MB, MACS "\x08\x00", "\x02\0\0\0\0\x09\x02\0\0\0\0\x08\x08\x00", 14));
	/* Label 16, entropy label indicator (7), and an entropy label each (RFC 6790). */
	assert_true(meet(DLT_EN10MB,
			 MACS "\x88\x47\x00\x01\x00\x40\x00\x00\x70\x40\x12\x34\x51\x00",
			 MACS "\x88\x47\x00\x01\x00\x40\x00\x00\x70\x40\x54\x32\x11\x00", 26));
}

static const struct test tests[] = {
	TEST_WITH(every_link_layer_is_read, tape_setup, tape_teardown),
	TEST_WITH(a_header_cut_anywhere_is_no_ip, tape_setup, tape_teardown),
	TEST_WITH(padding_is_not_data, tape_setup, tape_teardown),
	TEST_WITH(an_802_3_length_is_put_right_or_becomes_a_type, tape_setup, tape_teardown),
	TEST_WITH(a_pppoe_length_is_put_right, tape_setup, tape_teardown),
	TEST_WITH(vlans_labels_sessions_and_interfaces_are_apart, tape_setup, tape_teardown),
	TEST_WITH(priorities_addresses_and_entropy_keep_nothing_apart, tape_setup, tape_teardown),
};

TEST_MAIN(tests);
