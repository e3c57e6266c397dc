// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pass over a capture: each packet is read, judged by the engine and given to the order of
 * output, and the account is kept.
 *
 * Two things can end a datagram outside of a call for one of its fragments: the engine gives it up
 * (its fates are taken after each packet), or memory for waiting packets is short and the order of
 * output lets it go. The engine does not know of the latter; what it still makes of such a datagram
 * is not written.
 */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "input.h"
#include "link.h"
#include "order.h"
#include "sink.h"

#define ENGINE_MEMORY   (64u << 20)
#define EXPIRE_AT_ONCE  64u
#define PROGRESS_CHECK  4096u /* packets */
#define PROGRESS_PERIOD UINT64_C(250000000)
#define PROGRESS_BEGIN  UINT64_C(1000000000)
#define LINK_MAX        4096u /* bytes before IP in a whole packet */
#define WHOLE_MAX       (LINK_MAX + UNFRAG_IPV6_HLEN + UNFRAG_DATAGRAM_MAX)

struct capture {
	const struct capture_opts *o;
	struct capture_stats *stats;
	struct trouble *trouble;
	struct input *in;
	struct sink *sink;
	struct order *order;
	struct unfrag_reasm *engine;
	struct track *track;
	struct compare *compare;
	uint64_t progress;
	int unread; /* the input could not be read to its end: -errno */
	uint8_t whole[WHOLE_MAX];
};

/* A packet with an IP header, while it is judged. */
struct arrival {
	const struct packet *packet;
	struct place place;
	struct unfrag_reasm_packet ip;
	struct unfrag_reasm_result res;
	bool differs; /* made a datagram whole that systems read differently */
};

static void count_single(struct capture *c, uint32_t reason, uint64_t packets)
{
	c->stats->fragments += packets;
	c->stats->single += packets;
	c->stats->reasons[reason] += packets;
}

static void count_whole(struct capture *c, uint64_t packets, uint32_t len)
{
	c->stats->fragments += packets;
	c->stats->whole_fragments += packets;
	c->stats->whole++;
	if (len > c->stats->largest)
		c->stats->largest = len;
}

static void on_let_go(uint32_t slot, uint32_t packets, void *arg)
{
	struct capture *c = arg;

	count_single(c, UNFRAG_REASON_MEMORY, packets);
	if (c->track)
		track_end(c->track, slot, UNFRAG_REASON_MEMORY);
}

static void take_fates(struct capture *c)
{
	struct unfrag_reasm_fate fate;

	while (unfrag_reasm_next_fate(c->engine, &fate)) {
		count_single(c, fate.reason, order_give_up(c->order, fate.slot));
		if (c->track)
			track_end(c->track, fate.slot, (enum unfrag_reason)fate.reason);
	}
}

static void tell(struct capture *c, const struct arrival *a)
{
	struct record *record;
	struct track_fragment f = {
		.place = &a->place,
		.ip = a->ip.data,
		.size = a->ip.size,
		.time = a->packet->time,
		.res = &a->res,
	};

	record = c->track ? track_add(c->track, &f) : NULL;
	if (record && a->differs)
		record->findings |= 1u << FINDING_DIFFERS;
}

static int take_single(struct capture *c, const struct arrival *a)
{
	count_single(c, a->res.reason, 1);
	tell(c, a);
	return order_put_single(c->order, a->packet);
}

/* Its datagram waits no longer: what the engine says of it is of no use any more. */
static int take_let_go(struct capture *c, struct arrival *a)
{
	if (a->res.outcome == UNFRAG_REASM_COMPLETE)
		order_give_up(c->order, a->res.slot);
	a->res.outcome = UNFRAG_REASM_DROPPED;
	a->res.reason = UNFRAG_REASON_MEMORY;
	return take_single(c, a);
}

static bool is_first_fragment(const struct arrival *a)
{
	struct unfrag_facts f;

	return !unfrag_facts_read(&f, a->ip.data, a->ip.size) && !f.frag_off;
}

static int take_held(struct capture *c, const struct arrival *a)
{
	c->stats->duplicates += a->res.outcome == UNFRAG_REASM_DUPLICATE;
	tell(c, a);
	return order_hold(c->order, a->res.slot, a->packet, a->place.ip, is_first_fragment(a));
}

