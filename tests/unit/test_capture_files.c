// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Captures of other projects, with real and with hostile fragments: what is expected of each was
 * counted by an independent script, which looked at bytes only. Where the rules of CASES.md give
 * something else, the table says what and why.
 *
 * The files are no part of this tree. They are looked for beside it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tape.h>
#include <test.h>

struct counts {
	unsigned int fragments, atomic, whole;
};

static const struct {
	const char *name;
	unsigned int packets;
	struct counts counted;
	const char *but; /* why it is something else here; NULL: it is that */
	struct counts here;
} files[] = {
	{ "sv-exception-policy-ipv4frags.pcap", 3, { 2, 0, 1 }, NULL, { 0 } },
	{ "sv-ipv6-malformed-fragments-02.pcap",
	  11,
	  { 4, 0, 1 },
	  "the same range with other bytes overlaps (RFC 5722)",
	  { 4, 0, 0 } },
	{ "sv-ipv6-malformed-fragments-04.pcap",
	  13,
	  { 4, 0, 1 },
	  "the same range with other bytes overlaps (RFC 5722)",
	  { 4, 0, 0 } },
	{ "sv-ipv6-malformed-fragments-07.pcap",
	  10,
	  { 3, 0, 1 },
	  "fragments overlap (RFC 5722)",
	  { 3, 0, 0 } },
	{ "sv-ipv6-malformed-fragments-09.pcap", 11, { 0, 1, 0 }, NULL, { 0 } },
	{ "sv-ipv6-malformed-fragments-11.pcap",
	  11,
	  { 0, 12, 0 },
	  "twelve Fragment headers in one packet are no twelve packets",
	  { 0, 0, 0 } },
	{ "sv-ipv6-malformed-fragments-15.pcap",
	  64,
	  { 54, 0, 1 },
	  "the last one ends at 65,543 (RFC 8200 4.5)",
	  { 54, 0, 0 } },
	{ "sv-ipv6-malformed-fragments-17.pcap",
	  13,
	  { 4, 0, 1 },
	  "the same range with other bytes overlaps (RFC 5722)",
	  { 4, 0, 0 } },
	{ "sv-ipv6-malformed-fragments-22.pcap", 15, { 3, 0, 0 }, NULL, { 0 } },
	{ "sv-ipv6-malformed-fragments-24.pcap", 11, { 3, 0, 0 }, NULL, { 0 } },
	{ "sv-ipv6-malformed-fragments-26.pcap", 8, { 0, 1, 0 }, NULL, { 0 } },
	{ "sv-ipv6-malformed-fragments-28.pcap", 14, { 2, 1, 0 }, NULL, { 0 } },
	{ "sv-ipv6-malformed-fragments-30.pcap", 56, { 48, 0, 0 }, NULL, { 0 } },
	{ "sv-ipv6-malformed-fragments-32.pcap", 58, { 48, 0, 0 }, NULL, { 0 } },
	{ "sv-ipv6-malformed-fragments-35.pcap", 14, { 4, 0, 1 }, NULL, { 0 } },
	{ "sv-bug-6887-defrag-eth-vlan-ipv4-tcp-syn.pcap", 3, { 3, 0, 1 }, NULL, { 0 } },
	{ "sv-bug-6887-defrag-ipv4-tcp-syn.pcap", 3, { 3, 0, 1 }, NULL, { 0 } },
	{ "sv-bug-6887-defrag-ppp-ipv4-tcp-syn.pcap",
	  3,
	  { 0, 0, 0 },
	  "PPP was not looked into",
	  { 3, 0, 1 } },
	{ "sv-bug-6942-6887-defrag-eth-ip-gre-ppp-ip-udp-data.pcap",
	  1024,
	  { 0, 0, 0 },
	  NULL,
	  { 0 } },
	{ "zeek-ipv6-reassembly-state-leak.pcap",
	  92,
	  { 92, 0, 2 },
	  "with its options the packet has 65,536 bytes (RFC 8200 4.5)",
	  { 92, 0, 0 } },
	{ "zeek-gtp1_gn_normal_incl_fragmentation.pcap", 108, { 76, 0, 36 }, NULL, { 0 } },
	{ "zeek-gtp9_unknown_or_too_short_payload.pcap", 19, { 14, 0, 7 }, NULL, { 0 } },
	{ "zeek-ipv4-fragmented-1.pcap",
	  3,
	  { 3, 0, 1 },
	  "more to come, but a length of no multiple of 8 (RFC 791)",
	  { 3, 0, 0 } },
	{ "zeek-ipv4-fragmented-3.pcap", 5, { 5, 0, 0 }, NULL, { 0 } },
	{ "zeek-ipv4-fragmented-syn.pcap", 2, { 2, 0, 1 }, NULL, { 0 } },
	{ "zeek-ipv6-http-atomic-frag.pcap", 38, { 0, 5, 0 }, NULL, { 0 } },
	{ "zeek-mpls-6in6-6in6-4in6-trunc.pcap",
	  1,
	  { 1, 0, 0 },
	  "the fragment is inside a tunnel",
	  { 0, 0, 0 } },
	{ "pcpp-ip4_fragments.pcap", 53, { 50, 0, 6 }, NULL, { 0 } },
	{ "pcpp-frag_http_req.pcap", 11, { 11, 0, 1 }, NULL, { 0 } },
	{ "pcpp-ipv6-frag.pcap", 6, { 4, 0, 1 }, NULL, { 0 } },
	{ "pcpp-IPv4Frag.pcap", 3, { 3, 0, 1 }, NULL, { 0 } },
	{ "tcpdump-vrrp-oobr-2.pcap",
	  10,
	  { 10, 0, 0 },
	  "every packet was captured in part",
	  { 0, 0, 0 } },
	{ "pt-v4_frag_dup_tcp.pcap", 17, { 17, 0, 1 }, NULL, { 0 } },
	{ "pt-v4_frag_empty_tcp.pcap", 16, { 16, 0, 0 }, NULL, { 0 } },
	{ "pt-v4_frag_nomf_tcp.pcap", 16, { 16, 0, 1 }, NULL, { 0 } },
	{ "pt-v4_frag_offset_offbyone1_tcp.pcap", 16, { 16, 0, 0 }, NULL, { 0 } },
	{ "pt-v4_frag_offset_offbyone2_tcp.pcap", 16, { 16, 0, 0 }, NULL, { 0 } },
	{ "pt-v4_frag_order_tcp.pcap", 80, { 80, 0, 5 }, NULL, { 0 } },
	{ "pt-v4_frag_skip_first_tcp.pcap", 15, { 15, 0, 0 }, NULL, { 0 } },
	{ "pt-v4_frag_skip_last_tcp.pcap", 15, { 15, 0, 0 }, NULL, { 0 } },
	{ "pt-v4_frag_skip_middle_tcp.pcap", 15, { 15, 0, 0 }, NULL, { 0 } },
	{ "pt-v4_frag_timeout_tcp.pcap",
	  16,
	  { 16, 0, 1 },
	  "the timer runs out (RFC 791)",
	  { 16, 0, 0 } },
	{ "pt-v6_frag_dup_tcp.pcap", 27, { 27, 0, 1 }, NULL, { 0 } },
	{ "pt-v6_frag_empty_tcp.pcap", 26, { 25, 0, 0 }, NULL, { 0 } },
	{ "pt-v6_frag_nomf_tcp.pcap", 26, { 26, 0, 1 }, NULL, { 0 } },
	{ "pt-v6_frag_offset_offbyone1_tcp.pcap", 26, { 26, 0, 0 }, NULL, { 0 } },
	{ "pt-v6_frag_offset_offbyone2_tcp.pcap", 26, { 26, 0, 0 }, NULL, { 0 } },
	{ "pt-v6_frag_order_tcp.pcap", 130, { 130, 0, 5 }, NULL, { 0 } },
	{ "pt-v6_frag_skip_first_tcp.pcap", 25, { 25, 0, 0 }, NULL, { 0 } },
	{ "pt-v6_frag_skip_last_tcp.pcap", 25, { 25, 0, 0 }, NULL, { 0 } },
	{ "pt-v6_frag_skip_middle_tcp.pcap", 25, { 25, 0, 0 }, NULL, { 0 } },
	{ "pt-v6_frag_timeout_tcp.pcap",
	  26,
	  { 26, 0, 1 },
	  "the timer runs out (RFC 8200 4.5)",
	  { 26, 0, 0 } },
};

