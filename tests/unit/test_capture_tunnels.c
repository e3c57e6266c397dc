// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fragments inside of tunnels: they come out as one datagram inside of the same tunnel, with what
 * counts around them right; and what is no such tunnel stays as it is.
 */
#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tape.h>
#include <test.h>
#include <tunnels.h>

#define EACH_KIND(k) \
	(k) = tunnels_kinds; \
	(k) < tunnels_kinds + tunnels_n_kinds; \
	(k)++

static const int families[] = { AF_INET, AF_INET6 };

#define WHOLE 3 /* the packet that is not cut */

static void put_ip(struct tape *t, const struct lab_packets *packets)
{
	size_t len;
	bool ipv4 = *lab_packet_at(packets, 0, &len) >> 4 == 4;

	tape_add_all(t, ipv4 ? TUNNELS_ETHER : TUNNELS_ETHER_6, TUNNELS_ETHER_LEN, packets);
}

/* Inner packet i, in a tunnel, on the tape: as one packet, or in fragments of some size. */
static void put(struct tape *t, const struct tunnels_kind *kind, int family,
		const struct lab_packets *inner, size_t i, size_t size)
{
	lab_auto_packets struct lab_packets out = { 0 };
	lab_auto_datagram struct lab_datagram outer = { 0 };
	size_t len;
	const unsigned char *ip = lab_packet_at(inner, i, &len);

	tunnels_wrap(&outer, kind, family, ip, len);
	outer.identification = (uint32_t)(7 + i); /* the first has the inner one's */
	if (size)
		test_ok(lab_fragment(&outer, size, &out));
	else
		test_ok(lab_whole(&outer, &out));
	put_ip(t, &out);
}

static bool same(const struct tape_packet *a, const struct tape_packet *b)
{
	return a->caplen == b->caplen && a->len == b->len && !memcmp(a->data, b->data, a->caplen);
}

/* What came out is the inner datagram whole, in the tunnel of its first fragment. */
static void expect_whole(const struct tape_run *run, const struct tunnels_kind *kind, int family,
			 const struct lab_packets *inner, const char *what)
{
	lab_auto_datagram struct lab_datagram outer = { 0 };
	lab_auto_packets struct lab_packets out = { 0 };
	struct tape want;
	size_t len;
	const unsigned char *ip = lab_packet_at(inner, WHOLE, &len);

	tunnels_wrap(&outer, kind, family, ip, len);
	outer.identification = 7;
	test_ok(lab_whole(&outer, &out));
	tape_init(&want, DLT_EN10MB);
	put_ip(&want, &out);
	if (run->out.count != 1 || !same(&run->out.packets[0], &want.packets[0]))
		printf("# %s, family %d: %s\n", kind->name, family, what);
	assert_int_equal(run->out.count, 1);
	assert_true(same(&run->out.packets[0], &want.packets[0]));
	tape_release(&want);
}

static void run_kind(const struct tunnels_kind *kind, int family, int inner_family, size_t size,
		     bool at_first)
{
	static const size_t order[] = { 1, 2, 0 };
	lab_auto_packets struct lab_packets inner = { 0 };
	struct tape_run run = { .opts = { .tunnels = true, .at_first = at_first } };
	struct tape in;
	size_t i;

	tunnels_cut(&inner, inner_family);
	tape_init(&in, DLT_EN10MB);
	for (i = 0; i < 3; i++)
		put(&in, kind, family, &inner, order[i], size);
	tape_run(&run, &in);
	expect_whole(&run, kind, family, &inner, "is not whole");
	assert_int_equal(run.out.packets[0].time,
			 at_first ? in.packets[0].time : in.packets[in.count - 1].time);
	assert_int_equal(run.stats.nested, size ? 3 : 0);
	assert_int_equal(run.stats.whole, size ? 4 : 1);
	assert_int_equal(run.n_records, run.stats.whole);
	tape_run_release(&run);
	tape_release(&in);
}

static void every_tunnel_is_looked_into(void *state)
{
	const struct tunnels_kind *kind;
	int i;

	(void)state;
	for (EACH_KIND(kind))
		for (i = 0; i < 8; i++)
			run_kind(kind, families[i & 1], families[i >> 1 & 1], 0, i >> 2);
}

static void fragments_inside_of_fragments_become_whole(void *state)
{
	const struct tunnels_kind *kind;
	int i;

	(void)state;
	for (EACH_KIND(kind))
		for (i = 0; i < 8; i++)
			run_kind(kind, families[i & 1], families[i >> 1 & 1], 400, i >> 2);
}

