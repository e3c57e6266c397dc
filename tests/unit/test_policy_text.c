// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The text of rules that nftables cannot write: the rule as it was read, in nftables' language.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pairs.h"
#include "rule_text.h"
#include "rulefile.h"
#include "ruleset.h"

static const char *const rules[] = {
	"tcp dport 80 accept",
	"tcp dport != { 80, 90-99, 443 } drop",
	"udp sport 1000-2000 udp dport != 53-60 counter name n drop",
	"udp sport & 0x00ff == 0x10 return",
	"tcp flags syn jump u",
	"tcp flags == syn goto u",
	"tcp flags & (fin | syn) == syn counter",
	"tcp flags != { syn, syn | ack, 0x0 }",
	"tcp flags & 0xf0 == 0x10",
	"tcp flags . ip ttl { syn | ack . 3, 0x0 . 4, 0xff . 5-9 } drop",
	"ct state new,established accept",
	"ct state { new, related } accept",
	"ct state != new accept",
	"ct state vmap { invalid : drop, established : accept }",
	"ip saddr 10.0.0.0/8 accept",
	"ip saddr 10.0.0.1-10.0.0.9 ip daddr & 255.0.255.0 == 10.0.1.0 accept",
	"ip6 saddr { fe80::/10, ::1 } ip6 daddr & ::ff != ::1 accept",
	"ip dscp cs1 ip length > 100 ip ttl < 5 drop",
	"ip dscp . ip saddr { 5 . 1.1.1.1, ef . 2.0.0.0/8 } drop",
	"ip6 dscp { cs1, ef, 5 } ip6 hoplimit 255 ip6 nexthdr tcp ip6 length 5-7 drop",
	"ip protocol { tcp, udp, 59 } drop",
	"meta l4proto 138 th dport . iifname . th dport vmap { 53-99 . \"lo\" . 80 : accept }",
	"meta l4proto { tcp, udp } th dport 53 continue",
	"meta nfproto ipv6 meta mark 0x1-0x10 meta mark & 0x5 == 0x4 meta length 100 drop",
	"meta nfproto . meta mark { ipv4 . 1-5, ipv6 . 9 } drop",
	"iif lo oifname \"eth*\" iifname { \"a*\", \"lo\" } oif . iifname { 1 . \"x\" } drop",
	"icmp type { 0, 3 } icmp code != 1 drop",
	"icmpv6 type 128-130 icmpv6 code 0 drop",
	"limit rate 5/minute limit rate over 3 kbytes/second burst 9 kbytes drop",
	"log log prefix \"a counter \" counter counter drop comment \"counter, unfrag\"",
	"drop comment \"unfrag: largest > 1400, not reassembled\"",
	"ip saddr . tcp dport @s ip saddr . tcp dport != @s tcp dport vmap @m",
};

#define N_RULES (sizeof(rules) / sizeof(*rules))

static void write_rules(struct rulefile *f, char *const *text)
{
	char *all = NULL;
	size_t len, i;
	FILE *out = open_memstream(&all, &len);

	for (i = 0; i < N_RULES; i++)
		fprintf(out, "%s\n", text ? text[i] : rules[i]);
	fclose(out);
	rulefile_write(f,
		       "table inet t {\n counter n { }\n chain u { }\n"
		       "set s { typeof ip saddr . tcp dport; }\n"
		       "map m { type inet_service : verdict; elements = { 5 : accept } }\n"
		       " chain c {\ntype filter hook input priority 0\n%s}\n}\n",
		       all);
	free(all);
}

static char *printed(const struct ruleset *rs, size_t rule)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ruleset_print_rule(out, rs, rule);
	fclose(out);
	return text;
}

