// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy explain as a command: which rule decides about a packet that is told in words or
 * stands in a capture, and each rule that it passes on the way. What it says of a packet is held
 * against what becomes of that packet.
 */
#include <errno.h>
#include <jansson.h>
#include <pcap/dlt.h>
#include <policed.h>
#include <stdio.h>
#include <string.h>
#include <tape.h>
#include <test.h>

#define RULES \
	"table inet t {\n" \
	"	set hosts { type ipv4_addr; elements = { 10.8.0.2, 10.8.0.3 }; }\n" \
	"	chain sub {\n		ip saddr 10.0.0.0/8 return\n		drop\n	}\n" \
	"	chain c {\n" \
	"		type filter hook input priority %d; policy drop\n" \
	"		iifname lo meta mark 7 accept\n" \
	"		tcp dport 22 accept\n" \
	"		udp dport 53 jump sub\n" \
	"		ip daddr @hosts udp dport 53 accept comment \"unfrag: smallest > 500\"\n" \
	"		limit rate over 1/second counter\n" \
	"		ip6 daddr ::1 udp dport 9 accept\n" \
	"	}\n" \
	"}\n"

static const char *rules(void)
{
	return policed_file(RULES, 0);
}

#define UDP "udp 10.0.0.1:5353 > 10.8.0.2:53"

static void explain(struct command *c, const char *packet)
{
	command_run(c, "policy", "explain", rules(), "--packet", packet);
	command_expect(c, 0, NULL);
	command_expect_lines(c->out);
}

static void each_rule_on_the_way_is_told_with_its_reason(void *state)
{
	struct command c;

	(void)state;
	explain(&c, UDP " len 4000 iif eth0");
	assert_string_equal(c.out, UDP
			    ", 4000 bytes\n"
			    "  chain 'inet t c', input, priority 0\n"
			    "    - iifname \"lo\" meta mark 0x00000007 accept\n"
			    "          meta iifname is \"eth0\", not \"lo\"\n"
			    "    - tcp dport 22 accept\n"
			    "          meta l4proto is udp, not tcp\n"
			    "    = udp dport 53 jump sub\n"
			    "          jump to chain 'inet t sub'\n"
			    "      chain 'inet t sub'\n"
			    "        = ip saddr 10.0.0.0/8 return\n"
			    "              return\n"
			    "  chain 'inet t c', input, priority 0\n"
			    "    - ip daddr @hosts udp dport 53 accept comment "
			    "\"unfrag: smallest > 500\"\n"
			    "          the packet has no unfrag smallest\n"
			    "    - limit rate over 1/second counter\n"
			    "          its limit is not reached\n"
			    "    - ip6 daddr ::1 udp dport 9 accept\n"
			    "          meta nfproto is ipv4, not ipv6\n"
			    "    = policy\n"
			    "          drop\n"
			    "drop\n");
}

/* By the rule that decides: what tells packets apart is what was said of them. */
static void what_is_said_of_a_packet_decides(void *state)
{
	static const struct {
		const char *packet, *end;
	} cases[] = {
		{ UDP " iif eth0 smallest 501 largest 1500",
		  "comment \"unfrag: smallest > 500\"\n          accept\naccept\n" },
		{ UDP " iif eth0 smallest 500 largest 1500", "= policy\n          drop\ndrop\n" },
		{ UDP " iif lo mark 7", "meta mark 0x00000007 accept\n          accept\naccept\n" },
		{ "udp 11.0.0.1:1 > 10.8.0.2:53 iif eth0", "= drop\n              drop\ndrop\n" },
		{ "tcp [fd00::1]:1 > [fd00::2]:22 flags syn iif eth0",
		  "= tcp dport 22 accept\n          accept\naccept\n" },
		{ "udp [::1]:1 > [::1]:9 iif lo",
		  "ip6 daddr ::1 udp dport 9 accept\n          accept\naccept\n" },
		{ UDP " oif eth0", "no chain is at a hook that it comes to\naccept\n" },
		{ UDP " hook forward", "no chain is at a hook that it comes to\naccept\n" },
	};
	struct command c;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		explain(&c, cases[i].packet);
		len = strlen(cases[i].end);
		if (strlen(c.out) < len || strcmp(c.out + strlen(c.out) - len, cases[i].end))
			printf("# not at the end: %s# of: %s", cases[i].end, c.out);
		assert_true(strlen(c.out) >= len);
		assert_string_equal(c.out + strlen(c.out) - len, cases[i].end);
	}
}

