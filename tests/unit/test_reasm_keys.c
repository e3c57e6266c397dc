// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What tells datagrams apart, and for how long: keys (case 4) and time (case 5).
 */
#include <string.h>

#include <engine.h>

/* Whether a second half that differs in something is of another datagram than the first. */
static bool apart(struct engine *e, const struct lab_datagram *a, const struct lab_datagram *b)
{
	int outcome;

	engine_push_at(e, a, 0, 800, true);
	outcome = engine_push_at(e, b, 800, 200, false);
	while (unfrag_reasm_flush(e->r, 1))
		engine_take_fates(e);
	return outcome == UNFRAG_REASM_HELD;
}

static void the_key_is_addresses_identification_and_scope(void)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct lab_datagram a, b;
	struct engine e;
	size_t i;

	engine_open(&e, NULL);
	for (i = 0; i < 2; i++) {
		make_datagram(&a, families[i], 1000, 1);
		b = a;
		assert_false(apart(&e, &a, &b));
		b.identification = 2;
		assert_true(apart(&e, &a, &b));
		b = a;
		b.src.s6_addr[2] ^= 1;
		assert_true(apart(&e, &a, &b));
		b = a;
		b.dst.s6_addr[3] ^= 1;
		assert_true(apart(&e, &a, &b));
		engine_push_at(&e, &a, 0, 800, true);
		e.scope = 100;
		assert_int_equal(engine_push_at(&e, &a, 800, 200, false), UNFRAG_REASM_HELD);
		e.scope = 0;
		assert_int_equal(engine_push_at(&e, &a, 800, 200, false), UNFRAG_REASM_COMPLETE);
	}
	engine_close(&e);
}

static void the_protocol_is_of_the_key_in_ipv4_only(void)
{
	struct lab_datagram a, b;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&a, AF_INET, 1000, 1);
	b = a;
	b.protocol = 89;
	assert_true(apart(&e, &a, &b));
	make_datagram(&a, AF_INET6, 1000, 1);
	b = a;
	b.protocol = 89;
	assert_false(apart(&e, &a, &b));
	engine_push_at(&e, &b, 800, 200, false);
	engine_push_at(&e, &a, 0, 800, true);
	engine_assert_whole(&e, &a); /* the first fragment says what it is */
	engine_close(&e);
}

static void the_families_never_meet(void)
{
	struct lab_datagram a, b;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&a, AF_INET, 1000, 0);
	make_datagram(&b, AF_INET6, 1000, 0);
	memset(&a.src, 0, sizeof(a.src));
	memset(&a.dst, 0, sizeof(a.dst));
	memset(&b.src, 0, sizeof(b.src));
	memset(&b.dst, 0, sizeof(b.dst));
	assert_true(apart(&e, &a, &b));
	assert_true(apart(&e, &b, &a));
	engine_close(&e);
}

static void a_key_is_free_again_once_its_datagram_is_whole(void)
{
	struct lab_datagram dg;
	struct engine e;
	int i;

	engine_open(&e, NULL);
	for (i = 0; i < 5; i++) {
		make_datagram(&dg, AF_INET, 1000 + (size_t)i, 1);
		engine_push_at(&e, &dg, 0, 800, true);
		engine_push_at(&e, &dg, 800, 200 + (size_t)i, false);
		engine_assert_whole(&e, &dg);
	}
	engine_close(&e);
}

static void a_key_used_again_too_early_gives_nothing(void)
{
	static unsigned char other[1000];
	struct lab_datagram a, b;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&a, AF_INET, 1000, 1);
	b = a;
	b.payload = other;
	engine_push_at(&e, &a, 0, 800, true);
	engine_push_at(&e, &b, 0, 800, true);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERLAP);
	engine_push_at(&e, &a, 800, 200, false);
	engine_assert_dropped(&e, UNFRAG_REASON_REFUSED);
	engine_push_at(&e, &b, 800, 200, false);
	engine_assert_dropped(&e, UNFRAG_REASON_REFUSED);
	engine_close(&e);
}

