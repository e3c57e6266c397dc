// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floods with the glance and without it: the same verdicts, reasons and counters, and the same
 * tables after all. Natively, which needs no privilege, and at all three places.
 */
#include <guarded.h>
#include <stdlib.h>

#include "../../src/guard/native.h"
#include "../../src/lib/guard_limits.h"

#define TCP      6
#define UDP      17
#define ICMPV6   58
#define FRAGMENT 44

#define OPEN  8  /* datagrams at a time */
#define KNOWN 12 /* sources that complete datagrams now and then */

struct fixture {
	struct guarded with, without;
	struct lab_random random;
	uint32_t seen[UNFRAG_REASON_MAX];
	bool glances_may_stop;
};

static void setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	assert_non_null(*state);
}

static void teardown(void *state)
{
	struct fixture *f = state;

	if (f) {
		guarded_close(&f->with);
		guarded_close(&f->without);
	}
	free(f);
}

static void begin(struct fixture *f, bool bpf, uint32_t events)
{
	struct guard_config config;

	f->random.state = 815;
	usual_limits(&config, 8);
	config.events = events;
	guarded_open(&f->with, &config, bpf);
	config.glance = 0;
	guarded_open(&f->without, &config, bpf);
}

static uint32_t see(struct fixture *f, const struct lab_datagram *dg, size_t off, size_t len,
		    bool more)
{
	uint32_t reason = guarded_see_at(&f->with, dg, off, len, more);

	assert_int_equal(guarded_see_at(&f->without, dg, off, len, more), reason);
	f->seen[reason]++;
	return reason;
}

static uint64_t below(struct fixture *f, uint64_t n)
{
	return lab_random_below(&f->random, n);
}

/* known: one of a few sources, else any. Its payload is a UDP header and zeroes. */
static void make(struct fixture *f, struct lab_datagram *dg, bool known)
{
	static const uint8_t payload[65535] = { 0x12, 0x34, 0, 53, 0xff, 0, 0, 0 };
	static const uint8_t protocols[] = { UDP, UDP, UDP, TCP, ICMPV6, FRAGMENT };
	int family = below(f, 2) ? AF_INET : AF_INET6;
	uint8_t *address;
	int i;

	test_ok(lab_datagram_init(dg, family, family == AF_INET ? "192.0.2.1" : "2001:db8::1",
				  family == AF_INET ? "198.51.100.1" : "2001:db8:1::1"));
	dg->payload = payload;
	dg->payload_len = sizeof(payload);
	dg->protocol = protocols[below(f, known ? 1 : sizeof(protocols))];
	dg->identification = (uint32_t)lab_random_next(&f->random);
	dg->df = family == AF_INET && !below(f, 8);
	address = dg->src.s6_addr + (family == AF_INET ? 0 : 4);
	address[3] = (uint8_t)below(f, KNOWN);
	for (i = 1; i < 4 && !known; i++)
		address[i] = (uint8_t)lab_random_next(&f->random);
}

/* All of a datagram, or all but its end. */
static void see_known(struct fixture *f)
{
	struct lab_datagram dg;

	make(f, &dg, true);
	see(f, &dg, 0, 1200, true);
	see(f, &dg, 1200, 1200, true);
	if (below(f, 4))
		see(f, &dg, 2400, 300, false);
}

/* One fragment, and now and then more of the same datagram. */
static void see_flood(struct fixture *f)
{
	struct lab_datagram dg;
	size_t off = below(f, 3) ? 0 : 8 * below(f, 8190), len = 1 + below(f, 60);

	make(f, &dg, false);
	if (below(f, 4))
		len = 8 * len;
	if (below(f, 2))
		off = below(f, 3) * 8;
	see(f, &dg, off, len, below(f, 4));
	while (!below(f, 4))
		see(f, &dg, 8 * below(f, 20), 8 * (1 + below(f, 20)), below(f, 4));
}

static void pass_time(struct fixture *f)
{
	uint64_t ns = below(f, 30) ? 0 : below(f, 100) ? below(f, 3000000) : below(f, 2000000000);

	f->with.now += ns;
	f->without.now += ns;
}

static void flood(struct fixture *f, uint32_t turns)
{
	uint32_t i;

	for (i = 0; i < turns; i++) {
		if (below(f, 40))
			see_flood(f);
		else
			see_known(f);
		pass_time(f);
	}
	guarded_same(&f->with, &f->without);
	assert_int_equal(f->without.glances, 0);
	if (f->glances_may_stop)
		return;
	assert_true(f->with.glances > turns / 4);
	assert_true(f->seen[UNFRAG_REASON_MEMORY] > f->with.glances / 2);
	assert_true(f->seen[UNFRAG_REASON_NONE] > turns / 50);
}

static void a_glance_changes_nothing_natively(void *state)
{
	struct fixture *f = state;

	begin(f, false, 0);
	flood(f, 200000);
}

/* With refusals to be told, and without. */
static void a_glance_changes_nothing_anywhere(void *state)
{
	static const uint32_t events[] = { 0, 5 };
	struct fixture *f = state;
	size_t i;

	test_require_root();
	for (i = 0; i < 2; i++) {
		begin(f, true, events[i]);
		flood(f, 10000);
		guarded_close(&f->with);
		guarded_close(&f->without);
	}
}

/* Both as `tune` changes them: see there. */
static void tune(struct fixture *f, const struct unfrag_guard_limits *limits)
{
	struct guard_config old = f->with.native->config, config = old;

	limits_to_config(&config, limits);
	config.glance = limits_glance(&config, &old, f->with.now);
	guarded_tune(&f->with, &config);
	config.glance = 0;
	guarded_tune(&f->without, &config);
}