static void without_the_option_tunnels_stay_as_they_are(void *state)
{
	lab_auto_packets struct lab_packets inner = { 0 };
	struct tape_run run = { 0 };
	const struct tunnels_kind *kind;
	struct tape in;
	size_t i;

	(void)state;
	tunnels_cut(&inner, AF_INET);
	tape_init(&in, DLT_EN10MB);
	for (EACH_KIND(kind))
		put(&in, kind, AF_INET, &inner, 0, 0);
	tape_run(&run, &in);
	assert_int_equal(run.stats.not_fragments, tunnels_n_kinds);
	for (i = 0; i < in.count; i++)
		assert_true(same(&run.out.packets[i], &in.packets[i]));
	tape_run_release(&run);
	tape_release(&in);
}

/*
 * Three fragments of one datagram in a tunnel, of which the second differs by a byte of its outer
 * packet. Are they put together?
 */
static bool meet(const char *name, int family, size_t at, uint8_t byte)
{
	struct tape_run run = { .opts.tunnels = true };
	lab_auto_packets struct lab_packets inner = { 0 };
	struct tape in;
	bool met;
	size_t i;

	tunnels_cut(&inner, AF_INET);
	tape_init(&in, DLT_EN10MB);
	for (i = 0; i < 3; i++)
		put(&in, tunnels_find(name), family, &inner, i, 0);
	in.packets[1].data[TUNNELS_ETHER_LEN + at] ^= byte;
	tape_run(&run, &in);
	met = run.stats.whole == 1;
	assert_int_equal(run.stats.fragments, 3);
	assert_int_equal(run.out.count, met ? 1 : 3);
	assert_int_equal(run.n_records, met ? 1 : 2);
	tape_run_release(&run);
	tape_release(&in);
	return met;
}

static void tunnels_are_told_apart_by_ends_and_numbers(void *state)
{
	(void)state;
	assert_true(meet("IP in IP", AF_INET, 0, 0));
	assert_false(meet("IP in IP", AF_INET, 15, 1));
	assert_false(meet("IP in IP", AF_INET, 19, 1));
	assert_false(meet("IP in IP", AF_INET6, 23, 1));
	assert_false(meet("IP in IP", AF_INET6, 24, 1));
	assert_false(meet("GRE with all fields", AF_INET, 20 + 11, 1));
	assert_false(meet("GRE with PPP", AF_INET, 20 + 7, 1));
	assert_false(meet("VXLAN", AF_INET, 28 + 6, 1));
	assert_false(meet("old VXLAN", AF_INET, 28 + 23, 1)); /* a VLAN in it */
	assert_false(meet("GTP-U", AF_INET6, 48 + 4, 1));
}

static void what_may_differ_within_a_tunnel_keeps_nothing_apart(void *state)
{
	(void)state;
	assert_true(meet("VXLAN", AF_INET, 21, 1));                    /* UDP source port */
	assert_true(meet("VXLAN", AF_INET, 28 + 7, 1));                /* reserved */
	assert_true(meet("VXLAN", AF_INET, 28 + 8 + 11, 1));           /* an address of Ethernet */
	assert_true(meet("GRE with all fields", AF_INET, 20 + 15, 1)); /* sequence number */
	assert_true(meet("GTP-U with numbers", AF_INET, 28 + 9, 1));   /* likewise */
	assert_true(meet("IP in IP", AF_INET, 1, 0x04));               /* service */
}

/* An IPv4 packet inside of `depth` others. */
static void nest(struct lab_packets *out, const struct lab_packets *inner, size_t i, int depth)
{
	lab_auto_packets struct lab_packets now = { 0 };
	size_t len;
	unsigned char *ip = lab_packet_at(inner, i, &len);

	test_ok(lab_packets_add(&now, ip, len));
	while (depth--) {
		lab_auto_datagram struct lab_datagram outer = { 0 };

		ip = lab_packet_at(&now, now.count - 1, &len);
		tunnels_wrap(&outer, tunnels_find("IP in IP"), AF_INET, ip, len);
		test_ok(lab_whole(&outer, &now));
	}
	ip = lab_packet_at(&now, now.count - 1, &len);
	test_ok(lab_packets_add(out, ip, len));
}

