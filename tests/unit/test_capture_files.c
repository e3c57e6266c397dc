// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Captures with real and with hostile fragments: how many datagrams become whole, and why others do
 * not. tshark (4.0.17, with its defaults) was asked the same; where the rules of CASES.md give
 * something else than it does, the table says why.
 *
 * Some are made here. Those of other projects are no part of this tree: they are looked for beside
 * it, or where UNFRAG_CAPTURES says.
 */
#include <dirent.h>
#include <limits.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tape.h>
#include <test.h>
#include <tunnels.h>

#define OTHER_BYTES "the same range with other bytes is an overlap (RFC 5722)"
#define OVERLAP     "fragments overlap (RFC 5722)"
#define TOO_LONG    "it would have more than 65,535 bytes (RFC 8200 4.5)"
#define TIMER       "its timer ran out (RFC 791, RFC 8200 4.5)"
#define NO_MULTIPLE "more to come, but a length of no multiple of 8 (RFC 791)"
#define TWO_HEADERS "whole, it is a fragment itself: one pass takes one header off"
#define TUNNEL_FULL "whole, it is too long for the packet around it"

/* What is to come of a capture, tunnels looked into. */
struct want {
	const char *name;
	unsigned int packets, fragments, atomic, whole;
	const char *reasons; /* of fragments in no whole datagram */
	unsigned int tshark; /* datagrams that it has whole */
	const char *but;     /* why that differs; NULL: it does not */
};

