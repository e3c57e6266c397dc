// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets in words and by their bytes, and what is said of them: the front end of explanations.
 */
#include <errno.h>
#include <judged.h>
#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "judgement.h"
#include "spell.h"
#include "told.h"

static struct told_packet told(const char *text)
{
	struct told_packet p;
	struct complaint c = { "" };
	int err = told_parse(&p, text, &c);

	if (err)
		printf("# %s: %s\n", text, c.text);
	assert_int_equal(err, 0);
	return p;
}

static void has(const struct told_packet *p, uint32_t field, value want)
{
	if (!fields_has(&p->values, field) || fields_get(&p->values, field) != want)
		printf("# %s\n", fields_name(field));
	assert_true(fields_has(&p->values, field));
	assert_true(fields_get(&p->values, field) == want);
}

static void ipv4_with_all_that_can_be_told(void)
{
	struct told_packet p = told(
		"udp 10.0.0.1:5353 > 10.8.0.2:53 len 4000 iif eth0 oif wg1 mark 0x10 ttl 3 "
		"dscp 46 ct new,related reassembled largest 1500 smallest 548 hook forward");

	assert_int_equal(p.family, 0);
	assert_int_equal(p.hook, 2);
	has(&p, GATE_IP_SADDR, 0x0a000001);
	has(&p, GATE_IP_DADDR, 0x0a080002);
	has(&p, GATE_SPORT, 5353);
	has(&p, GATE_DPORT, 53);
	has(&p, GATE_LENGTH, 4000);
	has(&p, GATE_IP_LENGTH, 4000);
	has(&p, GATE_IIFNAME, (value)0x65746830 << 96);
	has(&p, GATE_OIFNAME, (value)0x77673100 << 96);
	has(&p, GATE_MARK, 16);
	has(&p, GATE_IP_TTL, 3);
	has(&p, GATE_IP_DSCP, 46);
	has(&p, GATE_CT_STATE, GATE_CT_NEW | GATE_CT_RELATED);
	has(&p, GATE_REASSEMBLED, 1);
	has(&p, GATE_LARGEST, 1500);
	has(&p, GATE_SMALLEST, 548);
	has(&p, GATE_NFPROTO, 2);
	has(&p, GATE_L4PROTO, 17);
	has(&p, GATE_IP_PROTOCOL, 17);
	assert_false(fields_has(&p.values, GATE_IP6_SADDR));
	assert_false(fields_has(&p.values, GATE_TCP_FLAGS));
}

static void ipv6_with_ports_and_flags(void)
{
	struct told_packet p = told("tcp [2001:db8::1]:1024 > [2001:db8::2]:22 flags syn,ack");

	assert_int_equal(p.family, 1);
	assert_int_equal(p.hook, -1);
	has(&p, GATE_IP6_SADDR, (value)0x20010db8 << 96 | 1);
	has(&p, GATE_SPORT, 1024);
	has(&p, GATE_TCP_FLAGS, 18);
	has(&p, GATE_IP6_LENGTH, fields_get(&p.values, GATE_LENGTH) - 40);
	p = told("icmpv6 fe80::1 > ff02::1 type 135 code 1 hoplimit 255");
	has(&p, GATE_ICMPV6_TYPE, 135);
	has(&p, GATE_ICMPV6_CODE, 1);
	has(&p, GATE_IP6_HOPLIMIT, 255);
}

static void types_have_the_names_of_their_protocol(void)
{
	struct told_packet p = told("icmp 10.0.0.1 > 10.0.0.2 type echo-request");

	has(&p, GATE_ICMP_TYPE, 8);
	p = told("icmpv6 fe80::1 > ff02::1 type echo-request code 2");
	has(&p, GATE_ICMPV6_TYPE, 128);
	has(&p, GATE_ICMPV6_CODE, 2);
	p = told("icmp 10.0.0.1 > 10.0.0.2 type echo-reply code 0");
	has(&p, GATE_ICMP_TYPE, 0);
}