static void tunnels_in_tunnels_are_followed_to_a_limit(void *state)
{
	int depth;

	(void)state;
	for (depth = PLACE_TUNNELS - 1; depth <= PLACE_TUNNELS + 1; depth++) {
		lab_auto_packets struct lab_packets inner = { 0 }, outer = { 0 };
		struct tape_run run = { .opts.tunnels = true };
		bool reached = depth <= PLACE_TUNNELS;
		struct tape in;
		size_t i, len;

		tunnels_cut(&inner, AF_INET);
		for (i = 0; i < 4; i++)
			nest(&outer, &inner, i, depth);
		tape_init(&in, DLT_EN10MB);
		put_ip(&in, &outer);
		in.count = 3;
		tape_run(&run, &in);
		in.count = 4;
		assert_int_equal(run.stats.whole, reached ? 1 : 0);
		assert_int_equal(run.stats.not_fragments, reached ? 0 : 3);
		assert_int_equal(run.out.count, reached ? 1 : 3);
		lab_packet_at(&outer, 3, &len);
		assert_true(!reached || same(&run.out.packets[0], &in.packets[3]));
		tape_run_release(&run);
		tape_release(&in);
	}
}

/* The datagram inside has the addresses, the protocol and the identification of the one outside. */
static void a_key_inside_of_the_same_key_does_not_loop(void *state)
{
	const struct tunnels_kind *kind = tunnels_find("IP in IP");
	lab_auto_datagram struct lab_datagram innermost = { 0 }, middle = { 0 };
	lab_auto_packets struct lab_packets packets = { 0 }, cut_once = { 0 };
	struct tape_run run = { .opts.tunnels = true };
	const unsigned char *ip;
	struct tape in;
	size_t i, len;

	(void)state;
	tunnels_inner(&innermost, AF_INET, 2500);
	test_ok(lab_whole(&innermost, &packets));
	ip = lab_packet_at(&packets, 0, &len);
	tunnels_wrap(&middle, kind, AF_INET, ip, len);
	middle.identification = 7;
	test_ok(lab_fragment(&middle, 1000, &cut_once));
	tape_init(&in, DLT_EN10MB);
	for (i = 0; i < cut_once.count; i++) {
		lab_auto_datagram struct lab_datagram outer = { 0 };
		lab_auto_packets struct lab_packets out = { 0 };

		ip = lab_packet_at(&cut_once, i, &len);
		tunnels_wrap(&outer, kind, AF_INET, ip, len);
		outer.identification = 7;
		test_ok(lab_fragment(&outer, 400, &out));
		put_ip(&in, &out);
	}
	tape_run(&run, &in);
	assert_int_equal(run.stats.whole, cut_once.count + 1);
	assert_int_equal(run.stats.single, 0);
	assert_int_equal(run.out.count, 1);
	assert_int_equal(run.out.packets[0].caplen, TUNNELS_ETHER_LEN + 20 + 20 + 20 + 8 + 2500);
	tape_run_release(&run);
	tape_release(&in);
}

static void a_checksum_of_udp_that_is_none_stays_none(void *state)
{
	struct tape_run run = { .opts.tunnels = true };
	lab_auto_packets struct lab_packets inner = { 0 };
	struct tape in;
	size_t i;

	(void)state;
	tunnels_cut(&inner, AF_INET);
	tape_init(&in, DLT_EN10MB);
	for (i = 0; i < 4; i++) {
		put(&in, tunnels_find("VXLAN"), AF_INET, &inner, i, 0);
		memset(in.packets[i].data + TUNNELS_ETHER_LEN + 20 + 6, 0, 2);
	}
	in.count = 3;
	tape_run(&run, &in);
	in.count = 4;
	assert_int_equal(run.out.count, 1);
	assert_memory_equal(run.out.packets[0].data + TUNNELS_ETHER_LEN + 20,
			    in.packets[3].data + TUNNELS_ETHER_LEN + 20,
			    in.packets[3].caplen - TUNNELS_ETHER_LEN - 20);
	tape_run_release(&run);
	tape_release(&in);
}

/* Whole it would have 65,507 bytes and a header: more than fits into the outer one. */
static void what_is_too_long_for_its_tunnel_stays_in_pieces(void *state)
{
	const struct tunnels_kind *kind;

	(void)state;
	for (EACH_KIND(kind)) {
		struct tape_run run = { .opts.tunnels = true };
		lab_auto_datagram struct lab_datagram dg = { 0 };
		lab_auto_packets struct lab_packets inner = { 0 };
		struct tape in;
		size_t i;

		tunnels_inner(&dg, AF_INET, 65507);
		test_ok(lab_fragment(&dg, 32760, &inner));
		tape_init(&in, DLT_EN10MB);
		for (i = 0; i < inner.count; i++)
			put(&in, kind, AF_INET, &inner, i, 0);
		tape_run(&run, &in);
		assert_int_equal(run.stats.whole, 0);
		assert_int_equal(run.stats.reasons[UNFRAG_REASON_OVERSIZE], inner.count);
		assert_int_equal(run.out.count, in.count);
		for (i = 0; i < in.count; i++)
			assert_true(same(&run.out.packets[i], &in.packets[i]));
		tape_run_release(&run);
		tape_release(&in);
	}
}