static const struct want others[] = {
	{ "pcpp-IPv4Frag", 3, 3, 0, 1, "", 1, NULL },
	{ "pcpp-frag_http_req", 11, 11, 0, 1, "", 1, NULL },
	{ "pcpp-ip4_fragments", 53, 50, 0, 6, "flushed 2", 6, NULL },
	{ "pcpp-ipv6-frag", 6, 4, 0, 1, "", 1, NULL },
	{ "pt-v4_frag_dup_tcp", 17, 17, 0, 1, "", 1, NULL },
	{ "pt-v4_frag_empty_tcp", 16, 16, 0, 0, "empty 1 flushed 15", 0, NULL },
	{ "pt-v4_frag_nomf_tcp", 16, 16, 0, 1, "flushed 5", 1, NULL },
	{ "pt-v4_frag_offset_offbyone1_tcp", 16, 16, 0, 0, "overlap 5 refused 11", 0, NULL },
	{ "pt-v4_frag_offset_offbyone2_tcp", 16, 16, 0, 0, "overlap 6 refused 10", 0, NULL },
	{ "pt-v4_frag_order_tcp", 80, 80, 0, 5, "", 5, NULL },
	{ "pt-v4_frag_skip_first_tcp", 15, 15, 0, 0, "flushed 15", 0, NULL },
	{ "pt-v4_frag_skip_last_tcp", 15, 15, 0, 0, "flushed 15", 0, NULL },
	{ "pt-v4_frag_skip_middle_tcp", 15, 15, 0, 0, "flushed 15", 0, NULL },
	{ "pt-v4_frag_timeout_tcp", 16, 16, 0, 0, "timeout 15 flushed 1", 1, TIMER },
	{ "pt-v6_frag_dup_tcp", 27, 27, 0, 1, "", 1, NULL },
	{ "pt-v6_frag_empty_tcp", 26, 25, 0, 0, "flushed 25", 0, NULL },
	{ "pt-v6_frag_nomf_tcp", 26, 26, 0, 1, "flushed 15", 1, NULL },
	{ "pt-v6_frag_offset_offbyone1_tcp", 26, 26, 0, 0, "overlap 5 refused 21", 0, NULL },
	{ "pt-v6_frag_offset_offbyone2_tcp", 26, 26, 0, 0, "overlap 6 refused 20", 0, NULL },
	{ "pt-v6_frag_order_tcp", 130, 130, 0, 5, "", 5, NULL },
	{ "pt-v6_frag_skip_first_tcp", 25, 25, 0, 0, "flushed 25", 0, NULL },
	{ "pt-v6_frag_skip_last_tcp", 25, 25, 0, 0, "flushed 25", 0, NULL },
	{ "pt-v6_frag_skip_middle_tcp", 25, 25, 0, 0, "flushed 25", 0, NULL },
	{ "pt-v6_frag_timeout_tcp", 26, 26, 0, 0, "timeout 25 flushed 1", 1, TIMER },
	{ "sv-bug-6887-defrag-eth-vlan-ipv4-tcp-syn", 3, 3, 0, 1, "", 1, NULL },
	{ "sv-bug-6887-defrag-ipv4-tcp-syn", 3, 3, 0, 1, "", 1, NULL },
	{ "sv-bug-6887-defrag-ppp-ipv4-tcp-syn", 3, 3, 0, 1, "", 1, NULL },
	{ "sv-bug-6942-6887-defrag-eth-ip-gre-ppp-ip-udp-data", 1024, 1024, 0, 0, "oversize 1024",
	  1, TUNNEL_FULL },
	{ "sv-exception-policy-ipv4frags", 3, 2, 0, 1, "", 1, NULL },
	{ "sv-ipv6-malformed-fragments-02", 11, 4, 0, 0, "overlap 3 refused 1", 1, OTHER_BYTES },
	{ "sv-ipv6-malformed-fragments-04", 13, 4, 0, 0, "overlap 3 refused 1", 1, OTHER_BYTES },
	{ "sv-ipv6-malformed-fragments-07", 10, 3, 0, 0, "overlap 3", 1, OVERLAP },
	{ "sv-ipv6-malformed-fragments-09", 11, 0, 1, 0, "", 0, NULL },
	{ "sv-ipv6-malformed-fragments-11", 11, 0, 0, 0, "", 0, NULL },
	{ "sv-ipv6-malformed-fragments-15", 64, 54, 0, 0, "oversize 1 flushed 53", 1, TOO_LONG },
	{ "sv-ipv6-malformed-fragments-17", 13, 4, 0, 0, "overlap 3 refused 1", 1, OTHER_BYTES },
	{ "sv-ipv6-malformed-fragments-22", 15, 3, 0, 0, "length 1 flushed 2", 0, NULL },
	{ "sv-ipv6-malformed-fragments-24", 11, 3, 0, 0, "length 1 flushed 2", 0, NULL },
	{ "sv-ipv6-malformed-fragments-26", 8, 0, 1, 0, "", 0, NULL },
	{ "sv-ipv6-malformed-fragments-28", 14, 2, 1, 0, "flushed 2", 0, NULL },
	{ "sv-ipv6-malformed-fragments-30", 56, 48, 0, 0, "flushed 48", 0, NULL },
	{ "sv-ipv6-malformed-fragments-32", 58, 48, 0, 0, "length 1 oversize 1 flushed 46", 0,
	  NULL },
	{ "sv-ipv6-malformed-fragments-35", 14, 4, 0, 1, "flushed 2", 2, TWO_HEADERS },
	{ "tcpdump-vrrp-oobr-2", 10, 0, 0, 0, "", 0, NULL },
	{ "zeek-gtp1_gn_normal_incl_fragmentation", 108, 76, 0, 36, "flushed 4", 36, NULL },
	{ "zeek-gtp9_unknown_or_too_short_payload", 19, 14, 0, 7, "", 7, NULL },
	{ "zeek-ipv4-fragmented-1", 3, 3, 0, 0, "length 1 end 2", 1, NO_MULTIPLE },
	{ "zeek-ipv4-fragmented-3", 5, 5, 0, 0, "flushed 5", 0, NULL },
	{ "zeek-ipv4-fragmented-syn", 2, 2, 0, 1, "", 1, NULL },
	{ "zeek-ipv6-http-atomic-frag", 38, 0, 5, 0, "", 0, NULL },
	{ "zeek-ipv6-reassembly-state-leak", 92, 92, 0, 0, "oversize 2 timeout 45 flushed 45", 2,
	  TOO_LONG },
	{ "zeek-mpls-6in6-6in6-4in6-trunc", 1, 0, 0, 0, "", 0, NULL },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- our own */

static void make(struct lab_datagram *dg, int family)
{
	static unsigned char data[2500];
	bool ipv4 = family == AF_INET;

	lab_pattern(data, sizeof(data), 1);
	test_ok(lab_datagram_init(dg, family, ipv4 ? "10.0.0.1" : "2001:db8::1",
				  ipv4 ? "10.0.0.2" : "2001:db8::2"));
	dg->identification = 7;
	test_ok(lab_datagram_set_udp(dg, 1000, 53, data, sizeof(data)));
}

static void put(struct tape *t, const struct lab_packets *packets)
{
	tape_add_all(t, TUNNELS_ETHER, TUNNELS_ETHER_LEN, packets);
}

/* Every order, twice each fragment but the last. */
static void make_orders(struct tape *t)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	int order;

	make(&dg, AF_INET);
	for (order = 0; order < LAB_ORDER_MAX; order++) {
		lab_auto_packets struct lab_packets packets = { 0 };

		dg.identification = 100 + (uint32_t)order;
		test_ok(lab_fragment(&dg, 600, &packets));
		test_ok(lab_packets_order(&packets, (enum lab_order)order, true, 5));
		put(t, &packets);
	}
}