static const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key)) ?: "";
}

static void json_has_what_the_manual_says(void *state)
{
	const json_t *packet, *hook, *steps, *step;
	struct command c;
	json_t *root;

	(void)state;
	command_run(&c, "policy", "explain", "--json", rules(), "--packet", UDP " iif eth0");
	command_expect(&c, 0, NULL);
	root = json_loads(c.out, 0, NULL);
	packet = json_array_get(json_object_get(root, "packets"), 0);
	assert_int_equal(json_integer_value(json_object_get(packet, "number")), 1);
	assert_string_equal(text_at(packet, "packet"), UDP ", 60 bytes");
	assert_string_equal(text_at(packet, "verdict"), "drop");
	hook = json_array_get(json_object_get(packet, "hooks"), 0);
	assert_string_equal(text_at(hook, "hook"), "input");
	assert_string_equal(text_at(hook, "verdict"), "drop");
	steps = json_object_get(hook, "steps");
	assert_int_equal(json_array_size(steps), 8);
	step = json_array_get(steps, 1);
	assert_string_equal(text_at(step, "family"), "inet");
	assert_string_equal(text_at(step, "table"), "t");
	assert_string_equal(text_at(step, "chain"), "c");
	assert_string_equal(text_at(step, "result"), "no match");
	assert_string_equal(text_at(step, "why"), "meta l4proto is udp, not tcp");
	assert_string_equal(text_at(step, "rule"), "tcp dport 22 accept");
	assert_true(json_integer_value(json_object_get(step, "handle")) > 0);
	step = json_array_get(steps, 3);
	assert_int_equal(json_integer_value(json_object_get(step, "depth")), 1);
	assert_string_equal(text_at(step, "result"), "done");
	assert_string_equal(text_at(step, "verdict"), "return");
	assert_string_equal(text_at(json_array_get(steps, 5), "result"), "limit");
	step = json_array_get(steps, 7);
	assert_string_equal(text_at(step, "result"), "policy");
	assert_string_equal(text_at(step, "verdict"), "drop");
	assert_null(json_object_get(step, "rule"));
	json_decref(root);
}

/* Each says what to write in place of it. */
static void packets_that_are_not_understood_are_told_how_to_be_written(void *state)
{
	static const struct {
		const char *packet, *word;
	} bad[] = {
		{ "",
		  "'' is no protocol; a packet is told as \"udp 10.0.0.1:5353 > 10.8.0.2:53\"" },
		{ "10.0.0.1 > 10.8.0.2", "'10.0.0.1' is no protocol; a packet is told as" },
		{ "udp", "the packet's source is missing; a packet is told as" },
		{ "udp 10.0.0.1 10.0.0.2",
		  "'>' is missing behind the source; a packet is told as" },
		{ "udp 10.0.0.1 >", "the packet's destination is missing; a packet is told as" },
		{ "udp 10.0.0 > 10.0.0.2", "'10.0.0' is no address: 10.0.0.1, 10.0.0.1:53" },
		{ "udp 10.0.0.1:ssh > 10.0.0.2", "'ssh' of 'port' is no number up to 65535" },
		{ "icmp 10.0.0.1:1 > 10.0.0.2", "protocol 1 has no ports" },
		{ "udp 10.0.0.1 > ::1", "source and destination are of two families" },
		{ UDP " len 70000", "from 20 to 65535" },
		{ UDP " ct fresh", "invalid,established,related,new,untracked" },
		{ "tcp 1.1.1.1 > 2.2.2.2 flags syn+ack", "fin,syn,rst,psh,ack,urg,ecn,cwr" },
		{ UDP " hook ingress", "prerouting, input, forward, output, postrouting" },
		{ UDP " iif", "'iif' needs the name of a device behind it" },
		{ UDP " smallest many", "'many' of 'smallest' is no number up to 65535" },
		{ UDP " colour red", "known are len, iif, oif, hook, mark, ct" },
	};
	struct command c;

	(void)state;
	rules();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		command_run(&c, "policy", "explain", rules(), "--packet", bad[i].packet);
		command_expect(&c, 2, bad[i].word);
		assert_non_null(strstr(c.err, "unfrag: --packet: "));
		assert_string_equal(c.out, "");
	}
	command_run(&c, "policy", "explain", rules(), "--packet", UDP, "--with", "hook none");
	command_expect(&c, 2, "--with: 'none' is no hook");
}