static void a_piece_that_lacks_the_rest_is_told_with_its_tunnel(void *state)
{
	struct tape_run run = { .opts.tunnels = true };
	lab_auto_packets struct lab_packets inner = { 0 };
	struct tape in;

	(void)state;
	tunnels_cut(&inner, AF_INET6);
	tape_init(&in, DLT_EN10MB);
	put(&in, tunnels_find("VXLAN"), AF_INET, &inner, 0, 400);
	tape_run(&run, &in);
	assert_int_equal(run.n_records, 2);
	assert_int_equal(run.records[0].key.tunnels[0], TUNNEL_NONE);
	assert_int_equal(run.records[1].key.tunnels[0], TUNNEL_VXLAN);
	assert_int_equal(run.records[1].key.tunnel_ids[0], 42);
	assert_int_equal(run.records[1].reason, UNFRAG_REASON_FLUSHED);
	assert_int_equal(run.stats.nested, 1);
	assert_int_equal(run.out.count, 1);
	tape_run_release(&run);
	tape_release(&in);
}

/* One packet that is to stay as it is, whatever it looks like. */
static void stays(const char *name, const void *ip, size_t len)
{
	struct tape_run run = { .opts.tunnels = true };
	struct tape in;

	tape_init(&in, DLT_RAW);
	tape_add(&in, "", 0, ip, len, 0);
	tape_run(&run, &in);
	if (run.stats.not_fragments != 1)
		printf("# %s, %zu bytes\n", name, len);
	assert_int_equal(run.stats.not_fragments, 1);
	assert_true(same(&run.out.packets[0], &in.packets[0]));
	tape_run_release(&run);
	tape_release(&in);
}

/* The tunnel's header and the inner one, ending anywhere, lengths around it right. */
static void a_tunnel_cut_anywhere_is_none(void *state)
{
	lab_auto_packets struct lab_packets inner = { 0 };
	const struct tunnels_kind *kind;
	size_t len, all;

	(void)state;
	tunnels_cut(&inner, AF_INET);
	for (EACH_KIND(kind)) {
		lab_auto_datagram struct lab_datagram outer = { 0 };
		const unsigned char *packet = lab_packet_at(&inner, 0, &len);

		tunnels_wrap(&outer, kind, AF_INET, packet, len);
		all = outer.payload_len - len + 20;
		for (outer.payload_len = kind->port ? 8 : 0; outer.payload_len < all;
		     outer.payload_len++) {
			lab_auto_packets struct lab_packets out = { 0 };
			unsigned char *ip;

			test_ok(lab_whole(&outer, &out));
			ip = lab_packet_at(&out, 0, &len);
			if (kind->port)
				ip[24] = 0, ip[25] = (unsigned char)outer.payload_len;
			stays(kind->name, ip, len);
		}
	}
}

/* A packet in a tunnel, a byte of which is another one. */
static void spoil(const char *name, int family, size_t at, uint8_t byte)
{
	lab_auto_packets struct lab_packets inner = { 0 }, out = { 0 };
	lab_auto_datagram struct lab_datagram outer = { 0 };
	unsigned char *ip;
	size_t len;

	tunnels_cut(&inner, AF_INET);
	ip = lab_packet_at(&inner, 0, &len);
	tunnels_wrap(&outer, tunnels_find(name), family, ip, len);
	test_ok(lab_whole(&outer, &out));
	ip = lab_packet_at(&out, 0, &len);
	ip[at] = byte;
	stays(name, ip, len);
}

