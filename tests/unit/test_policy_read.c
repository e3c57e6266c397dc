// SPDX-License-Identifier: GPL-2.0-or-later
/* What rules in nftables' language become: each construct, by way of libnftables and the kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rulefile.h"
#include "ruleset.h"

struct construct {
	const char *rule;
	const char *want;
};

/* All of them in one chain, and then one by one what they are. */
static void read_all(struct rulefile *f, const char *family, const char *before,
		     const struct construct *c, size_t n)
{
	char *rules = NULL;
	size_t len, i;
	FILE *out = open_memstream(&rules, &len);

	for (i = 0; i < n; i++)
		fprintf(out, "%s\n", c[i].rule);
	fclose(out);
	rulefile_write(f,
		       "table %s t {\n%s\nchain other { }\n"
		       "chain c {\ntype filter hook input priority 0\n%s}\n}\n",
		       family, before, rules);
	free(rules);
	rulefile_must_read(f);
	assert_int_equal(f->rs.n_rules, n);
	for (i = 0; i < n; i++)
		rulefile_rule_is(f, i, c[i].want);
}

#define READ_ALL(f, family, before, list) \
	read_all((f), (family), (before), (list), sizeof(list) / sizeof(*(list)))

#define V4  "meta nfproto in 2; "
#define V6  "meta nfproto in a; "
#define TCP "meta l4proto in 6; "

static void addresses_of_inet_tables_imply_their_family(void *state)
{
	static const struct construct list[] = {
		{ "ip saddr 10.0.0.0/8 accept", V4 "ip saddr in a000000-affffff; accept" },
		{ "ip saddr 10.1.2.0/23 accept", V4 "ip saddr in a010200-a0103ff; accept" },
		{ "ip daddr 1.2.3.4 drop", V4 "ip daddr in 1020304; drop" },
		{ "ip saddr 1.2.3.4 ip daddr 5.6.7.8 drop",
		  V4 "ip saddr in 1020304; ip daddr in 5060708; drop" },
		{ "ip saddr != 10.0.0.1-10.0.0.9 drop",
		  V4 "ip saddr not in a000001-a000009; drop" },
		{ "ip saddr & 255.0.255.0 == 10.0.1.0 drop",
		  V4 "ip saddr & ff00ff00 == a000100; drop" },
		{ "ip saddr != { 10.0.0.0/8, 11.0.0.0/8, 12.0.0.1 } drop",
		  V4 "ip saddr not in a000000-bffffff,c000001; drop" },
		{ "ip6 saddr fe80::/10 drop", V6 "ip6 saddr in fe800000000000000000000000000000-"
						 "febfffffffffffffffffffffffffffff; drop" },
		{ "ip6 daddr & ::ff == ::1 drop", V6 "ip6 daddr & ff == 1; drop" },
		{ "meta nfproto ipv4 ip saddr 1.2.3.4 drop", V4 "ip saddr in 1020304; drop" },
	};

	READ_ALL(state, "inet", "", list);
}

static void tables_of_one_family_imply_nothing(void *state)
{
	static const struct construct ip[] = {
		{ "ip saddr 1.2.3.4 accept", "ip saddr in 1020304; accept" },
		{ "icmp type 8 accept", "meta l4proto in 1; icmp type in 8; accept" },
		{ "ip protocol icmp icmp type 8 accept",
		  "ip protocol in 1; icmp type in 8; accept" },
	};
	static const struct construct ip6[] = {
		{ "ip6 saddr ::1 accept", "ip6 saddr in 1; accept" },
		{ "icmpv6 type 128 accept", "meta l4proto in 3a; icmpv6 type in 80; accept" },
	};

	READ_ALL(state, "ip", "", ip);
	READ_ALL(state, "ip6", "", ip6);
}