#define FILES (sizeof(files) / sizeof(files[0]))

static const char *path_of(size_t i)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", TEST_CAPTURES, files[i].name);
	return path;
}

static void require_files(void)
{
	struct stat st;
	size_t i;

	if (stat(TEST_CAPTURES, &st))
		test_skip("no folder %s", TEST_CAPTURES);
	for (i = 0; i < FILES; i++)
		test_ok(stat(path_of(i), &st));
}

static void expect_counts(size_t i, const struct capture_stats *s)
{
	const struct counts *want = files[i].but ? &files[i].here : &files[i].counted;

	if (s->packets != files[i].packets || s->fragments != want->fragments ||
	    s->atomic != want->atomic || s->whole != want->whole)
		printf("# %s\n", files[i].name);
	assert_int_equal(s->packets, files[i].packets);
	assert_int_equal(s->fragments, want->fragments);
	assert_int_equal(s->atomic, want->atomic);
	assert_int_equal(s->whole, want->whole);
}

static void each_capture_gives_the_datagrams_that_are_in_it(void *state)
{
	size_t i;

	(void)state;
	require_files();
	for (i = 0; i < FILES; i++) {
		struct tape_run run = { 0 };

		tape_run_file(&run, path_of(i));
		expect_counts(i, &run.stats);
		tape_run_release(&run);
	}
}

