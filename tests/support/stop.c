// SPDX-License-Identifier: GPL-2.0-or-later
#include "stop.h"

#include <child.h>
#include <life.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <test.h>

/* More than any verb has, and any function; bounds for the loops. */
#define CALLS_MAX 2000

#define PART_MS       550000 /* less than an executable may take */
#define PART_EVERY_MS 590000 /* with every call */

static bool every_call(void)
{
	return getenv("UNFRAG_EVERY_CALL");
}

unsigned int stop_stride(void)
{
	return every_call() ? STOP_PARTS : 3 * STOP_PARTS;
}

unsigned int stop_stride_of(unsigned int n, unsigned int from)
{
	unsigned int parts = every_call() ? 1 : n < from ? 64 : 7;

	if (n < from && n + parts * STOP_PARTS > from)
		parts = (from - n) / STOP_PARTS;
	return (parts ? parts : 1) * STOP_PARTS;
}

void stop_report(const char *what, const struct stop_seen *s)
{
	printf("# %s: stopped at %u calls; failed %u; then absent %u, broken %u, ready %u\n", what,
	       s->points, s->failed, s->absent, s->broken, s->ready);
}

/* A failure comes with words of the command's own. */
static void expect_said(const struct command *c)
{
	if (c->status != 1 || !strstr(c->err, "unfrag: "))
		printf("# call %u, %s, failed\n", c->stop_at, command_stopped(c));
	command_expect(c, 1, "unfrag: ");
}

static bool stop(struct command *c, struct stop_seen *s, unsigned int n, int err,
		 const char *const *args)
{
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
	s->failed += err && c->status;
	return true;
}

bool stop_at_call(struct command *c, struct stop_seen *s, unsigned int n, int err,
		  const char *const *args)
{
	assert_true(n <= CALLS_MAX);
	memset(c, 0, sizeof(*c));
	if (!stop(c, s, n, err, args))
		return false;
	if (err && c->status)
		expect_said(c);
	return true;
}

bool stop_function(struct command *c, struct stop_seen *s, unsigned int n, int err,
		   int (*call)(void *arg), void *arg)
{
	static const char *const none[] = { NULL };

	assert_true(n <= CALLS_MAX);
	memset(c, 0, sizeof(*c));
	c->call = call;
	c->arg = arg;
	return stop(c, s, n, err, none);
}

static void __attribute__((noreturn))
part(const struct stop_world *world, stop_loop loop, int err, struct stop_seen *s, unsigned int n)
{
	void *state = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	life_begin_anew();
	world->up(&state);
	loop(state, err, s, n);
	world->down(state);
	fflush(stdout);
	_exit(0);
}

static void add(struct stop_seen *sum, const struct stop_seen *s)
{
	sum->points += s->points;
	sum->absent += s->absent;
	sum->broken += s->broken;
	sum->ready += s->ready;
	sum->failed += s->failed;
}

struct stop_seen stop_run(const struct stop_world *world, stop_loop loop, int err)
{
	struct stop_seen *seen, sum = { 0 };
	pid_t pids[STOP_PARTS];
	unsigned int i;

	life_begin();
	seen = mmap(NULL, STOP_PARTS * sizeof(*seen), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(seen != MAP_FAILED);
	fflush(stdout);
	for (i = 0; i < STOP_PARTS; i++) {
		pids[i] = fork();
		if (!pids[i])
			part(world, loop, err, &seen[i], i + 1);
	}
	for (i = 0; i < STOP_PARTS; i++) {
		assert_true(pids[i] > 0);
		assert_int_equal(lab_child_wait(pids[i], every_call() ? PART_EVERY_MS : PART_MS),
				 0);
		add(&sum, &seen[i]);
	}
	munmap(seen, STOP_PARTS * sizeof(*seen));
	return sum;
}
