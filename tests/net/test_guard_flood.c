// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard amid floods, in short: a router that puts packets together, a real DNS server behind it
 * whose large answers come in fragments, and an attacker. Without the guard next to none of them
 * comes through, with it nearly all. ./dev bench flood has more kinds, rates and figures.
 */
#include <demo_dns.h>
#include <errno.h>
#include <lab.h>
#include <poll.h>
#include <test.h>
#include <unfrag/guard_stats.h>
#include <unfrag/unfrag.h>

#define RATE           2000  /* fragments a second */
#define HEAD           20000 /* and at once at the start: more than the kernel holds */
#define HEAD_MS        30000
#define QUESTIONS      50
#define HALF           (QUESTIONS / 2)
#define NEARLY_ALL     (QUESTIONS * 8 / 10)
#define EACH_FAMILY(f) for (int f = AF_INET; f; f = f == AF_INET ? AF_INET6 : 0)

struct field {
	struct lab_router *router;
	struct lab_ns *evil;
	struct demo_dns *dns;
	struct unfrag_hold *hold;
	struct unfrag_guard *guard;
	struct lab_attack *attack;
};

static void teardown(void *state)
{
	struct field *f = state;

	if (!f)
		return;
	lab_attack_stop(f->attack);
	if (f->guard)
		unfrag_guard_off(f->guard);
	unfrag_guard_free(f->guard);
	unfrag_defrag_release(f->hold);
	demo_dns_free(f->dns);
	lab_ns_free(f->evil);
	lab_router_free(f->router);
	free(f);
}

static void setup(void **state)
{
	struct unfrag_hold_opts opts = { .sz = sizeof(opts) };
	struct field *f;

	test_require_root();
	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	*state = f;
	test_ok(lab_router_new(&f->router));
	test_ok(lab_evil_new(&f->evil, f->router));
	test_ok(demo_dns_new(&f->dns, f->router));
	opts.netns = lab_ns_path(f->router->middle);
	test_ok(unfrag_defrag_hold(&f->hold, &opts));
}

static uint32_t answers(const struct field *f, int family)
{
	struct lab_asked asked;

	test_ok(lab_ask(&asked, f->router->client, family, lab_client_addr(family),
			lab_server_addr(family), "t4000", 4000, 100, QUESTIONS));
	assert_int_equal(asked.asked, QUESTIONS);
	return asked.answered;
}

static void attack(struct field *f, enum lab_attack_kind kind, int family)
{
	int64_t deadline = lab_now_ms() + HEAD_MS;

	test_ok(lab_attack_start(&f->attack, f->evil, kind, family, RATE, HEAD));
	while (lab_attack_sent(f->attack) < HEAD) {
		assert_true(lab_ms_left(deadline) > 0);
		poll(NULL, 0, 10);
	}
}

static void end_attack(struct field *f)
{
	lab_attack_stop(f->attack);
	f->attack = NULL;
}

static void honest_answers_come_through(struct field *f, enum lab_attack_kind kind)
{
	struct unfrag_guard_opts opts = { .sz = sizeof(opts),
					  .netns = lab_ns_path(f->router->middle) };
	struct unfrag_guard_stats stats = { .sz = sizeof(stats) };

	test_ok(unfrag_guard_on(&f->guard, &opts));
	EACH_FAMILY(family)
	{
		assert_true(answers(f, family) >= NEARLY_ALL); /* in standing from here on */
		attack(f, kind, family);
		assert_true(answers(f, family) >= NEARLY_ALL);
		end_attack(f);
		test_ok(unfrag_guard_stats(f->guard,
					   family == AF_INET ? UNFRAG_FAMILIES_IPV4 :
							       UNFRAG_FAMILIES_IPV6,
					   &stats));
		assert_true(stats.refused > HEAD / 2);
		assert_true(stats.memory <= stats.memory_limit);
		assert_true(stats.kernel_memory <= stats.kernel_limit);
	}
}

static void from_one_source(void *state)
{
	honest_answers_come_through(state, LAB_ATTACK_FIRST);
}

static void from_many_sources(void *state)
{
	honest_answers_come_through(state, LAB_ATTACK_MANY);
}

static void from_any_source(void *state)
{
	honest_answers_come_through(state, LAB_ATTACK_ANY);
}

static void of_broken_fragments(void *state)
{
	honest_answers_come_through(state, LAB_ATTACK_BROKEN);
}

/* The same floods are real: without the guard they stop nearly everything. */
static void without_the_guard_all_is_lost(void *state)
{
	struct field *f = state;

	EACH_FAMILY(family)
	{
		assert_true(answers(f, family) >= NEARLY_ALL);
		attack(f, LAB_ATTACK_FIRST, family);
		assert_true(answers(f, family) < HALF);
		end_attack(f);
	}
}

#define FLOOD_TEST(fn) TEST_WITH(fn, setup, teardown)

static const struct test tests[] = {
	FLOOD_TEST(from_one_source),
	FLOOD_TEST(from_many_sources),
	FLOOD_TEST(from_any_source),
	FLOOD_TEST(of_broken_fragments),
	FLOOD_TEST(without_the_guard_all_is_lost),
};

TEST_MAIN(tests);