static void what_is_missing_is_told(void *state)
{
	struct command c;

	(void)state;
	command_run(&c, "policy", "explain", rules());
	command_expect(&c, 2, "one of --packet and --pcap");
	command_run(&c, "policy", "explain", rules(), "--packet", UDP, "--pcap", "x");
	command_expect(&c, 2, "one of --packet and --pcap");
	command_run(&c, "policy", "explain", "--packet", UDP);
	command_expect(&c, 2, "one file with a ruleset");
	command_run(&c, "policy", "explain", "/no/such/file.nft", "--packet", UDP);
	command_expect(&c, 1, "can't be read");
	command_run(&c, "policy", "explain", policed_file("table inet t { chain"), "--packet", UDP);
	command_expect(&c, 1, "syntax error");
	command_run(&c, "policy", "explain", rules(), "--pcap", "/no/such/file.pcap");
	command_expect(&c, 1, "/no/such/file.pcap");
	command_run(&c, "policy", "explain", rules(), "--pcap", rules());
	command_expect(&c, 1, "unfrag: ");
}

static void add_datagram(struct tape *t, uint16_t dport, size_t fragment)
{
	static const unsigned char data[2000];
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };

	test_ok(lab_datagram_init(&dg, AF_INET, "10.0.0.1", "10.8.0.2"));
	dg.identification = dport;
	test_ok(lab_datagram_set_udp(&dg, 5353, dport, data, sizeof(data)));
	if (fragment)
		test_ok(lab_fragment(&dg, fragment, &packets));
	else
		test_ok(lab_whole(&dg, &packets));
	tape_add_all(t, "", 0, &packets);
}

/* A datagram in two fragments, one in five, one whole, and a fragment without the rest. */
static const char *write_capture(void)
{
	static const unsigned char data[1000];
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	const char *path = tape_path("in.pcap");
	struct tape t;

	tape_init(&t, DLT_RAW);
	add_datagram(&t, 53, 1008);
	add_datagram(&t, 53, 480);
	add_datagram(&t, 54, 0);
	test_ok(lab_datagram_init(&dg, AF_INET, "10.0.0.1", "10.8.0.2"));
	test_ok(lab_datagram_set_udp(&dg, 1, 53, data, sizeof(data)));
	test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
	tape_add_all(&t, "", 0, &packets);
	tape_write(&t, path);
	tape_release(&t);
	return path;
}