/* RFC 4963: the first half of one datagram waits while its source goes once around. */
static void a_stale_first_fragment_gets_no_mate(void)
{
	struct lab_datagram dg;
	struct engine e;
	uint32_t i;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 0);
	engine_push_at(&e, &dg, 0, 800, true);
	for (i = 1; i < 65536; i++) {
		dg.identification = i;
		e.now += 10000;
		engine_push_at(&e, &dg, 0, 800, true);
		engine_push_at(&e, &dg, 800, 200, false);
	}
	dg.identification = 0;
	assert_int_equal(engine_push_at(&e, &dg, 800, 200, false), UNFRAG_REASM_HELD);
	assert_int_equal(e.fate.reason, UNFRAG_REASON_STALE);
	engine_push_at(&e, &dg, 0, 800, true);
	engine_assert_whole(&e, &dg);
	engine_close(&e);
}

static void check_deadline(int family, uint64_t timeout)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, family, 1000, 1);
	engine_push_at(&e, &dg, 0, 400, true);
	assert_true(unfrag_reasm_deadline(e.r) == e.now + timeout);
	e.now += timeout / 2;
	engine_push_at(&e, &dg, 400, 400, true); /* does not renew it */
	e.now += timeout - timeout / 2 - 1;
	assert_int_equal(unfrag_reasm_expire(e.r, e.now, 9), 0);
	engine_push_at(&e, &dg, 800, 200, false); /* one tick before */
	engine_assert_whole(&e, &dg);
	assert_int_equal(e.res.age, timeout - 1);
	engine_push_at(&e, &dg, 0, 400, true);
	engine_push_at(&e, &dg, 400, 400, true);
	e.now += timeout;
	assert_int_equal(engine_push_at(&e, &dg, 800, 200, false),
			 UNFRAG_REASM_HELD); /* too late */
	assert_int_equal(e.fate.reason, UNFRAG_REASON_TIMEOUT);
	assert_int_equal(e.fate.fragments, 2);
	assert_int_equal(e.fate.age, timeout);
	e.now += timeout;
	assert_int_equal(unfrag_reasm_expire(e.r, e.now, 9), 1);
	engine_take_fates(&e);
	assert_int_equal(e.fates, 2);
	engine_close(&e);
}

static void the_timer_runs_from_the_first_fragment(void)
{
	check_deadline(AF_INET, UNFRAG_REASM_IPV4_TIMEOUT);
	check_deadline(AF_INET6, UNFRAG_REASM_IPV6_TIMEOUT);
}

static void a_clock_that_steps_back_a_little_stands_still(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 1);
	engine_push_at(&e, &dg, 0, 400, true);
	e.now -= 20 * SECOND;
	engine_push_at(&e, &dg, 400, 400, true);
	e.now += 20 * SECOND + UNFRAG_REASM_IPV4_TIMEOUT - 1;
	engine_push_at(&e, &dg, 800, 200, false);
	engine_assert_whole(&e, &dg);
	engine_close(&e);
}

static void a_clock_that_steps_back_far_goes_on_from_there(void)
{
	struct lab_datagram dg;
	struct engine e;

	engine_open(&e, NULL);
	make_datagram(&dg, AF_INET, 1000, 1);
	engine_push_at(&e, &dg, 0, 400, true);
	e.now -= 900 * SECOND;
	engine_push_at(&e, &dg, 400, 400, true);
	assert_true(unfrag_reasm_deadline(e.r) == e.now + UNFRAG_REASM_IPV4_TIMEOUT);
	e.now += UNFRAG_REASM_IPV4_TIMEOUT;
	assert_int_equal(unfrag_reasm_expire(e.r, e.now, 9), 1);
	engine_take_fates(&e);
	assert_int_equal(e.fate.reason, UNFRAG_REASON_TIMEOUT);
	engine_close(&e);
}

static const struct test tests[] = {
	TEST(the_key_is_addresses_identification_and_scope),
	TEST(the_protocol_is_of_the_key_in_ipv4_only),
	TEST(the_families_never_meet),
	TEST(a_key_is_free_again_once_its_datagram_is_whole),
	TEST(a_key_used_again_too_early_gives_nothing),
	TEST(a_stale_first_fragment_gets_no_mate),
	TEST(the_timer_runs_from_the_first_fragment),
	TEST(a_clock_that_steps_back_a_little_stands_still),
	TEST(a_clock_that_steps_back_far_goes_on_from_there),
};

TEST_MAIN(tests);
