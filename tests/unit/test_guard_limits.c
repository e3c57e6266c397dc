// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard's limits: defaults that fit the machine, contradictions, and the configuration that
 * programs get, which tells the limits again.
 */
#include <errno.h>
#include <string.h>
#include <test.h>

#include "guard_limits.h"
#include "guard_sysctl.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

static struct limits_frame machine(uint64_t memory, bool tuned)
{
	return (struct limits_frame){
		.memory = memory,
		.available = memory / 2,
		.families = UNFRAG_FAMILIES_BOTH,
		.tuned = tuned,
		.high = { 4 * MIB, 4 * MIB },
		.timeout = { 30, 60 },
	};
}

static struct unfrag_guard_limits settled(uint64_t memory, bool tuned)
{
	struct unfrag_guard_limits l = { .sz = sizeof(l) };
	struct limits_frame f = machine(memory, tuned);

	test_ok(limits_settle(&l, &f, limits_table(8192)));
	return l;
}

static void defaults_fit_the_machine(void)
{
	struct unfrag_guard_limits l = settled(64 * GIB, true);

	for (int i = 0; i < 2; i++) {
		assert_int_equal(l.memory[i], 16 * MIB);
		assert_int_equal(l.timeout[i], 3000);
	}
	assert_int_equal(l.share, 50);
	assert_int_equal(l.floor, 16 * KIB);
	assert_int_equal(l.datagrams, 8192);
	assert_int_equal(l.prefix[0], 32);
	assert_int_equal(l.prefix[1], 64);
	assert_int_equal(l.small_after, 32);
	assert_int_equal(l.small_mean, 128);
	assert_int_equal(l.least_charge, 2304);
	assert_int_equal(l.events, 100);
	assert_int_equal(l.forget, 600000);
	assert_int_equal(l.allow, 0);
	l = settled(512 * MIB, true);
	assert_int_equal(l.memory[0], 2 * MIB);
}

static void untuned_they_are_the_kernel_s(void)
{
	struct unfrag_guard_limits l = settled(64 * GIB, false);

	assert_int_equal(l.memory[0], 4 * MIB / 8 * 7);
	assert_int_equal(l.timeout[0], 30000);
	assert_int_equal(l.timeout[1], 60000);
}

static void expect_refused(struct unfrag_guard_limits l, struct limits_frame f)
{
	test_err(limits_settle(&l, &f, limits_table(l.datagrams ? l.datagrams : 8192)), -EINVAL);
}

#define REFUSED(...) \
	expect_refused((struct unfrag_guard_limits){ .sz = sizeof(struct unfrag_guard_limits), \
						     __VA_ARGS__ }, \
		       machine(64 * GIB, true))
#define REFUSED_UNTUNED(...) \
	expect_refused((struct unfrag_guard_limits){ .sz = sizeof(struct unfrag_guard_limits), \
						     __VA_ARGS__ }, \
		       machine(64 * GIB, false))

static void contradictions_are_refused(void)
{
	REFUSED(.floor = 2 * MIB + 1);
	REFUSED(.memory = { 0, 127 * KIB });
	REFUSED(.memory = { 40 * GIB, 0 });
	REFUSED(.memory = { UINT64_MAX, 0 });
	REFUSED(.datagrams = 8191);
	REFUSED(.datagrams = 128);
	REFUSED(.datagrams = 1u << 21);
	REFUSED(.share = 101);
	REFUSED(.prefix = { 33, 64 });
	REFUSED(.prefix = { 32, 129 });
	REFUSED(.timeout = { 1500, 3000 });
	REFUSED(.timeout = { 3000, 999 });
	REFUSED(.timeout = { 3600001, 3000 });
	REFUSED(.forget = 999);
	REFUSED(.small_mean = 65536);
	REFUSED(.least_charge = 255);
	REFUSED(.allow = UNFRAG_GUARD_REASON(MEMORY));
	REFUSED_UNTUNED(.memory = { 4 * MIB + 1, 0 });
	REFUSED_UNTUNED(.timeout = { 30000, 59000 });
}

static void a_family_that_is_not_asked_for_is_not_judged(void)
{
	struct unfrag_guard_limits l = { .sz = sizeof(l) };
	struct limits_frame f = machine(64 * GIB, false);

	f.high[1] = f.timeout[1] = -1;
	test_err(limits_settle(&l, &f, 0), -EINVAL);
	l = (struct unfrag_guard_limits){ .sz = sizeof(l) };
	f.families = UNFRAG_FAMILIES_IPV4;
	test_ok(limits_settle(&l, &f, 0));
}