/* A datagram that is a fragment itself, behind two Fragment headers: one pass takes off one. */
static bool is_nested(size_t i)
{
	return !strcmp(files[i].name, "sv-ipv6-malformed-fragments-35.pcap");
}

/* What came out goes in again: whole datagrams stay, and what could not be whole still can't. */
static void a_second_pass_finds_no_more(void *state)
{
	size_t i;

	(void)state;
	require_files();
	for (i = 0; i < FILES; i++) {
		struct tape_run once = { 0 }, twice = { 0 };
		const char *path = tape_path("once.pcap");

		tape_run_file(&once, path_of(i));
		tape_write(&once.out, path);
		tape_run_file(&twice, path);
		assert_int_equal(twice.stats.whole, is_nested(i) ? 1 : 0);
		assert_int_equal(twice.stats.atomic, 0);
		assert_true(is_nested(i) || twice.out.count == once.out.count);
		tape_run_release(&once);
		tape_run_release(&twice);
	}
}

/* Whatever is read where fragments overlap, the account adds up (tape_run_file() sees to that). */
static void every_policy_and_option_keeps_the_account(void *state)
{
	uint32_t policy;
	size_t i;

	(void)state;
	require_files();
	for (policy = 0; policy < UNFRAG_REASM_POLICY_MAX; policy++) {
		for (i = 0; i < FILES; i++) {
			struct tape_run run = { .opts = { .policy = policy,
							  .at_first = policy & 1,
							  .leave_incomplete = policy & 2,
							  .strict = policy & 4 } };

			tape_run_file(&run, path_of(i));
			tape_run_release(&run);
		}
	}
}

static const struct test tests[] = {
	TEST_WITH(each_capture_gives_the_datagrams_that_are_in_it, tape_setup, tape_teardown),
	TEST_WITH(a_second_pass_finds_no_more, tape_setup, tape_teardown),
	TEST_WITH(every_policy_and_option_keeps_the_account, tape_setup, tape_teardown),
};

TEST_MAIN(tests);
