// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pass over a capture: packets are read and handed to the judge until there are no more, and
 * then what waits is brought to its end.
 */
#include "capture.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "input.h"
#include "judge.h"

#define PROGRESS_CHECK  4096u /* packets */
#define PROGRESS_PERIOD UINT64_C(250000000)
#define PROGRESS_BEGIN  UINT64_C(1000000000)

struct capture {
	const struct capture_opts *o;
	struct capture_stats *stats;
	struct trouble *trouble;
	struct input *in;
	struct sink *sink;
	struct judge *judge;
	uint64_t progress;
	int unread; /* the input could not be read to its end: -errno */
};

static uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static void say_progress(struct capture *c, bool idle)
{
	uint64_t now;

	if (!c->o->on_progress || (c->stats->packets % PROGRESS_CHECK && !idle))
		return;
	now = clock_now();
	if (now < c->progress)
		return;
	c->progress = now + PROGRESS_PERIOD;
	c->o->on_progress(input_percent(c->in), c->stats, c->o->arg);
}

static void note_time(struct capture_stats *s, uint64_t time)
{
	if (!s->packets || time < s->first)
		s->first = time;
	if (time > s->last)
		s->last = time;
}

static bool told_to_stop(const struct capture *c)
{
	return (c->o->stop && *c->o->stop) || (c->o->count && c->stats->packets >= c->o->count);
}

/* A signal that tells to stop is also what makes reading fail. */
static void end_of_input(struct capture *c, int r)
{
	if (told_to_stop(c))
		c->trouble->text[0] = '\0';
	else
		c->unread = r;
}

static int take(struct capture *c, const struct packet *p)
{
	note_time(c->stats, p->time);
	c->stats->packets++;
	return judge_packet(c->judge, p);
}

/* Whoever reads what is written sees all that there is to see. */
static int rest(struct capture *c, uint64_t now)
{
	int r = judge_time(c->judge, now);

	return r ? r : sink_flush(c->sink, c->trouble);
}

static int read_all(struct capture *c)
{
	struct packet p;
	int r = 0, state;

	while (!r && !told_to_stop(c)) {
		state = input_next(c->in, &p, c->trouble);
		if (state <= INPUT_END) {
			end_of_input(c, state);
			return 0;
		}
		r = state == INPUT_PACKET ? take(c, &p) : rest(c, p.time);
		say_progress(c, state == INPUT_IDLE);
	}
	return r;
}

/* What was read is brought to its end, even if there is more that could not be read. */
static int finish(struct capture *c)
{
	int r = judge_finish(c->judge);

	c->stats->lost = input_lost(c->in);
	return r ? r : sink_finish(c->sink, c->trouble);
}

static int open_output(struct capture *c, const struct link **link)
{
	const struct sink_opts opts = {
		.name = c->o->out,
		.filter = c->o->filter,
		.link = input_link(c->in),
		.snap = input_snap(c->in),
		.input = input_fd(c->in),
		.nanoseconds = input_has_nanoseconds(c->in),
	};

	c->stats->snap = (uint32_t)opts.snap;
	*link = link_of(opts.link);
	if (!*link)
		return trouble(c->trouble, -EINVAL,
			       "'%s' has link type %d, which is not one that unfrag reads",
			       c->o->in, opts.link);
	return sink_new(&c->sink, &opts, c->trouble);
}

static int prepare(struct capture *c)
{
	const struct link *link;
	int r = input_new(&c->in, c->o->in, c->o->live, c->trouble);

	if (!r)
		r = open_output(c, &link);
	if (!r)
		r = judge_new(&c->judge, c->o, link, c->sink, c->stats, c->trouble);
	c->progress = clock_now() + PROGRESS_BEGIN;
	return r;
}

static void release(struct capture *c)
{
	judge_free(c->judge);
	sink_free(c->sink);
	input_free(c->in);
}

int capture_run(const struct capture_opts *o, struct capture_stats *stats, struct trouble *t)
{
	struct capture c = { .o = o, .stats = stats, .trouble = t };
	int r;

	memset(stats, 0, sizeof(*stats));
	t->text[0] = '\0';
	r = prepare(&c);
	if (!r)
		r = read_all(&c);
	if (!r)
		r = finish(&c);
	release(&c);
	return r ? r : c.unread;
}