static void what_is_written_is_read_as_the_same_rule(void *state)
{
	char *first[N_RULES], *is[N_RULES], *again, *text;
	struct rulefile *f = state;
	size_t i;

	write_rules(f, NULL);
	rulefile_must_read(f);
	assert_int_equal(f->rs.n_rules, N_RULES);
	for (i = 0; i < N_RULES; i++) {
		first[i] = printed(&f->rs, i);
		is[i] = rule_text(&f->rs, &f->rs.rules[i]);
	}
	write_rules(f, is);
	rulefile_must_read(f);
	assert_int_equal(f->rs.n_rules, N_RULES);
	for (i = 0; i < N_RULES; i++) {
		again = printed(&f->rs, i);
		text = rule_text(&f->rs, &f->rs.rules[i]);
		assert_string_equal(again, first[i]);
		/* What is in sets of their own, too. */
		assert_string_equal(text, is[i]);
		free(again);
		free(text);
		free(first[i]);
		free(is[i]);
	}
}

#define CRASH_A \
	"meta l4proto 138 th dport . iifname . th dport vmap { 53-99 . \"lo\" . 80 : accept }"
#define CRASH_B \
	"tcp flags . iifname . oifname != " \
	"{ 0xff . \"no\" . \"left\", 0x0 . \"right\" . \"right\", 0x10 . \"left\" . \"right\" }"

static void write_crash(struct rulefile *f)
{
	rulefile_write(f, "table ip a {\n chain x {\n  counter accept\n  " CRASH_B
			  " counter\n }\n}\n"
			  "table ip b {\n chain y { type filter hook input priority 0\n"
			  "  tcp dport 80 counter drop\n  " CRASH_A
			  " comment \"z\"\n"
			  "  " CRASH_B " counter drop\n  tcp dport 81 counter drop\n }\n}\n");
}

/* libnftables 1.0.6 ends the process when it lists these; others write them in their own way. */
static void rules_that_nftables_cannot_list_are_loaded(void *state)
{
	struct rulefile *f = state;
	char *text;
	size_t i;

	write_crash(f);
	rulefile_must_read(f);
	assert_int_equal(f->rs.n_rules, 6);
	assert_string_equal(f->rs.rules[0].text, "counter accept");
	assert_string_equal(f->rs.rules[2].text, "tcp dport 80 counter drop");
	assert_string_equal(f->rs.rules[5].text, "tcp dport 81 counter drop");
	for (i = 1; i < 5; i++)
		if (i != 2)
			assert_non_null(strstr(f->rs.rules[i].text, "iifname . "));
	if (!f->messages.n)
		return; /* it lists all of them */
	assert_true(rulefile_says(f, "nftables can't list"));
	assert_true(rulefile_says(f, "(Aborted): 3;"));
	text = rule_text(&f->rs, &f->rs.rules[3]);
	assert_string_equal(f->rs.rules[3].text, text);
	assert_string_equal(text,
			    "meta l4proto 138 th dport . meta iifname . th dport vmap "
			    "{ 53-99 . \"lo\" . 80 : accept } comment \"z\"");
	free(text);
}

/* One that can't be listed comes to a chain: what the others counted stays theirs. */
static void rules_beside_them_stay_the_same(void *state)
{
	struct rulefile *f = state;
	struct ruleset old;
	struct pairs pairs;

	rulefile_write(f,
		       "table ip b {\n chain y { type filter hook input priority 0\n"
		       "  tcp dport 80 counter drop\n  " CRASH_B
		       " counter drop\n"
		       "  tcp dport 81 counter drop\n }\n}\n");
	rulefile_must_read(f);
	old = f->rs;
	f->rs = (struct ruleset){ 0 };
	write_crash(f);
	rulefile_must_read(f);
	test_ok(pairs_find(&pairs, &f->rs, &old));
	assert_int_equal(f->rs.n_counters, 5);
	assert_int_equal(pairs.counters[0], UINT32_MAX);
	assert_int_equal(pairs.counters[1], UINT32_MAX);
	assert_int_equal(pairs.counters[2], 0);
	assert_int_equal(pairs.counters[3], 1);
	assert_int_equal(pairs.counters[4], 2);
	pairs_release(&pairs);
	ruleset_release(&old);
}

#define WITH(fn) TEST_WITH(fn, rulefile_setup, rulefile_teardown)

static const struct test tests[] = {
	WITH(what_is_written_is_read_as_the_same_rule),
	WITH(rules_that_nftables_cannot_list_are_loaded),
	WITH(rules_beside_them_stay_the_same),
};

TEST_MAIN(tests);