/* The whole packet behind a link layer; false: a field of that can't say its length. */
static bool make_whole(struct capture *c, const struct arrival *a, const uint8_t *link,
		       const struct place *place, struct packet *whole)
{
	long len;

	if (place->ip > LINK_MAX)
		return false;
	memcpy(c->whole, link, place->ip);
	len = unfrag_reasm_copy(c->engine, &a->res, c->whole + place->ip, WHOLE_MAX - place->ip);
	if (len < 0)
		return false;
	whole->time = a->packet->time;
	whole->data = c->whole;
	whole->caplen = place_apply(place, c->whole, place->ip + (uint32_t)len);
	whole->len = whole->caplen;
	return whole->caplen > 0;
}

static bool make_datagram(struct capture *c, const struct arrival *a, struct packet *whole)
{
	const struct entry *piece = order_first_piece(c->order, a->res.slot);
	struct place place;

	if (!piece)
		return make_whole(c, a, a->packet->data, &a->place, whole);
	return link_find(&place, input_link(c->in), piece->data, piece->caplen) &&
	       make_whole(c, a, piece->data, &place, whole);
}

static int take_complete(struct capture *c, struct arrival *a)
{
	struct packet whole;
	uint32_t held;
	int r;

	if (!make_datagram(c, a, &whole)) {
		count_single(c, UNFRAG_REASON_OVERSIZE, order_give_up(c->order, a->res.slot));
		if (c->track)
			track_end(c->track, a->res.slot, UNFRAG_REASON_OVERSIZE);
		a->res.outcome = UNFRAG_REASM_DROPPED;
		a->res.reason = UNFRAG_REASON_OVERSIZE;
		return take_single(c, a);
	}
	tell(c, a);
	r = order_complete(c->order, a->res.slot, &whole, &held);
	count_whole(c, held + 1, a->res.len);
	return r;
}

static int take_atomic(struct capture *c, const struct arrival *a)
{
	struct packet whole;

	c->stats->atomic++;
	if (!make_whole(c, a, a->packet->data, &a->place, &whole))
		return order_put(c->order, a->packet);
	return order_put(c->order, &whole);
}

static int take_dropped(struct capture *c, const struct arrival *a)
{
	if (a->res.reason != UNFRAG_REASON_UNREADABLE)
		return take_single(c, a);
	c->stats->unreadable++;
	return order_put(c->order, a->packet);
}

static int take(struct capture *c, struct arrival *a)
{
	switch ((enum unfrag_reasm_outcome)a->res.outcome) {
	case UNFRAG_REASM_HELD:
	case UNFRAG_REASM_DUPLICATE:
	case UNFRAG_REASM_COMPLETE:
		if (order_was_let_go(c->order, a->res.slot))
			return take_let_go(c, a);
		return a->res.outcome == UNFRAG_REASM_COMPLETE ? take_complete(c, a) :
								 take_held(c, a);
	case UNFRAG_REASM_ATOMIC:
		return take_atomic(c, a);
	case UNFRAG_REASM_DROPPED:
		return take_dropped(c, a);
	default:
		c->stats->not_fragments++;
		return order_put(c->order, a->packet);
	}
}

static int pass_by(struct capture *c, const struct packet *p, uint64_t *count)
{
	(*count)++;
	unfrag_reasm_expire(c->engine, p->time, EXPIRE_AT_ONCE);
	take_fates(c);
	return order_put(c->order, p);
}

static int process(struct capture *c, const struct packet *p)
{
	struct arrival a = { .packet = p };

	if (p->caplen < p->len)
		return pass_by(c, p, &c->stats->cut);
	if (!link_find(&a.place, input_link(c->in), p->data, p->caplen))
		return pass_by(c, p, &c->stats->not_ip);
	a.ip = (struct unfrag_reasm_packet){
		.data = p->data + a.place.ip,
		.size = p->caplen - a.place.ip,
		.scope = a.place.scope,
	};
	unfrag_reasm_push(c->engine, &a.ip, p->time, &a.res);
	take_fates(c);
	a.differs = c->compare && compare_push(c->compare, &a.ip, p->time, &a.place);
	c->stats->differ += a.differs;
	return take(c, &a);
}

static uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static void say_progress(struct capture *c)
{
	uint64_t now;

	if (!c->o->on_progress || c->stats->packets % PROGRESS_CHECK)
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
	return c->o->stop && *c->o->stop;
}

/* A signal that tells to stop is also what makes reading fail. */
static void end_of_input(struct capture *c, int r)
{
	if (told_to_stop(c))
		c->trouble->text[0] = '\0';
	else
		c->unread = r;
}