static void each_whole_packet_of_a_capture_is_a_line(void *state)
{
	const char *path = write_capture();
	struct command c;

	(void)state;
	command_run(&c, "policy", "explain", rules(), "--pcap", path, "--with", "iif eth0");
	command_expect(&c, 0, "fragments that are part of no whole packet: 1; they are dropped");
	assert_string_equal(
		c.out,
		"2  " UDP
		", 2028 bytes, of fragments of 1020 to 1028  accept by rule 'ip "
		"daddr @hosts udp dport 53 accept comment \"unfrag: smallest > 500\"' of "
		"chain 'inet t c'\n"
		"7  " UDP
		", 2028 bytes, of fragments of 108 to 500  drop by the policy of "
		"chain 'inet t c'\n"
		"8  udp 10.0.0.1:5353 > 10.8.0.2:54, 2028 bytes  drop by the policy of chain "
		"'inet t c'\n");
	command_run(&c, "policy", "explain", "-v", rules(), "--pcap", path, "--with", "iif eth0");
	command_expect(&c, 0, "fragments");
	assert_non_null(strstr(c.out, "unfrag smallest is 108, not 501-65535\n"));
	assert_non_null(strstr(c.out, "th dport is 54, not 53\n"));
	command_run(&c, "policy", "explain", "--json", rules(), "--pcap", path, "--with",
		    "iif eth0");
	command_expect(&c, 0, "fragments");
	assert_non_null(strstr(c.out, "\"number\": 7"));
	/* Which way packets of a capture went nobody can tell, where that matters. */
	command_run(&c, "policy", "explain",
		    policed_file("table ip t {\nchain a {\ntype filter hook input priority 0\n}\n"
				 "chain b {\ntype filter hook forward priority 0\n}\n}\n"),
		    "--pcap", path);
	command_expect(&c, 2, "tell which way it goes by 'iif', 'oif' or 'hook'");
}

/* The same file in force, and real packets. */
static void what_is_explained_is_what_happens(void *state)
{
	const struct life *l = state;
	struct command c;

	policed_load(l, policed_file(RULES, life_priority(0)));
	explain(&c, "udp 127.0.0.1:1000 > 127.0.0.1:9 iif lo");
	assert_non_null(strstr(c.out, "\ndrop\n"));
	assert_false(life_ping(l, AF_INET, LIFE_NONE_MS));
	explain(&c, "udp [::1]:1000 > [::1]:9 iif lo");
	assert_non_null(strstr(c.out, "\naccept\n"));
	assert_true(life_ping(l, AF_INET6, LIFE_DEADLINE_MS));
}

static void what_is_cut_short_is_no_fragment(void *state)
{
	const char *path = tape_path("cut.pcap");
	struct command c;
	struct tape t;

	(void)state;
	tape_init(&t, DLT_RAW);
	tape_add(&t, "", 0, "\x45\0\0\x1c\0\1\0\0\x40", 9, 0);
	tape_write(&t, path);
	tape_release(&t);
	command_run(&c, "policy", "explain", rules(), "--pcap", path);
	command_expect(&c, 0, "no IP, or were captured without their headers: 1\n");
	assert_null(strstr(c.err, "fragments"));
}

static void a_state_that_is_asked_and_not_told_is_noted(void *state)
{
	const char *path = policed_file(
		"table ip t {\nchain c {\ntype filter hook input priority 0\n"
		"ct state invalid drop\n}\n}\n");
	struct command c;

	(void)state;
	command_run(&c, "policy", "explain", path, "--packet", UDP " hook input");
	command_expect(&c, 0, "'ct state', which is not told and so is invalid");
	assert_non_null(strstr(c.out, "\ndrop\n"));
	command_run(&c, "policy", "explain", path, "--packet", UDP " hook input ct new");
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "\naccept\n"));
	command_run(&c, "policy", "explain", path, "--packet", UDP, "--with", "hook input ct new");
	command_expect(&c, 0, NULL);
}

static void up(void **state)
{
	tape_setup(state);
	policed_up(state);
}

static void down(void *state)
{
	policed_down(state);
	tape_teardown(NULL);
}

static const struct test tests[] = {
	TEST_WITH(each_rule_on_the_way_is_told_with_its_reason, up, down),
	TEST_WITH(what_is_said_of_a_packet_decides, up, down),
	TEST_WITH(json_has_what_the_manual_says, up, down),
	TEST_WITH(packets_that_are_not_understood_are_told_how_to_be_written, up, down),
	TEST_WITH(what_is_missing_is_told, up, down),
	TEST_WITH(a_state_that_is_asked_and_not_told_is_noted, up, down),
	TEST_WITH(what_is_cut_short_is_no_fragment, up, down),
	TEST_WITH(each_whole_packet_of_a_capture_is_a_line, up, down),
	TEST_WITH(what_is_explained_is_what_happens, up, down),
};

TEST_MAIN(tests);
