// SPDX-License-Identifier: GPL-2.0-or-later
#include "ward_stop.h"

#include <errno.h>
#include <string.h>
#include <test.h>

static bool are_as_before(const struct ward *g)
{
	int64_t now[WARD_SYSCTLS];

	ward_read_sysctls(g, now);
	return !memcmp(now, g->sysctls, sizeof(now));
}

static void take_off(const struct ward *g)
{
	struct unfrag_guard *guard;

	test_ok(unfrag_guard_open(&guard, g->path));
	test_ok(unfrag_guard_off(guard));
	unfrag_guard_free(guard);
}

/* Absent, whole or broken; then cleaned. Its state before that, or -ENOENT. */
static int expect_cleanable(const struct ward *g, struct stop_seen *s)
{
	struct unfrag_guard_info info;
	int state = ward_state(g, &info);

	if (state == -ENOENT) {
		s->absent++;
	} else if (state == UNFRAG_STATE_READY) {
		s->ready++;
		assert_false(are_as_before(g));
		assert_int_equal(ward_sysctl(g, "ipfrag_time"), 2);
		ward_exchange(g, AF_INET, 1);
		assert_int_equal(ward_number(g, AF_INET, completed), 1);
	} else {
		s->broken++;
		assert_int_equal(state, UNFRAG_STATE_BROKEN);
		assert_string_not_equal(info.problem, "");
	}
	ward_exchange(g, AF_INET6, 1);
	if (state != -ENOENT)
		take_off(g);
	ward_expect_nothing(g);
	return state;
}

struct stop_seen ward_stop(stop_loop loop, int err)
{
	static const struct stop_world world = { ward_up, ward_down };

	return stop_run(&world, loop, err);
}

/* Memory below the lower threshold: then that one is set, too. */
void ward_stop_on(void *world, int err, struct stop_seen *s, unsigned int n)
{
	struct ward *g = world;
	const char *const args[] = { "guard",       "on",        "--netns",   g->path,
				     "--priority",  g->priority, "--memory",  "1M",
				     "--datagrams", "256",       "--timeout", "2s",
				     NULL };
	struct command c;
	bool going = true;
	int state;

	for (; going; n += STOP_PARTS) {
		going = stop_at_call(&c, s, n, err, args);
		state = expect_cleanable(g, s);
		if (err || !going)
			assert_int_equal(state, c.status ? -ENOENT : UNFRAG_STATE_READY);
	}
}

static void put_on(const struct ward *g, const char *const *devices, uint32_t n)
{
	struct unfrag_guard_limits limits = {
		.sz = sizeof(limits),
		.memory = { 1 << 20, 1 << 20 },
		.timeout = { 2000, 2000 },
		.datagrams = 256,
	};
	struct unfrag_guard_opts opts = {
		.sz = sizeof(opts),
		.netns = g->path,
		.place = n ? UNFRAG_GUARD_XDP : UNFRAG_GUARD_NETFILTER,
		.priority = n ? 0 : atoi(g->priority),
		.devices = devices,
		.device_count = n,
		.limits = &limits,
	};
	struct unfrag_guard *guard;

	test_ok(unfrag_guard_on(&guard, &opts));
	unfrag_guard_free(guard);
}

void ward_stop_off(void *world, int err, struct stop_seen *s, unsigned int n)
{
	struct ward *g = world;
	static const char *const devices[] = { LAB_SERVER_IF };
	const char *const args[] = { "guard", "off", "--netns", g->path, NULL };
	struct command c;
	bool going = true;
	int state;

	for (; going; n += STOP_PARTS) {
		put_on(g, devices, n / STOP_PARTS % 2);
		going = stop_at_call(&c, s, n, err, args);
		state = expect_cleanable(g, s);
		if (!going || (err && !c.status))
			assert_int_equal(state, -ENOENT);
	}
}

/* Never counts on more than the kernel has, and all is put back by "off". */
static void expect_strict(const struct ward *g)
{
	struct unfrag_guard_limits limits = { .sz = sizeof(limits) };
	struct unfrag_guard *guard;

	assert_int_equal(ward_state(g, NULL), UNFRAG_STATE_READY);
	test_ok(unfrag_guard_open(&guard, g->path));
	test_ok(unfrag_guard_get_limits(guard, &limits));
	unfrag_guard_free(guard);
	assert_true((int64_t)limits.memory[0] < ward_sysctl(g, "ipfrag_high_thresh"));
	assert_true((int64_t)limits.timeout[0] >= ward_sysctl(g, "ipfrag_time") * 1000);
	assert_true((int64_t)limits.timeout[1] >=
		    ward_sysctl(g, "nf_conntrack_frag6_timeout") * 1000);
}

static void tune_back(const struct ward *g, uint64_t memory, uint64_t timeout)
{
	struct unfrag_guard_limits limits = {
		.sz = sizeof(limits),
		.memory = { memory, memory },
		.timeout = { timeout, timeout },
	};
	struct unfrag_guard *guard;

	test_ok(unfrag_guard_open(&guard, g->path));
	test_ok(unfrag_guard_tune(guard, &limits));
	unfrag_guard_free(guard);
}

/* Up and down in turn, memory against timeout: the stricter side changes, too. */
void ward_stop_tune(void *world, int err, struct stop_seen *s, unsigned int n)
{
	struct ward *g = world;
	static const char *const memory[] = { "1M", "32M" }, *const timeout[] = { "5s", "2s" };
	static const uint64_t bytes[] = { 1 << 20, 32 << 20 }, ms[] = { 5000, 2000 };
	struct command c;
	bool going = true;

	put_on(g, NULL, 0);
	for (; going; n += STOP_PARTS) {
		int to = (int)(n / STOP_PARTS % 2);
		const char *const args[] = { "guard",     "tune",      "--netns",
					     g->path,     "--memory",  memory[to],
					     "--timeout", timeout[to], NULL };

		tune_back(g, bytes[!to], ms[!to]);
		going = stop_at_call(&c, s, n, err, args);
		expect_strict(g);
		if (err && c.status)
			assert_int_equal(ward_number(g, AF_INET, memory_limit), bytes[!to]);
	}
	take_off(g);
	ward_expect_nothing(g);
}
