// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the compiler makes of conditions and sets, at their edges: the gate's native build must say
 * of each packet what the rules say one by one.
 */
#include <judged.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

#define HOOK 1

static const uint32_t widths[] = { GATE_IP_TTL, GATE_DPORT, GATE_MARK, GATE_IP6_DADDR };

#define WIDTHS (sizeof(widths) / sizeof(*widths))

/* One base chain that drops, number 0 of table 0, of both families. */
static void start_chain(struct judged *j)
{
	memset(j, 0, sizeof(*j));
	rules_base(&j->rs, rules_table(&j->rs, FAMILY_INET), HOOK, 0, GATE_DROP);
}

static struct gate_values one_value(uint32_t field, value v)
{
	struct gate_values values = { 0 };

	fields_set(&values, GATE_LENGTH, 100);
	fields_set(&values, field, v);
	return values;
}

static bool accepts(struct judged *j, uint32_t field, value v)
{
	const struct gate_values values = one_value(field, v);

	return judged_accepts(j, &values);
}

static void only_spans(struct judged *j, uint32_t field, bool negate, const struct span *spans,
		       size_t n)
{
	start_chain(j);
	rules_rule(&j->rs, 0);
	rules_spans(&j->rs, field, negate, spans, n);
	rules_verdict(&j->rs, GATE_ACCEPT, 0);
	judged_start(j);
}

static void spans_may_touch_both_ends(void)
{
	struct judged j;
	size_t i;

	for (i = 0; i < WIDTHS; i++) {
		value max = fields_max(fields_bits(widths[i]));
		const struct span spans[] = { { 0, 0 }, { max, max } };

		only_spans(&j, widths[i], false, spans, 2);
		assert_true(accepts(&j, widths[i], 0));
		assert_false(accepts(&j, widths[i], 1));
		assert_false(accepts(&j, widths[i], max - 1));
		assert_true(accepts(&j, widths[i], max));
		judged_release(&j);
		only_spans(&j, widths[i], true, spans, 2);
		assert_false(accepts(&j, widths[i], 0));
		assert_true(accepts(&j, widths[i], 1));
		assert_true(accepts(&j, widths[i], max - 1));
		assert_false(accepts(&j, widths[i], max));
		judged_release(&j);
	}
}

static void spans_may_be_adjacent(void)
{
	const struct span spans[] = { { 5, 6 }, { 7, 9 }, { 10, 10 }, { 12, 13 } };
	struct judged j;
	size_t i;
	value v;

	for (i = 0; i < WIDTHS; i++) {
		only_spans(&j, widths[i], false, spans, 4);
		for (v = 3; v < 16; v++)
			assert_int_equal(accepts(&j, widths[i], v), v >= 5 && v <= 13 && v != 11);
		judged_release(&j);
	}
}

static void all_values_or_none_ask_for_the_field(void)
{
	struct gate_values nothing = one_value(GATE_LENGTH, 1);
	struct judged j;
	size_t i;

	for (i = 0; i < WIDTHS; i++) {
		const struct span all = { 0, fields_max(fields_bits(widths[i])) };

		only_spans(&j, widths[i], false, &all, 1);
		assert_true(accepts(&j, widths[i], 0));
		assert_false(judged_accepts(&j, &nothing));
		judged_release(&j);
		only_spans(&j, widths[i], true, &all, 1);
		assert_false(accepts(&j, widths[i], all.to));
		assert_false(judged_accepts(&j, &nothing));
		judged_release(&j);
		only_spans(&j, widths[i], false, NULL, 0);
		assert_false(accepts(&j, widths[i], 0));
		assert_false(judged_accepts(&j, &nothing));
		judged_release(&j);
		only_spans(&j, widths[i], true, NULL, 0);
		assert_true(accepts(&j, widths[i], 0));
		assert_false(judged_accepts(&j, &nothing));
		judged_release(&j);
	}
}

/* Around each number with one bit, and on both sides of each of the four words. */
static void wide_fields_are_compared_as_one_number(void)
{
	struct judged j;
	int bit, other;

	for (bit = 0; bit < 128; bit += 7) {
		const value one = (value)1 << bit;
		const struct span span = { one, one + (one >> 1) };

		only_spans(&j, GATE_IP6_SADDR, false, &span, 1);
		for (other = 0; other < 128; other++) {
			const value x = (value)1 << other;

			assert_int_equal(accepts(&j, GATE_IP6_SADDR, x), other == bit);
			assert_int_equal(accepts(&j, GATE_IP6_SADDR, one + x),
					 one + x <= span.to && one + x >= one);
		}
		assert_false(accepts(&j, GATE_IP6_SADDR, one - 1));
		assert_false(accepts(&j, GATE_IP6_SADDR, span.to + 1));
		judged_release(&j);
	}
}