static void fields_of_ip_headers_are_read(void *state)
{
	static const struct construct list[] = {
		{ "ip protocol tcp drop", V4 "ip protocol in 6; drop" },
		{ "ip protocol { tcp, udp } drop", V4 "ip protocol in 6,11; drop" },
		{ "ip length > 100 drop", V4 "ip length in 65-ffff; drop" },
		{ "ip length >= 100 drop", V4 "ip length in 64-ffff; drop" },
		{ "ip ttl < 5 drop", V4 "ip ttl in 0-4; drop" },
		{ "ip ttl <= 5 drop", V4 "ip ttl in 0-5; drop" },
		{ "ip ttl != 5 drop", V4 "ip ttl not in 5; drop" },
		{ "ip dscp cs1 drop", V4 "ip dscp in 8; drop" },
		{ "ip dscp != cs1 drop", V4 "ip dscp not in 8; drop" },
		{ "ip dscp > cs1 drop", V4 "ip dscp in 9-3f; drop" },
		{ "ip dscp { cs1, ef } drop", V4 "ip dscp in 8,2e; drop" },
		{ "ip dscp & 0x38 == 0x10 drop", V4 "ip dscp in 10-17; drop" },
		{ "ip dscp & 0x05 == 0x04 drop", V4 "ip dscp & 5 == 4; drop" },
		{ "ip6 dscp 5 drop", V6 "ip6 dscp in 5; drop" },
		{ "ip6 dscp { cs1, ef, 5 } drop", V6 "ip6 dscp in 5,8,2e; drop" },
		{ "ip6 nexthdr tcp drop", V6 "ip6 nexthdr in 6; drop" },
		{ "ip6 length 5-7 drop", V6 "ip6 length in 5-7; drop" },
		{ "ip6 hoplimit 255 drop", V6 "ip6 hoplimit in ff; drop" },
	};

	READ_ALL(state, "inet", "", list);
}

/* "ip6 nexthdr tcp" is the first header, "meta l4proto tcp" the one behind all extensions. */
static void ports_depend_on_what_the_rule_says(void *state)
{
	static const struct construct list[] = {
		{ "tcp dport 80 accept", TCP "th dport in 50; accept" },
		{ "tcp dport 1000-2000 accept", TCP "th dport in 3e8-7d0; accept" },
		{ "tcp dport != 1000-2000 accept", TCP "th dport not in 3e8-7d0; accept" },
		{ "tcp sport { 80, 443, 444 } accept", TCP "th sport in 50,1bb-1bc; accept" },
		{ "tcp dport & 0x00ff == 0x10 accept", TCP "th dport & ff == 10; accept" },
		{ "udp sport 53 udp dport 53 accept",
		  "meta l4proto in 11; th sport in 35; th dport in 35; accept" },
		{ "udplite dport 5 drop", "meta l4proto in 88; th dport in 5; drop" },
		{ "sctp dport 5 drop", "meta l4proto in 84; th dport in 5; drop" },
		{ "dccp dport 5 drop", "meta l4proto in 21; th dport in 5; drop" },
		{ "th dport 53 drop", "th dport in 35; drop" },
		{ "@th,0,16 53 drop", "th sport in 35; drop" },
		{ "meta l4proto { tcp, udp } th dport 53 drop",
		  "meta l4proto in 6,11; th dport in 35; drop" },
		{ "ip6 nexthdr tcp tcp dport 80 accept",
		  V6 "ip6 nexthdr in 6; th dport in 50; accept" },
		{ "ip protocol tcp tcp dport 80 accept",
		  V4 "ip protocol in 6; th dport in 50; accept" },
	};

	READ_ALL(state, "inet", "", list);
}

static void tcp_flags_are_masks(void *state)
{
	static const struct construct list[] = {
		{ "tcp flags syn drop", TCP "tcp flags & 2 != 0; drop" },
		{ "tcp flags syn,ack drop", TCP "tcp flags & 12 != 0; drop" },
		{ "tcp flags & (fin|syn) == syn drop", TCP "tcp flags & 3 == 2; drop" },
		{ "tcp flags & (fin|syn) != syn drop", TCP "tcp flags & 3 != 2; drop" },
		{ "tcp flags syn / fin,syn,rst,ack drop", TCP "tcp flags & 17 == 2; drop" },
		{ "tcp flags == syn drop", TCP "tcp flags in 2; drop" },
		{ "tcp flags != syn drop", TCP "tcp flags not in 2; drop" },
		{ "tcp flags ! syn drop", TCP "tcp flags & 2 == 0; drop" },
		{ "tcp flags { syn, ack } drop", TCP "tcp flags in 2,10; drop" },
		{ "tcp flags & (syn|ack) == 0 drop", TCP "tcp flags & 12 == 0; drop" },
		{ "tcp flags & (fin|syn|rst|psh|ack|urg) < fin drop",
		  TCP "tcp flags in 0,40,80,c0; drop" },
		{ "tcp flags & (urg|0xc0) != 0x40-0x60 drop", TCP "tcp flags not in 40-7f; drop" },
	};

	READ_ALL(state, "inet", "", list);
}