static int read_all(struct capture *c)
{
	struct packet p;
	int r;

	while (!told_to_stop(c)) {
		r = input_next(c->in, &p, c->trouble);
		if (r <= 0) {
			end_of_input(c, r);
			return 0;
		}
		note_time(c->stats, p.time);
		c->stats->packets++;
		r = process(c, &p);
		if (r)
			return r;
		say_progress(c);
	}
	return 0;
}

/* What was read is brought to its end, even if there is more that could not be read. */
static int finish(struct capture *c)
{
	int r;

	while (unfrag_reasm_flush(c->engine, EXPIRE_AT_ONCE))
		take_fates(c);
	take_fates(c);
	r = order_drain(c->order);
	if (c->track)
		track_finish(c->track);
	return r ? r : sink_finish(c->sink, c->trouble);
}

static void on_datagram(const struct record *record, void *arg)
{
	struct capture *c = arg;
	int i;

	c->stats->datagrams++;
	for (i = 0; i < FINDING_MAX; i++)
		c->stats->findings[i] += record->findings >> i & 1;
	c->o->on_datagram(record, c->o->arg);
}

static int make_engines(struct capture *c, struct unfrag_reasm_stats *stats)
{
	struct unfrag_reasm_opts opts = {
		.sz = sizeof(opts),
		.memory = ENGINE_MEMORY,
		.policy = c->o->policy,
		.fates = true,
		.tiny = !c->o->strict,
	};
	int r = unfrag_reasm_new(&c->engine, &opts);

	if (!r)
		unfrag_reasm_stats(c->engine, stats);
	if (!r && c->o->on_difference)
		r = compare_new(&c->compare, &opts, c->o->on_difference, c->o->arg);
	return r;
}

static int make_order(struct capture *c, uint32_t slots)
{
	struct order_opts opts = {
		.sink = c->sink,
		.stats = c->stats,
		.trouble = c->trouble,
		.buffer = c->o->buffer ? c->o->buffer : CAPTURE_BUFFER,
		.slots = slots,
		.at_first = c->o->at_first,
		.leave_incomplete = c->o->leave_incomplete,
		.on_let_go = on_let_go,
		.arg = c,
	};

	return order_new(&c->order, &opts);
}

static int prepare(struct capture *c)
{
	struct unfrag_reasm_stats stats;
	int r = make_engines(c, &stats);

	if (!r)
		r = make_order(c, stats.datagrams);
	if (!r && c->o->on_datagram)
		r = track_new(&c->track, stats.datagrams, on_datagram, c);
	if (r)
		return trouble(c->trouble, r, "no memory for reassembly: %s", strerror(-r));
	c->progress = clock_now() + PROGRESS_BEGIN;
	return 0;
}

static int open_files(struct capture *c)
{
	struct sink_opts opts = { .name = c->o->out, .filter = c->o->filter };
	int r = input_new(&c->in, c->o->in, c->trouble);

	if (r)
		return r;
	opts.link = input_link(c->in);
	opts.snap = input_snap(c->in);
	opts.input = input_fd(c->in);
	opts.nanoseconds = input_has_nanoseconds(c->in);
	c->stats->snap = (uint32_t)opts.snap;
	if (!link_is_known(opts.link))
		return trouble(c->trouble, -EINVAL,
			       "'%s' has link type %d, which is not one that unfrag reads",
			       c->o->in, opts.link);
	return sink_new(&c->sink, &opts, c->trouble);
}

static void release(struct capture *c)
{
	track_free(c->track);
	order_free(c->order);
	compare_free(c->compare);
	unfrag_reasm_free(c->engine);
	sink_free(c->sink);
	input_free(c->in);
	free(c);
}

int capture_run(const struct capture_opts *o, struct capture_stats *stats, struct trouble *t)
{
	struct capture *c = calloc(1, sizeof(*c));
	int r;

	memset(stats, 0, sizeof(*stats));
	t->text[0] = '\0';
	if (!c)
		return trouble(t, -ENOMEM, "out of memory");
	c->o = o;
	c->stats = stats;
	c->trouble = t;
	r = open_files(c);
	if (!r)
		r = prepare(c);
	if (!r)
		r = read_all(c);
	if (!r)
		r = finish(c);
	if (!r)
		r = c->unread;
	release(c);
	return r;
}