static void make_missing(struct tape *t)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };

	make(&dg, AF_INET);
	test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
	test_ok(lab_fragment_at(&dg, 1600, 908, false, &packets));
	put(t, &packets);
}

/* The second begins eight bytes too early. */
static void make_overlap(struct tape *t)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };

	make(&dg, AF_INET);
	test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
	test_ok(lab_fragment_at(&dg, 792, 808, true, &packets));
	test_ok(lab_fragment_at(&dg, 1600, 908, false, &packets));
	put(t, &packets);
}

/* IPv6: one in three fragments, one alone behind its Fragment header. */
static void make_ipv6(struct tape *t)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };

	make(&dg, AF_INET6);
	test_ok(lab_fragment(&dg, 1000, &packets));
	dg.identification = 8;
	test_ok(lab_fragment_at(&dg, 0, 2508, false, &packets));
	tape_add_all(t, TUNNELS_ETHER_6, TUNNELS_ETHER_LEN, &packets);
}

/* Fragments in VXLAN, which is in fragments. */
static void make_tunnel(struct tape *t)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	size_t i, len;

	make(&dg, AF_INET);
	test_ok(lab_fragment(&dg, 1000, &packets));
	for (i = 0; i < packets.count; i++) {
		lab_auto_datagram struct lab_datagram outer = { 0 };
		lab_auto_packets struct lab_packets out = { 0 };
		const unsigned char *ip = lab_packet_at(&packets, i, &len);

		tunnels_wrap(&outer, tunnels_find("VXLAN"), AF_INET, ip, len);
		outer.identification = 20 + (uint32_t)i;
		test_ok(lab_fragment(&outer, 600, &out));
		put(t, &out);
	}
}

static const struct own {
	void (*make)(struct tape *t);
	struct want want;
} own[] = {
	{ make_orders, { "orders", 45, 45, 0, 5, "", 5, NULL } },
	{ make_missing, { "missing", 2, 2, 0, 0, "flushed 2", 0, NULL } },
	{ make_overlap, { "overlap", 3, 3, 0, 0, "overlap 2 refused 1", 1, OVERLAP } },
	{ make_ipv6, { "ipv6", 4, 3, 1, 1, "", 1, NULL } },
	{ make_tunnel, { "tunnel", 5, 7, 0, 3, "", 3, NULL } },
};

/* ---- all of them */

static const char *folder(void)
{
	const char *named = getenv("UNFRAG_CAPTURES");

	return named ? named : TEST_CAPTURES;
}

static const char *path_of(const struct want *want)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.pcap", folder(), want->name);
	return path;
}

/* Those of other projects, if they are there. */
static void each_other(void (*visit)(const struct want *want, const char *path))
{
	DIR *d = opendir(folder());
	size_t i;

	if (!d) {
		assert_null(getenv("UNFRAG_CAPTURES"));
		printf("# no folder '%s': our own captures only\n", folder());
		return;
	}
	closedir(d);
	for (i = 0; i < COUNT(others); i++)
		visit(&others[i], path_of(&others[i]));
}