static void icmp_implies_its_family(void *state)
{
	static const struct construct list[] = {
		{ "icmp type echo-request drop", V4 "meta l4proto in 1; icmp type in 8; drop" },
		{ "icmp type 3 icmp code 4 drop",
		  V4 "meta l4proto in 1; icmp type in 3; icmp code in 4; drop" },
		{ "icmp type { 0, 8 } drop", V4 "meta l4proto in 1; icmp type in 0,8; drop" },
		{ "icmpv6 type nd-neighbor-solicit drop",
		  V6 "meta l4proto in 3a; icmpv6 type in 87; drop" },
		{ "icmpv6 code 3 drop", V6 "meta l4proto in 3a; icmpv6 code in 3; drop" },
		/* Type and code are where ports are. */
		{ "meta l4proto icmp th sport 5-10 drop",
		  "meta l4proto in 1; th sport in 5-a; drop" },
		{ "meta l4proto icmp th sport != 5 drop",
		  "meta l4proto in 1; th sport not in 5; drop" },
		{ "meta l4proto icmp th sport & 0xfe47 != 0x247 drop",
		  "meta l4proto in 1; th sport & fe47 != 247; drop" },
		{ "icmpv6 type 128 th sport { 5, 7 } drop",
		  V6 "meta l4proto in 3a; icmpv6 type in 80; th sport in 5,7; drop" },
	};

	READ_ALL(state, "inet", "", list);
}

static void connection_states_are_bits(void *state)
{
	static const struct construct list[] = {
		{ "ct state new drop", "ct state & 8 != 0; drop" },
		{ "ct state established,related accept", "ct state & 6 != 0; accept" },
		{ "ct state { established, related } accept", "ct state in 2,4; accept" },
		{ "ct state != new drop", "ct state not in 8; drop" },
		{ "ct state ! new drop", "ct state & 8 == 0; drop" },
		{ "ct state invalid,untracked drop", "ct state & 41 != 0; drop" },
	};

	READ_ALL(state, "inet", "", list);
}

#define ETH     "657468"
#define ZEROS13 "00000000000000000000000000"
#define LO      "6c6f0000000000000000000000000000"

static void meta_fields_are_read_in_this_machines_order(void *state)
{
	static const struct construct list[] = {
		{ "meta nfproto ipv4 drop", V4 "drop" },
		{ "meta l4proto tcp drop", TCP "drop" },
		{ "iif lo drop", "meta iif in 1; drop" },
		{ "oif != lo drop", "meta oif not in 1; drop" },
		{ "iif > 3 drop", "meta iif in 4-ffffffff; drop" },
		{ "meta length > 5 drop", "meta length in 6-ffffffff; drop" },
		{ "meta length 5-7 drop", "meta length in 5-7; drop" },
		{ "meta mark 0x01020304 drop", "meta mark in 1020304; drop" },
		{ "meta mark != 5 drop", "meta mark not in 5; drop" },
		{ "meta mark & 0xff == 5 drop", "meta mark & ff == 5; drop" },
		{ "meta mark & 0xff00 != 0 drop", "meta mark & ff00 != 0; drop" },
		{ "meta mark & 0xff000000 == 0x05000000 drop",
		  "meta mark in 5000000-5ffffff; drop" },
		{ "meta mark { 1, 5-7, 0x100 } drop", "meta mark in 1,5-7,100; drop" },
		{ "meta mark 1-0x200 drop", "meta mark in 1-200; drop" },
	};

	READ_ALL(state, "inet", "", list);
}

static void a_star_at_the_end_of_a_device_is_a_prefix(void *state)
{
	static const struct construct list[] = {
		{ "iifname \"eth*\" drop",
		  "meta iifname in " ETH ZEROS13 "-" ETH "ffffffffffffffffffffffffff; drop" },
		{ "iifname != \"eth*\" drop",
		  "meta iifname not in " ETH ZEROS13 "-" ETH "ffffffffffffffffffffffffff; drop" },
		{ "iifname \"eth\\*\" drop",
		  "meta iifname in 6574682a000000000000000000000000; drop" },
		{ "oifname \"eth0\" drop",
		  "meta oifname in 65746830000000000000000000000000; drop" },
		{ "iifname { \"eth*\", \"lo\" } drop", "meta iifname in " ETH ZEROS13 "-" ETH
						       "ffffffffffffffffffffffffff," LO "; drop" },
		{ "iifname { \"eth0\", \"lo\" } drop",
		  "meta iifname in 65746830000000000000000000000000," LO "; drop" },
	};

	READ_ALL(state, "inet", "", list);
}

static void verdicts_name_chains(void *state)
{
	static const struct construct list[] = {
		{ "accept", "accept" },         { "drop", "drop" },
		{ "jump other", "jump other" }, { "goto other", "goto other" },
		{ "return", "return" },         { "continue", "continue" },
	};

	READ_ALL(state, "inet", "", list);
}

