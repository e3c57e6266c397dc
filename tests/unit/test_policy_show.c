// SPDX-License-Identifier: GPL-2.0-or-later
/* A ruleset shown is one that can be loaded again, and shown again it is the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rulefile.h"
#include "show.h"

static int copy_elements(void *arg, uint32_t set, struct element **out, size_t *n)
{
	const struct ruleset *rs = arg;

	*n = rs->sets[set].n_elements;
	*out = calloc(*n + 1, sizeof(**out));
	assert_non_null(*out);
	if (*n)
		memcpy(*out, rs->sets[set].elements, *n * sizeof(**out));
	return 0;
}

/* With what the ruleset starts with; or, of counters, 1000 and their number. */
static char *show(struct rulefile *f, bool terse, bool count)
{
	struct gate_counter *counters = calloc(f->rs.n_counters + 1, sizeof(*counters));
	struct show s = { &f->rs, &f->listing, counters, terse, copy_elements, &f->rs };
	char *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(counters);
	for (i = 0; i < f->rs.n_counters; i++) {
		counters[i].packets = count ? 1000 + i : f->rs.counters[i].packets;
		counters[i].bytes = count ? 64000 + i : f->rs.counters[i].bytes;
	}
	assert_int_equal(show_write(&s, out), 0);
	fclose(out);
	free(counters);
	return text;
}

/* Loads it, shows it, loads what was shown, and compares all. The text is to be freed. */
static char *go_round(struct rulefile *f)
{
	char *first, *second;

	rulefile_must_read(f);
	first = show(f, false, true);
	rulefile_write(f, "%s", first);
	rulefile_must_read(f);
	second = show(f, false, false);
	assert_string_equal(first, second);
	free(second);
	return first;
}

static void must_have(const char *text, const char *words)
{
	if (!strstr(text, words))
		print_error("not there: %s, in: %s\n", words, text);
	assert_non_null(strstr(text, words));
}

static void counters_stand_where_they_count(void *state)
{
	struct rulefile *f = state;
	char *text;

	rulefile_write(
		f,
		"table inet t {\n"
		"	counter seen { packets 5 bytes 77 }\n"
		"	counter mute { comment \"counter x\" }\n"
		"	chain sub {\n"
		"		comment \"counter\"\n"
		"		counter return\n"
		"	}\n"
		"	chain c {\n"
		"		type filter hook forward priority -10; policy drop\n"
		"		tcp dport 22 counter log prefix \"a counter \" counter accept "
		"comment \"counter counter\"\n"
		"		counter name seen udp dport 53 counter jump sub\n"
		"		counter name \"mute\"\n"
		"	}\n"
		"}\n");
	text = go_round(f);
	must_have(text, "counter seen {\n\t\tpackets 1000 bytes 64000\n");
	must_have(text, "comment \"counter x\"\n\t\tpackets 1001 bytes 64001\n");
	must_have(text, "\t\tcounter packets 1002 bytes 64002 return\n");
	must_have(text,
		  "tcp dport 22 counter packets 1003 bytes 64003 log prefix \"a counter \" "
		  "counter packets 1004 bytes 64004 accept comment \"counter counter\"\n");
	must_have(text,
		  "counter name \"seen\" udp dport 53 counter packets 1005 bytes 64005 jump sub\n");
	must_have(text, "type filter hook forward priority filter - 10; policy drop;\n");
	assert_null(strstr(text, "handle"));
	free(text);
}