static uint64_t glances_of(struct fixture *f, uint32_t turns)
{
	uint64_t before = f->with.glances;

	f->glances_may_stop = true;
	flood(f, turns);
	return f->with.glances - before;
}

/* Until all datagrams are over, and fragments have come that ended them. */
static void wait(struct fixture *f)
{
	uint32_t i;

	f->with.now += 10 * USUAL_SECOND;
	for (i = 0; i < 50; i++) {
		f->with.now += USUAL_SECOND / 500;
		f->without.now = f->with.now;
		see_flood(f);
	}
}

/* Datagrams in progress while limits change, amid a flood, come to their end. */
static void change_amid(struct fixture *f, const struct unfrag_guard_limits *l, uint32_t turns)
{
	struct lab_datagram open[OPEN];
	bool begun[OPEN];
	uint32_t i, n = 0;

	wait(f);
	for (i = 0; i < OPEN; i++) {
		make(f, &open[i], true);
		begun[i] = see(f, &open[i], 0, 1200, true) == UNFRAG_REASON_NONE;
		n += begun[i];
	}
	assert_true(n > 0);
	for (i = 0; i < turns; i++)
		see_flood(f);
	tune(f, l);
	for (i = 0; i < OPEN; i++) {
		see_flood(f);
		assert_true(see(f, &open[i], 1200, 300, false) == UNFRAG_REASON_NONE || !begun[i]);
	}
}

static void less_memory(struct unfrag_guard_limits *l)
{
	l->memory[0] /= 2;
	l->memory[1] /= 4;
}

static void more_memory(struct unfrag_guard_limits *l)
{
	l->memory[0] *= 2;
	l->memory[1] *= 2;
}

static void a_smaller_share(struct unfrag_guard_limits *l)
{
	l->share = 20;
}

static void no_floor(struct unfrag_guard_limits *l)
{
	l->floor = 1;
}

static void more_truesize(struct unfrag_guard_limits *l)
{
	l->least_charge = 4608;
}

static void a_larger_mean(struct unfrag_guard_limits *l)
{
	l->small_after = 2;
	l->small_mean = 256;
}

static void rules_off(struct unfrag_guard_limits *l)
{
	l->allow = UNFRAG_GUARD_RULES;
}

static void a_longer_timeout(struct unfrag_guard_limits *l)
{
	l->timeout[0] = 5000;
}

static void a_short_memory(struct unfrag_guard_limits *l)
{
	l->forget = 1000;
	l->events = 1;
}

/* One option after another that may change at run time. */
static void (*const changes[])(struct unfrag_guard_limits *l) = {
	less_memory,   more_memory, a_smaller_share,  no_floor,       more_truesize,
	a_larger_mean, rules_off,   a_longer_timeout, a_short_memory,
};

#define CHANGES (sizeof(changes) / sizeof(changes[0]))

static void change_all(struct fixture *f, uint32_t turns)
{
	struct unfrag_guard_limits l;
	size_t i;

	limits_of_config(&l, &f->with.native->config);
	for (i = 0; i < CHANGES; i++) {
		changes[i](&l);
		change_amid(f, &l, turns);
		assert_true(glances_of(f, turns) > turns / 2);
	}
}

/* Sources become others, so glances wait until all datagrams of before are over. */
static void change_prefixes(struct fixture *f, uint32_t turns)
{
	struct unfrag_guard_limits l;
	int i;

	limits_of_config(&l, &f->with.native->config);
	for (i = 0; i < 2; i++) {
		l.prefix[0] = i ? 32 : 25;
		l.prefix[1] = i ? 64 : 57;
		change_amid(f, &l, turns);
		assert_int_equal(glances_of(f, 50), 0);
		wait(f);
		assert_true(glances_of(f, turns) > turns / 2);
	}
}

static void a_glance_follows_what_is_tuned_natively(void *state)
{
	struct fixture *f = state;

	begin(f, false, 0);
	flood(f, 4000);
	change_all(f, 4000);
	change_prefixes(f, 4000);
}

static void a_glance_follows_what_is_tuned_anywhere(void *state)
{
	struct fixture *f = state;

	test_require_root();
	begin(f, true, 0);
	flood(f, 1000);
	change_all(f, 300);
	change_prefixes(f, 300);
}

/* Who has a datagram in progress is seen, even where a set has no place left for its source. */
static void a_glance_knows_the_account_in_common(void *state)
{
	struct fixture *f = state;
	struct lab_datagram dg;
	uint32_t i, k;

	begin(f, false, 0);
	make(f, &dg, true);
	/* Sources in standing, in all places of all sets. */
	for (i = 0; i < 4000; i++) {
		make(f, &dg, false);
		dg.protocol = UDP;
		see(f, &dg, 0, 1200, true);
		see(f, &dg, 1200, 1200, false);
	}
	for (i = 0; i < 4000; i++) {
		make(f, &dg, false);
		dg.protocol = UDP;
		for (k = 0; k < 3; k++)
			see(f, &dg, k * 1200, 1200, k < 2 || below(f, 2));
	}
	guarded_same(&f->with, &f->without);
	assert_true(f->seen[UNFRAG_REASON_MEMORY] > 100);
}

static const struct test tests[] = {
	TEST_WITH(a_glance_changes_nothing_natively, setup, teardown),
	TEST_WITH(a_glance_changes_nothing_anywhere, setup, teardown),
	TEST_WITH(a_glance_follows_what_is_tuned_natively, setup, teardown),
	TEST_WITH(a_glance_follows_what_is_tuned_anywhere, setup, teardown),
	TEST_WITH(a_glance_knows_the_account_in_common, setup, teardown),
};

TEST_MAIN(tests);