static void statements_stay_in_their_order(void *state)
{
	static const struct construct list[] = {
		{ "counter", "counter 1" },
		{ "counter ip saddr 1.2.3.4 log counter drop",
		  "counter 2; " V4 "ip saddr in 1020304; log 0; counter 3; drop" },
		{ "counter name kept accept", "counter 0; accept" },
		{ "limit rate 5/second counter drop", "limit 0; counter 4; drop" },
		{ "log prefix \"a \\ b\" drop", "log 1; drop" },
		{ "counter packets 7 bytes 700 drop", "counter 5; drop" },
	};
	struct rulefile *f = state;

	READ_ALL(f, "inet", "counter kept { packets 5 bytes 100 }", list);
	assert_string_equal(f->rs.counters[0].name, "kept");
	assert_int_equal(f->rs.counters[0].packets, 5);
	assert_int_equal(f->rs.counters[0].bytes, 100);
	assert_null(f->rs.counters[5].name);
	assert_int_equal(f->rs.counters[5].packets, 7);
	assert_int_equal(f->rs.counters[5].bytes, 700);
	assert_string_equal(f->rs.logs[0].prefix, "");
	assert_string_equal(f->rs.logs[1].prefix, "a \\ b");
}

static void limits_are_the_numbers_that_the_kernel_was_told(void *state)
{
	static const struct {
		const char *rule;
		uint64_t rate, seconds, burst;
		bool bytes, over;
	} list[] = {
		{ "limit rate 5/second drop", 5, 1, 5, false, false },
		{ "limit rate over 5/minute burst 7 packets drop", 5, 60, 7, false, true },
		{ "limit rate 400/hour drop", 400, 3600, 5, false, false },
		{ "limit rate 1/day drop", 1, 86400, 5, false, false },
		{ "limit rate 5 mbytes/second drop", 5242880, 1, 0, true, false },
		{ "limit rate over 10 kbytes/minute burst 5 kbytes drop", 10240, 60, 5120, true,
		  true },
	};
	struct rulefile *f = state;
	const struct limit *l;
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(*list); i++) {
		rulefile_write(
			f, "table ip t { chain c { type filter hook input priority 0\n%s\n}\n}\n",
			list[i].rule);
		rulefile_must_read(f);
		l = &f->rs.limits[0];
		assert_int_equal(l->rate, list[i].rate);
		assert_int_equal(l->second, list[i].seconds * 1000000000);
		assert_int_equal(l->burst, list[i].burst);
		assert_int_equal(l->bytes, list[i].bytes);
		assert_int_equal(l->over, list[i].over);
	}
}

static void comments_say_what_nftables_cannot(void *state)
{
	static const struct construct list[] = {
		{ "drop comment \"unfrag: reassembled\"", "unfrag reassembled in 1; drop" },
		{ "drop comment \"unfrag: not reassembled\"", "unfrag reassembled in 0; drop" },
		{ "tcp dport 1 drop comment \"unfrag: largest > 1400, smallest < 100\"",
		  "unfrag largest in 579-ffff; unfrag smallest in 0-63; " TCP
		  "th dport in 1; drop" },
		{ "drop comment \"unfrag: smallest<=8,largest>=9\"",
		  "unfrag smallest in 0-8; unfrag largest in 9-ffff; drop" },
		{ "drop comment \"unfrag: largest == 8, smallest != 8\"",
		  "unfrag largest in 8; unfrag smallest not in 8; drop" },
		{ "drop comment \"unfrag: smallest < 0\"", "unfrag smallest in ; drop" },
		{ "drop comment \"about unfrag: reassembled\"", "drop" },
	};
	struct rulefile *f = state;

	READ_ALL(f, "inet", "", list);
	assert_string_equal(f->rs.rules[0].comment, "unfrag: reassembled");
}

static void rules_are_told_in_nftables_writing(void *state)
{
	struct rulefile *f = state;

	rulefile_write(f,
		       "table ip t {\n"
		       " chain a { tcp dport 80 counter drop comment \"x # handle 1\"; }\n"
		       " chain b { type filter hook input priority 0; policy drop;\n"
		       "  ip saddr {1.2.3.4,5.6.7.8}  accept\n  jump a\n }\n}\n");
	rulefile_must_read(f);
	assert_string_equal(f->rs.rules[0].text,
			    "tcp dport 80 counter drop comment \"x # handle 1\"");
	assert_string_equal(f->rs.rules[0].comment, "x # handle 1");
	assert_string_equal(f->rs.rules[1].text, "ip saddr { 1.2.3.4, 5.6.7.8 } accept");
	assert_string_equal(f->rs.rules[2].text, "jump a");
}

