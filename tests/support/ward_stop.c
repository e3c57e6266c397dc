// SPDX-License-Identifier: GPL-2.0-or-later
#include "ward_stop.h"

#include <child.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <test.h>

/* More than any word has; a bound for the loops below. */
#define CALLS_MAX 300

#define PARTS   2
#define PART_MS 170000

void ward_report(const char *what, const struct ward_seen *s)
{
	printf("# %s: stopped at %u calls; failed %u; then absent %u, broken %u, ready %u\n", what,
	       s->points, s->failed, s->absent, s->broken, s->ready);
}

/* Runs a word that is stopped at its n-th call. False when it came to its end before. */
static bool stopped(struct command *c, struct ward_seen *s, unsigned int n, int err,
		    const char *const *args)
{
	assert_true(n <= CALLS_MAX);
	memset(c, 0, sizeof(*c));
	c->stop_at = n;
	c->stop_errno = err;
	command_v(c, args);
	if (c->calls < n) {
		assert_int_equal(c->status, 0);
		return false;
	}
	s->points++;
	if (!err)
		assert_int_equal(c->status, 128 + 9);
	else if (c->status) {
		if (c->status != 1 || !strstr(c->err, "unfrag: "))
			printf("# call %u, %s, failed\n", c->stop_at, command_stopped(c));
		command_expect(c, 1, "unfrag: ");
	}
	s->failed += err && c->status;
	return true;
}

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
static int expect_cleanable(const struct ward *g, struct ward_seen *s)
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

/* Every part in a world of its own. */
static void __attribute__((noreturn))
part(ward_loop loop, int err, struct ward_seen *s, unsigned int n)
{
	void *ward = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	life_begin_anew();
	ward_up(&ward);
	loop(ward, err, s, n);
	ward_down(ward);
	fflush(stdout);
	_exit(0);
}

/* Loops take every second call, by two processes: most of the time is spent in single commands. */
struct ward_seen ward_stop(ward_loop loop, int err)
{
	struct ward_seen *seen, sum = { 0 };
	pid_t pids[PARTS];

	life_begin();
	seen = mmap(NULL, PARTS * sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	assert_true(seen != MAP_FAILED);
	fflush(stdout);
	for (unsigned int i = 0; i < PARTS; i++) {
		pids[i] = fork();
		if (!pids[i])
			part(loop, err, &seen[i], i + 1);
	}
	for (int i = 0; i < PARTS; i++) {
		assert_true(pids[i] > 0);
		assert_int_equal(lab_child_wait(pids[i], PART_MS), 0);
		sum.points += seen[i].points;
		sum.absent += seen[i].absent;
		sum.broken += seen[i].broken;
		sum.ready += seen[i].ready;
		sum.failed += seen[i].failed;
	}
	munmap(seen, PARTS * sizeof(*seen));
	return sum;
}

/* Memory below the lower threshold: then that one is set, too. */
void ward_stop_on(struct ward *g, int err, struct ward_seen *s, unsigned int n)
{
	const char *const args[] = { "guard",       "on",        "--netns",   g->path,
				     "--priority",  g->priority, "--memory",  "1M",
				     "--datagrams", "256",       "--timeout", "2s",
				     NULL };
	struct command c;
	bool going = true;
	int state;

	for (; going; n += PARTS) {
		going = stopped(&c, s, n, err, args);
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

void ward_stop_off(struct ward *g, int err, struct ward_seen *s, unsigned int n)
{
	static const char *const devices[] = { LAB_SERVER_IF };
	const char *const args[] = { "guard", "off", "--netns", g->path, NULL };
	struct command c;
	bool going = true;
	int state;

	for (; going; n += PARTS) {
		put_on(g, devices, n / PARTS % 2);
		going = stopped(&c, s, n, err, args);
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
void ward_stop_tune(struct ward *g, int err, struct ward_seen *s, unsigned int n)
{
	static const char *const memory[] = { "1M", "32M" }, *const timeout[] = { "5s", "2s" };
	static const uint64_t bytes[] = { 1 << 20, 32 << 20 }, ms[] = { 5000, 2000 };
	struct command c;
	bool going = true;

	put_on(g, NULL, 0);
	for (; going; n += PARTS) {
		int to = (int)(n / PARTS % 2);
		const char *const args[] = { "guard",     "tune",      "--netns",
					     g->path,     "--memory",  memory[to],
					     "--timeout", timeout[to], NULL };

		tune_back(g, bytes[!to], ms[!to]);
		going = stopped(&c, s, n, err, args);
		expect_strict(g);
		if (err && c.status)
			assert_int_equal(ward_number(g, AF_INET, memory_limit), bytes[!to]);
	}
	take_off(g);
	ward_expect_nothing(g);
}