/* Of these libnftables 1.0.6 can't list the first two, and writes something else of the third. */
static void what_nftables_cannot_write_is_shown_all_the_same(void *state)
{
	struct rulefile *f = state;
	char *text;

	rulefile_write(f,
		       "table ip t {\n"
		       " chain c { type filter hook forward priority 0\n"
		       "  meta l4proto 138 counter th dport . iifname . th dport vmap "
		       "{ 53-99 . \"lo\" . 80 : accept }\n"
		       "  tcp flags . iifname . oifname != { 0xff . \"a\" . \"b\", "
		       "0x0 . \"c\" . \"c\", 0x10 . \"b\" . \"c\" } counter log prefix "
		       "\"counter\" counter\n"
		       "  ip dscp . ip saddr { 5 . 1.2.3.4 } counter\n"
		       "  tcp dport 80 counter drop\n"
		       " }\n"
		       "}\n");
	text = go_round(f);
	must_have(text, "\t\tmeta l4proto 138 counter packets 1000 bytes 64000 th dport . ");
	must_have(text, "log prefix \"counter\" counter packets 1002 bytes 64002\n");
	must_have(text,
		  "\t\tip dscp . ip saddr { 5 . 1.2.3.4 } counter packets 1003 bytes 64003\n");
	must_have(text, "\t\ttcp dport 80 counter packets 1004 bytes 64004 drop\n");
	free(text);
}

static void elements_of_every_field_can_be_read_again(void *state)
{
	struct rulefile *f = state;
	char *text;

	rulefile_write(
		f,
		"table inet t {\n"
		" set s1 { type ipv4_addr . inet_service; flags interval;comment \"x # handle 9\"\n"
		"		elements = { 10.0.0.0/8 . 80-90, 11.1.0.0-11.1.0.6 . 443 } }\n"
		" set s2 { type inet_service; elements = { 80, 81, 82, 90 } }\n"
		" set s3 { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 12.0.0.1,"
		" 192.168.1.3-192.168.2.9 } }\n"
		" set s4 { typeof ip length . meta mark; elements = { 40 . 0x10 } }\n"
		" set s5 { type ifname; flags interval; elements = { \"eth*\", \"lo\" } }\n"
		" set s6 { type tcp_flag; elements = { syn, syn | ack, fin } }\n"
		" set s7 { type ct_state; elements = { new, established } }\n"
		" set s8 { typeof ip dscp; elements = { cs1, 3 } }\n"
		" set s9 { type icmp_type; elements = { echo-request, 3 } }\n"
		" set s10 { type nf_proto . inet_proto; elements = { ipv4 . udp, ipv6 . 58 } }\n"
		" set s11 { type inet_proto; elements = { tcp, udp, sctp, dccp, udplite, gre, esp, "
		"ah, icmp, igmp, icmpv6, 59, 200 } }\n"
		" set s12 { typeof meta iif; elements = { 1 } }\n"
		" set s13 { type ipv6_addr; flags interval; elements = { fd00::/8, ::1, "
		"2001:db8::1-2001:db8::7 } }\n"
		" set s14 { type ifname . mark; elements = { \"eth0\" . 7 } }\n"
		" set s15 { type mark; flags interval; elements = { 5-9, 0x100 } }\n"
		" map m1 { type inet_service : verdict; elements = { 80 : jump sub, 90 : accept, "
		"91 : goto sub, 92 : return, 93 : continue } }\n"
		" map m2 { type ipv4_addr . inet_service : verdict; flags interval; elements = { "
		"10.0.0.0/8 . 5-6 : drop } }\n"
		"	chain sub { }\n"
		"	chain c {\n"
		"		type filter hook forward priority 0\n"
		"		ip saddr . tcp dport @s1 accept\n"
		"		tcp dport @s2 accept\n"
		"		ip saddr @s3 accept\n"
		"		ip length . meta mark @s4 accept\n"
		"		iifname @s5 accept\n"
		"		tcp flags @s6 accept\n"
		"		ct state @s7 accept\n"
		"		ip dscp @s8 accept\n"
		"		icmp type @s9 accept\n"
		"		meta nfproto . meta l4proto @s10 accept\n"
		"		meta l4proto @s11 accept\n"
		"		iif @s12 accept\n"
		"		ip6 saddr @s13 accept\n"
		"		oifname . meta mark @s14 accept\n"
		"		meta mark @s15 accept\n"
		"		tcp dport vmap @m1\n"
		"		ip daddr . udp dport vmap @m2\n"
		"	}\n"
		"}\n");
	text = go_round(f);
	must_have(text, "10.0.0.0/8 . 80-90");
	must_have(text, "elements = { 80, 81, 82, 90 }");
	must_have(text, "elements = { 10.0.0.0/8, 12.0.0.1, 192.168.1.3-192.168.2.9 }");
	must_have(text, "elements = { \"eth*\", \"lo\" }");
	must_have(text, "syn | ack");
	must_have(text, "elements = { 80 : jump sub, 90 : accept, 91 : goto sub, 92 : return");
	must_have(text, "elements = { ::1, 2001:db8::1-2001:db8::7, fd00::/8 }");
	free(text);
}