static void what_is_not_understood_is_named(void)
{
	static const struct {
		const char *text, *word;
	} bad[] = {
		{ "", "is no protocol" },
		{ "ipx 1.2.3.4 > 1.2.3.5", "'ipx'" },
		{ "256 1.2.3.4 > 1.2.3.5", "'256'" },
		{ "icmp 1.2.3.4 > 1.2.3.5 type nd-redirect", "'nd-redirect' of 'type' is no" },
		{ "icmp 1.2.3.4 > 1.2.3.5 code echo-reply", "'echo-reply' of 'code' is no" },
		{ "udp", "source is missing; a packet is told as" },
		{ "udp 1.2.3.4", "'>' is missing behind the source; a packet is told as" },
		{ "udp 1.2.3.4 >", "destination is missing" },
		{ "udp 1.2.3.4.5 > 1.2.3.4", "'1.2.3.4.5'" },
		{ "udp 1.2.3.4 > ::1", "two families" },
		{ "udp 1.2.3.4:65536 > 1.2.3.4", "'65536'" },
		{ "udp 1.2.3.4:x > 1.2.3.4", "'x'" },
		{ "icmp 1.2.3.4:1 > 1.2.3.4", "has no ports" },
		{ "udp 1.2.3.4 > 1.2.3.4 len", "'len' needs a number" },
		{ "udp 1.2.3.4 > 1.2.3.4 len 19", "from 20 to 65535" },
		{ "udp ::1 > ::2 len 39", "from 40 to 65575" },
		{ "udp 1.2.3.4 > 1.2.3.4 len -1", "'-1'" },
		{ "udp 1.2.3.4 > 1.2.3.4 flags syn", "'flags'" },
		{ "udp 1.2.3.4 > 1.2.3.4 type 8", "'type'" },
		{ "tcp 1.2.3.4 > 1.2.3.4 flags syn,", "fin,syn,rst,psh,ack,urg,ecn,cwr" },
		{ "udp 1.2.3.4 > 1.2.3.4 ct old", "invalid,established,related,new,untracked" },
		{ "udp 1.2.3.4 > 1.2.3.4 hook ingress", "'ingress'" },
		{ "udp 1.2.3.4 > 1.2.3.4 iif abcdefghijklmnop", "'iif'" },
		{ "udp 1.2.3.4 > 1.2.3.4 colour red", "'colour'" },
	};
	struct told_packet p;
	struct complaint c;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		c.text[0] = '\0';
		assert_int_equal(told_parse(&p, bad[i].text, &c), -EINVAL);
		if (!strstr(c.text, bad[i].word))
			printf("# %s: %s\n", bad[i].text, c.text);
		assert_non_null(strstr(c.text, bad[i].word));
	}
}

static void a_packet_is_read_by_its_bytes(void)
{
	static const uint8_t bytes[] = { 0x45, 0xb8, 0, 32, 0,  1, 0, 0, 7,  17, 0, 0,
					 10,   0,    0, 1,  10, 8, 0, 2, 1,  0,  0, 0x35,
					 0,    12,   0, 0,  1,  2, 3, 4, 99, 99 };
	struct told_packet p;

	assert_int_equal(told_from_bytes(&p, bytes, sizeof(bytes)), 0);
	has(&p, GATE_IP_SADDR, 0x0a000001);
	has(&p, GATE_IP_DSCP, 46);
	has(&p, GATE_LENGTH, 32);
	has(&p, GATE_SPORT, 256);
	has(&p, GATE_DPORT, 53);
	assert_string_equal(told_spell(&p).text, "udp 10.0.0.1:256 > 10.8.0.2:53, 32 bytes");
	assert_int_equal(told_from_bytes(&p, bytes, 19), -EINVAL);
	assert_int_equal(told_from_bytes(&p, bytes + 4, 28), -EINVAL);
	assert_int_equal(told_from_bytes(&p, bytes, 21), 0);
	assert_false(fields_has(&p.values, GATE_SPORT));
}