static void what_is_not_to_be_had_is_refused(void)
{
	struct unfrag_guard_limits l = { .sz = sizeof(l) };
	struct limits_frame f = machine(64 * GIB, true);

	f.available = 32 * MIB + limits_table(8192) - 1;
	test_err(limits_settle(&l, &f, limits_table(8192)), -EINVAL);
	f.available++;
	l = (struct unfrag_guard_limits){ .sz = sizeof(l) };
	test_ok(limits_settle(&l, &f, limits_table(8192)));
}

static void the_configuration_tells_the_limits_again(void)
{
	struct unfrag_guard_limits l = settled(64 * GIB, true), back;
	struct guard_config c = { .secret = { 1, 2 } };

	l.memory[1] = 5 * MIB;
	l.timeout[0] = 7000;
	l.prefix[0] = 24;
	l.prefix[1] = 48;
	l.allow = UNFRAG_GUARD_REASON(TINY);
	limits_to_config(&c, &l);
	limits_of_config(&back, &c);
	assert_memory_equal(&l, &back, sizeof(l));
	assert_int_equal(c.secret[1], 2);
	/* As an address is read from a packet. */
	assert_memory_equal(&c.prefix[0][0], "\xff\xff\xff\0", 4);
	assert_memory_equal(c.prefix[1], "\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(c.timeout[0], 7000000000 + 875000000 + 250000000);
	assert_int_equal(c.slot_charge[0], 16 * MIB / 8192);
	assert_int_equal(c.datagram_mask, 255);
	assert_int_equal(c.source_mask, 511);
}

/* Seconds of 1 << 30 ns. */
static void glances_wait_for_datagrams_of_other_sources(void)
{
	const uint64_t second = UINT64_C(1) << 30, now = 1000 * second;
	struct unfrag_guard_limits l = settled(64 * GIB, true);
	struct guard_config old = { .glance = 1 }, c;

	limits_to_config(&old, &l);
	old.timeout[0] = 3 * second;
	old.timeout[1] = 5 * second;
	c = old;
	c.memory[0] /= 2;
	c.timeout[0] = 9 * second;
	assert_int_equal(limits_glance(&c, &old, now), 1);
	/* The longer of both times holds for those of before. */
	c.prefix[1][1] = 1;
	c.glance = limits_glance(&c, &old, now);
	assert_int_equal(c.glance, 1011);
	old.timeout[0] = 20 * second;
	assert_int_equal(limits_glance(&c, &old, now), 1022);
	/* What is waited for already is waited for again, what is over is not. */
	assert_int_equal(limits_glance(&c, &c, now + second), 1012);
	assert_int_equal(limits_glance(&c, &c, 1011 * second), 1011);
}

static void the_kernel_s_limits_have_room_above(void)
{
	struct unfrag_guard_limits l = settled(64 * GIB, true);
	struct sysctl_values now, plan;

	for (int i = 0; i < SYSCTL_MAX; i++)
		now.at[i] = 3;
	now.at[SYSCTL_IPV4_LOW] = 3 * (int64_t)MIB;
	sysctl_plan(&plan, &now, UNFRAG_FAMILIES_IPV4, &l);
	assert_int_equal(plan.at[SYSCTL_IPV4_HIGH], 19 * MIB);
	assert_int_equal(plan.at[SYSCTL_IPV4_DIST], 0);
	/* Is so already; is not in the way; is none of that family. */
	assert_int_equal(plan.at[SYSCTL_IPV4_TIME], -1);
	assert_int_equal(plan.at[SYSCTL_IPV4_LOW], -1);
	assert_int_equal(plan.at[SYSCTL_FRAG6_HIGH], -1);
	l.memory[0] = MIB;
	sysctl_plan(&plan, &now, UNFRAG_FAMILIES_IPV4, &l);
	assert_int_equal(plan.at[SYSCTL_IPV4_HIGH], 2 * MIB + MIB / 8);
	assert_true(plan.at[SYSCTL_IPV4_LOW] > 0 &&
		    plan.at[SYSCTL_IPV4_LOW] < plan.at[SYSCTL_IPV4_HIGH]);
}

static const struct test tests[] = {
	TEST(defaults_fit_the_machine),
	TEST(untuned_they_are_the_kernel_s),
	TEST(contradictions_are_refused),
	TEST(a_family_that_is_not_asked_for_is_not_judged),
	TEST(what_is_not_to_be_had_is_refused),
	TEST(the_configuration_tells_the_limits_again),
	TEST(glances_wait_for_datagrams_of_other_sources),
	TEST(the_kernel_s_limits_have_room_above),
};

TEST_MAIN(tests);