static void sets_that_no_rule_uses_keep_their_elements(void *state)
{
	struct rulefile *f = state;
	char *text;

	rulefile_write(
		f,
		"table ip t {\n"
		"	set a { type mark; elements = { 10 } }\n"
		"	set b { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 } }\n"
		"	set d { type inet_proto; elements = { tcp } }\n"
		"	set e { type inet_service; elements = { 53 } }\n"
		"	set g { type ifname; elements = { \"eth0\" } }\n"
		"	map h { type ipv6_addr : verdict; elements = { fd00::1 : drop } }\n"
		"	chain c { type filter hook input priority 0; }\n"
		"}\n");
	text = go_round(f);
	must_have(text, "elements = { 0xa }");
	must_have(text, "elements = { 10.0.0.0/8 }");
	must_have(text, "elements = { tcp }");
	must_have(text, "elements = { \"eth0\" }");
	must_have(text, "elements = { fd00::1 : drop }");
	free(text);
}

static void tables_of_one_name_are_told_apart(void *state)
{
	struct rulefile *f = state;
	char *text;

	rulefile_write(
		f,
		"table ip t {\n"
		"	chain c { type filter hook input priority 0; tcp dport 1 counter; }\n"
		"}\n"
		"table ip6 t {\n"
		"	chain c { type filter hook input priority 0; tcp dport 2 counter; }\n"
		"}\n");
	text = go_round(f);
	must_have(text, "tcp dport 1 counter packets 1000 ");
	must_have(text, "tcp dport 2 counter packets 1001 ");
	free(text);
}

static void terse_output_says_how_many_elements_there_are(void *state)
{
	struct rulefile *f = state;
	char *text;

	rulefile_write(f,
		       "table ip t {\n"
		       "	set s { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }\n"
		       "	chain c { type filter hook input priority 0; ip saddr @s drop; }\n"
		       "}\n");
	rulefile_must_read(f);
	text = show(f, true, false);
	must_have(text, "\t\t# elements: 2\n");
	assert_null(strstr(text, "10.0.0.1"));
	rulefile_write(f, "%s", text);
	rulefile_must_read(f);
	free(text);
}

static void a_long_set_goes_on_in_further_lines(void *state)
{
	struct rulefile *f = state;
	char *text, list[8192];
	size_t i, n = 0;

	for (i = 0; i < 400; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s10.0.%zu.%zu", i ? "," : "",
				      i / 256, 2 * i % 256);
	rulefile_write(f,
		       "table ip t {\n"
		       "	set s { type ipv4_addr; elements = { %s } }\n"
		       "	chain c { type filter hook input priority 0; ip saddr @s drop; }\n"
		       "}\n",
		       list);
	text = go_round(f);
	must_have(text, ",\n\t\t\t     10.0.");
	free(text);
}

#define WITH(fn) TEST_WITH(fn, rulefile_setup, rulefile_teardown)

static const struct test tests[] = {
	WITH(counters_stand_where_they_count),
	WITH(what_nftables_cannot_write_is_shown_all_the_same),
	WITH(elements_of_every_field_can_be_read_again),
	WITH(sets_that_no_rule_uses_keep_their_elements),
	WITH(tables_of_one_name_are_told_apart),
	WITH(terse_output_says_how_many_elements_there_are),
	WITH(a_long_set_goes_on_in_further_lines),
};

TEST_MAIN(tests);