static void each(void (*visit)(const struct want *want, const char *path))
{
	char path[PATH_MAX];
	struct tape t;
	size_t i;

	snprintf(path, sizeof(path), "%s", tape_path("own.pcap"));
	for (i = 0; i < COUNT(own); i++) {
		tape_init(&t, DLT_EN10MB);
		own[i].make(&t);
		tape_write(&t, path);
		tape_release(&t);
		visit(&own[i].want, path);
	}
	each_other(visit);
}

/* "overlap 3 refused 1" */
static const char *reasons_of(const struct capture_stats *s)
{
	static char text[256];
	size_t n = 0;
	uint32_t i;

	text[0] = '\0';
	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		if (s->reasons[i])
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %llu", n ? " " : "",
					      unfrag_reason_name(i),
					      (unsigned long long)s->reasons[i]);
	return text;
}

static void expect(const struct want *want, const struct capture_stats *s)
{
	printf("# %s\n", want->name); /* the last one shown is the one that failed */
	assert_int_equal(s->packets, want->packets);
	assert_int_equal(s->fragments, want->fragments);
	assert_int_equal(s->atomic, want->atomic);
	assert_int_equal(s->whole, want->whole);
	assert_string_equal(reasons_of(s), want->reasons);
	assert_int_equal(want->whole == want->tshark, !want->but);
}

static void run_once(const struct want *want, const char *path)
{
	struct tape_run run = { .opts.tunnels = true };

	tape_run_file(&run, path);
	expect(want, &run.stats);
	tape_run_release(&run);
}

static void each_capture_gives_the_datagrams_that_are_in_it(void *state)
{
	(void)state;
	each(run_once);
}

static void every_capture_of_others_is_in_the_table(void)
{
	DIR *d = opendir(folder());
	struct dirent *entry;
	size_t n = 0, len;

	while (d && (entry = readdir(d))) {
		len = strlen(entry->d_name);
		n += len > 5 && !strcmp(entry->d_name + len - 5, ".pcap");
	}
	assert_int_equal(n, d ? COUNT(others) : 0);
	if (d)
		closedir(d);
}

/* What came out goes in again: whole datagrams stay, and what could not be whole still can't. */
static void run_again(const struct want *want, const char *path)
{
	struct tape_run once = { .opts.tunnels = true }, twice = { .opts.tunnels = true };
	bool nested = want->but && !strcmp(want->but, TWO_HEADERS);
	char again[PATH_MAX];

	snprintf(again, sizeof(again), "%s", tape_path("once.pcap"));
	tape_run_file(&once, path);
	tape_write(&once.out, again);
	tape_run_file(&twice, again);
	assert_int_equal(twice.stats.whole, nested ? 1 : 0);
	assert_int_equal(twice.stats.atomic, 0);
	assert_true(nested || twice.out.count == once.out.count);
	tape_run_release(&once);
	tape_run_release(&twice);
}

static void a_second_pass_finds_no_more(void *state)
{
	(void)state;
	each(run_again);
}

/* Whatever is read where fragments overlap, the account adds up (tape_run_file() sees to that). */
static void run_policies(const struct want *want, const char *path)
{
	uint32_t policy;

	(void)want;
	for (policy = 0; policy < 2 * UNFRAG_REASM_POLICY_MAX; policy++) {
		struct tape_run run = { .opts = { .policy = policy / 2,
						  .at_first = policy & 2,
						  .leave_incomplete = policy & 4,
						  .strict = policy & 8,
						  .tunnels = policy & 1 } };

		tape_run_file(&run, path);
		tape_run_release(&run);
	}
}

static void every_policy_and_option_keeps_the_account(void *state)
{
	(void)state;
	each(run_policies);
}

static const struct test tests[] = {
	TEST_WITH(each_capture_gives_the_datagrams_that_are_in_it, tape_setup, tape_teardown),
	TEST(every_capture_of_others_is_in_the_table),
	TEST_WITH(a_second_pass_finds_no_more, tape_setup, tape_teardown),
	TEST_WITH(every_policy_and_option_keeps_the_account, tape_setup, tape_teardown),
};

TEST_MAIN(tests);