static void a_failed_match_is_said_in_words(void)
{
	const struct told_packet p = told("udp 10.0.0.1:5353 > 10.8.0.2:53");
	const struct span spans[] = { { 80, 90 }, { 443, 443 } };
	struct ruleset rs = { 0 };
	const struct statement *s;

	rules_chain(&rs, rules_table(&rs, FAMILY_INET));
	rules_rule(&rs, 0);
	rules_spans(&rs, GATE_DPORT, false, spans, 2);
	rules_is(&rs, GATE_TCP_FLAGS, 2, 2);
	s = rs.rules[0].statements;
	assert_string_equal(spell_failure(&rs, &s[0].match, &p.values).text,
			    "th dport is 53, not 80-90, 443");
	assert_string_equal(spell_failure(&rs, &s[1].match, &p.values).text,
			    "the packet has no tcp flags");
	ruleset_release(&rs);
}

static void ranges_of_flags_are_numbers(void)
{
	const struct span range = { 0x10, 0x1f }, one = { 3, 3 };

	assert_string_equal(spell_span(GATE_TCP_FLAGS, &range).text, "0x10-0x1f");
	assert_string_equal(spell_span(GATE_TCP_FLAGS, &one).text, "fin,syn");
	assert_string_equal(spell_span(GATE_CT_STATE, &range).text, "0x10-0x1f");
}

/* Which way a packet goes is told by its devices and by the chains that there are. */
static void a_packet_comes_to_hooks_that_its_devices_allow(void)
{
	struct ruleset rs = { 0 };
	struct complaint c = { "" };
	struct judgement *j;
	struct told_packet p;
	uint32_t table = rules_table(&rs, FAMILY_INET), hook;

	for (hook = 0; hook < GATE_HOOKS; hook++)
		rules_base(&rs, table, hook, 0, GATE_ACCEPT);
	test_ok(judgement_new(&j, &rs, &c));
	p = told("udp 1.1.1.1 > 2.2.2.2 iif a oif b");
	assert_int_equal(judgement_hooks(j, &p), 1 << 0 | 1 << 2 | 1 << 4);
	p = told("udp 1.1.1.1 > 2.2.2.2 hook input");
	assert_int_equal(judgement_hooks(j, &p), 1 << 1);
	p = told("udp 1.1.1.1 > 2.2.2.2 iif a");
	assert_int_equal(judgement_hooks(j, &p), -EINVAL);
	judgement_free(j);
	ruleset_release(&rs);
	memset(&rs, 0, sizeof(rs));
	rules_base(&rs, rules_table(&rs, FAMILY_IP), 1, 0, GATE_DROP);
	rules_base(&rs, 0, 0, 0, GATE_ACCEPT);
	test_ok(judgement_new(&j, &rs, &c));
	p = told("udp 1.1.1.1 > 2.2.2.2 iif a");
	assert_int_equal(judgement_hooks(j, &p), 1 << 0 | 1 << 1);
	assert_int_equal(judgement_at(j, &p, 0, 0), GATE_ACCEPT);
	assert_int_equal(judgement_at(j, &p, 1, 0), GATE_DROP);
	p = told("udp ::1 > ::2 iif a");
	assert_int_equal(judgement_hooks(j, &p), 0);
	judgement_free(j);
	ruleset_release(&rs);
}

static const struct test tests[] = {
	TEST(ipv4_with_all_that_can_be_told),
	TEST(ipv6_with_ports_and_flags),
	TEST(types_have_the_names_of_their_protocol),
	TEST(ranges_of_flags_are_numbers),
	TEST(what_is_not_understood_is_named),
	TEST(a_packet_is_read_by_its_bytes),
	TEST(a_failed_match_is_said_in_words),
	TEST(a_packet_comes_to_hooks_that_its_devices_allow),
};

TEST_MAIN(tests);