static void chains_know_their_hooks_and_rules(void *state)
{
	struct rulefile *f = state;
	const struct chain *c;

	rulefile_write(f,
		       "table inet t {\n"
		       " chain a { accept; }\n"
		       " chain b { type filter hook prerouting priority raw - 10; policy drop; }\n"
		       " chain c { type filter hook postrouting priority 5; drop; drop; }\n}\n"
		       "table ip6 t { chain a { type filter hook output priority -399; }\n}\n");
	rulefile_must_read(f);
	c = f->rs.chains;
	assert_int_equal(f->rs.n_chains, 4);
	assert_int_equal(f->rs.n_tables, 2);
	assert_false(c[0].is_base);
	assert_int_equal(c[0].n_rules, 1);
	assert_true(c[1].is_base);
	assert_int_equal(c[1].hook, 0);
	assert_int_equal(c[1].priority, -310);
	assert_int_equal(c[1].policy, GATE_DROP);
	assert_int_equal(c[2].hook, 4);
	assert_int_equal(c[2].priority, 5);
	assert_int_equal(c[2].policy, GATE_ACCEPT);
	assert_int_equal(c[2].first_rule, 1);
	assert_int_equal(c[2].n_rules, 2);
	assert_int_equal(c[3].table, 1);
	assert_int_equal(c[3].hook, 3);
	assert_int_equal(f->rs.tables[0].family, FAMILY_INET);
	assert_int_equal(f->rs.tables[1].family, FAMILY_IP6);
}

static void chains_made_later_run_first(void *state)
{
	struct rulefile *f = state;
	const struct chain *c;

	rulefile_write(f,
		       "add table ip a\nadd table ip b\n"
		       "add chain ip b first { type filter hook input priority 0; }\n"
		       "add chain ip a second { type filter hook input priority 0; }\n"
		       "add chain ip b third { type filter hook input priority 0; }\n"
		       "add chain ip b first { policy drop; }\n");
	rulefile_must_read(f);
	c = f->rs.chains;
	assert_string_equal(c[0].name, "second");
	assert_string_equal(c[1].name, "first");
	assert_string_equal(c[2].name, "third");
	assert_true(c[2].order < c[0].order);
	assert_true(c[0].order < c[1].order);
	assert_int_equal(c[1].policy, GATE_DROP);
}

static void a_listing_gives_the_same_ruleset_again(void *state)
{
	struct policy_messages messages = { 0 };
	struct rulefile *f = state;
	struct ruleset again;
	char *text[2];
	size_t len[2];
	FILE *out;

	rulefile_write(
		f,
		"table inet t { set s { type ipv4_addr; elements = { 1.2.3.4 }; }\n"
		" chain c { type filter hook input priority 0\n"
		"  ip saddr @s counter drop\n  tcp dport vmap { 1 : accept, 2 : drop }\n }\n}\n");
	rulefile_must_read(f);
	test_ok(policy_parse(&again, &f->listing, &messages));
	out = open_memstream(&text[0], &len[0]);
	ruleset_print(out, &f->rs);
	fclose(out);
	out = open_memstream(&text[1], &len[1]);
	ruleset_print(out, &again);
	fclose(out);
	assert_string_equal(text[0], text[1]);
	free(text[0]);
	free(text[1]);
	ruleset_release(&again);
}

#define WITH(fn) TEST_WITH(fn, rulefile_setup, rulefile_teardown)

static const struct test tests[] = {
	WITH(addresses_of_inet_tables_imply_their_family),
	WITH(tables_of_one_family_imply_nothing),
	WITH(fields_of_ip_headers_are_read),
	WITH(ports_depend_on_what_the_rule_says),
	WITH(tcp_flags_are_masks),
	WITH(icmp_implies_its_family),
	WITH(connection_states_are_bits),
	WITH(meta_fields_are_read_in_this_machines_order),
	WITH(a_star_at_the_end_of_a_device_is_a_prefix),
	WITH(verdicts_name_chains),
	WITH(statements_stay_in_their_order),
	WITH(limits_are_the_numbers_that_the_kernel_was_told),
	WITH(comments_say_what_nftables_cannot),
	WITH(rules_are_told_in_nftables_writing),
	WITH(chains_know_their_hooks_and_rules),
	WITH(chains_made_later_run_first),
	WITH(a_listing_gives_the_same_ruleset_again),
};

TEST_MAIN(tests);