/* As many spans as make trees of one line, one more, and so on. */
static void trees_have_as_many_levels_as_they_need(void)
{
	static const int counts[] = { 1, 2, 7, 8, 9, 31, 32, 33, 127, 128, 129, 2047, 2048, 2049 };
	static const uint32_t fields[] = { GATE_MARK, GATE_IP6_SADDR };
	struct span *spans = calloc(2049, sizeof(*spans));
	struct judged j;
	size_t i, f;
	int n;

	assert_non_null(spans);
	for (n = 0; n < 2049; n++)
		spans[n] = (struct span){ 10 + 4 * (value)n, 11 + 4 * (value)n };
	for (f = 0; f < 2; f++) {
		for (i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
			only_spans(&j, fields[f], false, spans, (size_t)counts[i]);
			for (n = 0; n < 4 * counts[i] + 12; n++)
				assert_int_equal(accepts(&j, fields[f], (value)n),
						 n >= 10 && n < 4 * counts[i] + 10 &&
							 (n - 10) % 4 < 2);
			assert_false(accepts(&j, fields[f], fields_max(fields_bits(fields[f]))));
			judged_release(&j);
		}
	}
	free(spans);
}

/* The lowest keys of a tree are at the top of the numbers here, where unused keys are too. */
static void trees_end_at_the_greatest_value(void)
{
	struct span spans[40];
	struct judged j;
	size_t i, n, f;

	for (f = 0; f < WIDTHS; f++) {
		value max = fields_max(fields_bits(widths[f])), v;

		for (n = 1; n <= 40; n++) {
			for (i = 0; i < n; i++)
				spans[i].from = spans[i].to = max - 2 * (n - 1 - i);
			only_spans(&j, widths[f], false, spans, n);
			for (v = 0; v < 90; v++)
				assert_int_equal(accepts(&j, widths[f], max - v),
						 v % 2 == 0 && v < 2 * n);
			judged_release(&j);
		}
	}
}

static void masks_are_looked_at_bit_by_bit(void)
{
	static const uint32_t masks[] = {
		0, 1, 2, 0x12, 0x80, 0xf0, 0xff, 0x8001, 0xff00, 0x10000
	};
	static const uint32_t fields[] = { GATE_TCP_FLAGS, GATE_SPORT, GATE_MARK };
	uint32_t f, i, is, negate, v, max;
	struct judged j;

	for (f = 0; f < 3; f++) {
		max = (uint32_t)fields_max(fields_bits(fields[f]));
		for (i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
			for (negate = 0; negate < 2; negate++) {
				for (is = 0; is < 3; is++) {
					start_chain(&j);
					rules_rule(&j.rs, 0);
					rules_mask(&j.rs, fields[f], negate, masks[i] & max,
						   is == 2 ? 3 :
						   is      ? masks[i] & max :
							     0);
					rules_verdict(&j.rs, GATE_ACCEPT, 0);
					judged_start(&j);
					for (v = 0; v < 300; v++)
						accepts(&j, fields[f], v & max);
					accepts(&j, fields[f], max);
					judged_release(&j);
				}
			}
		}
	}
}

static void masks_of_wide_fields_are_looked_at(void)
{
	const value low = 0xffff, high = (value)0xffff << 112;
	struct judged j;

	start_chain(&j);
	rules_rule(&j.rs, 0);
	rules_mask(&j.rs, GATE_IP6_SADDR, false, high | low, (value)0x2001 << 112 | 7);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	judged_start(&j);
	assert_int_equal(j.image->n_checks, 1);
	assert_true(accepts(&j, GATE_IP6_SADDR, (value)0x2001 << 112 | 7));
	assert_true(accepts(&j, GATE_IP6_SADDR, (value)0x20010db8 << 96 | (value)1 << 64 | 7));
	assert_false(accepts(&j, GATE_IP6_SADDR, (value)0x2001 << 112 | 8));
	assert_false(accepts(&j, GATE_IP6_SADDR, (value)0x2002 << 112 | 7));
	judged_release(&j);
}