static void what_only_looks_like_a_tunnel_stays(void *state)
{
	(void)state;
	spoil("IP in IP", AF_INET, 20, 0x55);            /* neither version */
	spoil("IP in IP", AF_INET, 22, 0xff);            /* longer than there is room */
	spoil("GRE", AF_INET, 20, 0x40);                 /* routing */
	spoil("GRE", AF_INET, 21, 0x02);                 /* version 2 */
	spoil("GRE", AF_INET, 22, 0x99);                 /* another protocol */
	spoil("GRE with PPP", AF_INET, 20, 0x90);        /* no key */
	spoil("GRE with PPP", AF_INET, 22, 0x08);        /* no PPP */
	spoil("GRE with PPP", AF_INET, 39, 0x99);        /* no IP */
	spoil("VXLAN", AF_INET, 28, 0);                  /* no network identifier */
	spoil("VXLAN", AF_INET6, 48 + 20, 0);            /* no type */
	spoil("VXLAN", AF_INET, 25, 0xff);               /* UDP's length */
	spoil("VXLAN", AF_INET, 23, 0);                  /* another port */
	spoil("GTP-U", AF_INET, 28, 0x50);               /* version 2 */
	spoil("GTP-U", AF_INET, 28, 0x20);               /* GTP' */
	spoil("GTP-U", AF_INET, 29, 1);                  /* an echo */
	spoil("GTP-U", AF_INET, 30, 0xff);               /* longer than there is room */
	spoil("GTP-U extended", AF_INET, 28 + 12, 0);    /* an extension of no length */
	spoil("GTP-U extended", AF_INET, 28 + 12, 0xff); /* and one too long */
}

/* An outer IPv6 header with this extension header in front of the tunnel. */
static void behind(uint8_t type, const char *header, size_t len, bool entered)
{
	lab_auto_packets struct lab_packets inner = { 0 }, out = { 0 };
	struct tape_run run = { .opts.tunnels = true };
	struct tape in;
	size_t i, n;

	tunnels_cut(&inner, AF_INET);
	for (i = 0; i < 3; i++) {
		lab_auto_datagram struct lab_datagram outer = { 0 };
		const unsigned char *ip = lab_packet_at(&inner, i, &n);

		tunnels_wrap(&outer, tunnels_find("VXLAN"), AF_INET6, ip, n);
		outer.headers = header;
		outer.headers_len = len;
		outer.headers_first = type;
		test_ok(lab_whole(&outer, &out));
	}
	tape_init(&in, DLT_EN10MB);
	put_ip(&in, &out);
	tape_run(&run, &in);
	assert_int_equal(run.stats.whole, entered ? 1 : 0);
	assert_int_equal(run.stats.not_fragments, entered ? 0 : 3);
	tape_run_release(&run);
	tape_release(&in);
}

static void what_can_t_be_changed_is_not_looked_into(void *state)
{
	static const char ah[] = "\0\4\0\0\0\0\0\1\0\0\0\1\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c";

	(void)state;
	behind(0, "\0\0\1\4\0\0\0\0", 8, true);   /* hop by hop: padding */
	behind(60, "\0\0\1\4\0\0\0\0", 8, true);  /* for the destination */
	behind(43, "\0\0\0\0\0\0\0\0", 8, false); /* routing */
	behind(51, ah, 24, false);                /* authentication */
}

static const struct test tests[] = {
	TEST_WITH(every_tunnel_is_looked_into, tape_setup, tape_teardown),
	TEST_WITH(fragments_inside_of_fragments_become_whole, tape_setup, tape_teardown),
	TEST_WITH(without_the_option_tunnels_stay_as_they_are, tape_setup, tape_teardown),
	TEST_WITH(tunnels_are_told_apart_by_ends_and_numbers, tape_setup, tape_teardown),
	TEST_WITH(what_may_differ_within_a_tunnel_keeps_nothing_apart, tape_setup, tape_teardown),
	TEST_WITH(tunnels_in_tunnels_are_followed_to_a_limit, tape_setup, tape_teardown),
	TEST_WITH(a_key_inside_of_the_same_key_does_not_loop, tape_setup, tape_teardown),
	TEST_WITH(a_checksum_of_udp_that_is_none_stays_none, tape_setup, tape_teardown),
	TEST_WITH(what_is_too_long_for_its_tunnel_stays_in_pieces, tape_setup, tape_teardown),
	TEST_WITH(a_piece_that_lacks_the_rest_is_told_with_its_tunnel, tape_setup, tape_teardown),
	TEST_WITH(a_tunnel_cut_anywhere_is_none, tape_setup, tape_teardown),
	TEST_WITH(what_only_looks_like_a_tunnel_stays, tape_setup, tape_teardown),
	TEST_WITH(what_can_t_be_changed_is_not_looked_into, tape_setup, tape_teardown),
};

TEST_MAIN(tests);