/* Bits of an entry are words apart when there are many rules. */
static void the_first_of_many_rules_decides(void)
{
	static const size_t counts[] = { 63, 64, 65, 127, 128, 129, 4096, 4097 };
	uint32_t n, v;
	struct judged j;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		start_chain(&j);
		for (n = 0; n < counts[i]; n++) {
			rules_rule(&j.rs, 0);
			rules_is(&j.rs, GATE_MARK, 3 * n, 3 * n + 1);
			rules_verdict(&j.rs, n % 2 ? GATE_ACCEPT : GATE_DROP, 0);
			rules_rule(&j.rs, 0);
			rules_is(&j.rs, GATE_MARK, 3 * n + 1, 3 * n + 2);
			rules_count(&j.rs);
			rules_verdict(&j.rs, n % 2 ? GATE_DROP : GATE_ACCEPT, 0);
		}
		judged_start(&j);
		for (v = 0; v<3 * counts[i] + 2; v += counts[i]> 200 ? 61 : 1)
			accepts(&j, GATE_MARK, v);
		accepts(&j, GATE_MARK, 3 * (value)counts[i] - 1);
		judged_release(&j);
	}
}

static void two_conditions_on_one_field_hold_together(void)
{
	struct judged j;
	value v;

	start_chain(&j);
	rules_rule(&j.rs, 0);
	rules_is(&j.rs, GATE_DPORT, 10, 20);
	rules_is(&j.rs, GATE_DPORT, 15, 30);
	rules_mask(&j.rs, GATE_DPORT, true, 1, 1);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	judged_start(&j);
	for (v = 0; v < 40; v++)
		assert_int_equal(accepts(&j, GATE_DPORT, v), v >= 15 && v <= 20 && v % 2 == 0);
	judged_release(&j);
}

/* What a rule's steps from `from` on ask of the family; its last step accepts. */
static bool asks_for_family(uint32_t family, uint32_t field, bool counts_between, bool field_first)
{
	struct judged j;
	bool asks;

	start_chain(&j);
	rules_rule(&j.rs, 0);
	if (field_first)
		rules_is(&j.rs, field, 7, 7);
	else
		rules_is(&j.rs, GATE_NFPROTO, family, family);
	if (counts_between)
		rules_count(&j.rs);
	if (field_first)
		rules_is(&j.rs, GATE_NFPROTO, family, family);
	else
		rules_is(&j.rs, field, 7, 7);
	rules_verdict(&j.rs, GATE_ACCEPT, 0);
	judged_start(&j);
	asks = j.image->config.table[GATE_NFPROTO].kind != GATE_TABLE_NONE;
	assert_int_equal(j.image->config.fields >> GATE_NFPROTO & 1, asks);
	judged_release(&j);
	return asks;
}

/* In tables of both families nftables asks for the family before an address. */
static void what_only_one_family_has_tells_the_family(void)
{
	const uint32_t ipv4 = NFPROTO_IPV4, ipv6 = NFPROTO_IPV6;

	assert_false(asks_for_family(ipv4, GATE_IP_SADDR, false, false));
	assert_false(asks_for_family(ipv4, GATE_IP_DSCP, false, true));
	assert_false(asks_for_family(ipv4, GATE_IP_TTL, true, true));
	assert_false(asks_for_family(ipv6, GATE_IP6_LENGTH, false, false));
	assert_false(asks_for_family(ipv6, GATE_IP6_DADDR, false, true));
	/* What is counted first is all of the family; a rule that asks for two meets nothing. */
	assert_true(asks_for_family(ipv4, GATE_IP_SADDR, true, false));
	assert_true(asks_for_family(ipv6, GATE_IP_SADDR, false, false));
	assert_true(asks_for_family(ipv4, GATE_IP6_SADDR, false, true));
	assert_true(asks_for_family(ipv4, GATE_DPORT, false, false));
	assert_true(asks_for_family(ipv6, GATE_IIFNAME, false, true));
}

static const struct test tests[] = {
	TEST(spans_may_touch_both_ends),
	TEST(spans_may_be_adjacent),
	TEST(all_values_or_none_ask_for_the_field),
	TEST(wide_fields_are_compared_as_one_number),
	TEST(trees_have_as_many_levels_as_they_need),
	TEST(trees_end_at_the_greatest_value),
	TEST(masks_are_looked_at_bit_by_bit),
	TEST(masks_of_wide_fields_are_looked_at),
	TEST(the_first_of_many_rules_decides),
	TEST(two_conditions_on_one_field_hold_together),
	TEST(what_only_one_family_has_tells_the_family),
};

TEST_MAIN(tests);
