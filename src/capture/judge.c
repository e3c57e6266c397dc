// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two things can end a datagram outside of a call for one of its fragments: the engine gives it up
 * (its fates are taken after each packet), or memory for waiting packets is short and the order of
 * output lets it go. The engine does not know of the latter; what it still makes of such a datagram
 * is not written.
 *
 * A packet is looked at from the outside in. Where its datagram becomes whole there, the packet
 * made of that takes its place and is looked into like any other, once for each tunnel, so the
 * number of rounds is bounded. What is a fragment still once it is whole (two Fragment headers) is
 * not taken up again.
 */
#include "judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "order.h"
#include "tunnel.h"

#define EXPIRE_AT_ONCE 64u
#define LINK_MAX       4096u /* bytes before IP in a whole packet */
#define WHOLE_MAX      (LINK_MAX + UNFRAG_IPV6_HLEN + UNFRAG_DATAGRAM_MAX)

struct judge {
	const struct capture_opts *o;
	const struct link *link;
	struct capture_stats *stats;
	struct order *order;
	struct unfrag_reasm *engine;
	struct track *track;
	struct compare *compare;
	uint64_t seed;
	int turn;                   /* which of these is not in use */
	uint8_t made[2][WHOLE_MAX]; /* packets; one may be made of the other */
};

/* A packet while it is judged. */
struct arrival {
	struct packet packet; /* as captured, or as made of that */
	uint64_t at;          /* its place in the order of output; QUEUE_NOWHERE: behind all */
	struct place place;
	struct unfrag_reasm_packet ip;
	struct unfrag_reasm_result res;
	bool counted; /* is in a class */
	bool differs; /* made a datagram whole that systems read differently */
	bool again;   /* there is more in it to be judged */
};

static void count_single(struct judge *j, uint32_t reason, uint64_t packets)
{
	j->stats->fragments += packets;
	j->stats->single += packets;
	j->stats->reasons[reason] += packets;
}

static void count_whole(struct judge *j, uint64_t packets, uint32_t len)
{
	j->stats->fragments += packets;
	j->stats->whole_fragments += packets;
	j->stats->whole++;
	if (len > j->stats->largest)
		j->stats->largest = len;
}

static void on_let_go(uint32_t slot, uint32_t packets, void *arg)
{
	struct judge *j = arg;

	count_single(j, UNFRAG_REASON_MEMORY, packets);
	if (j->track)
		track_end(j->track, slot, UNFRAG_REASON_MEMORY);
}

static void take_fates(struct judge *j)
{
	struct unfrag_reasm_fate fate;

	while (unfrag_reasm_next_fate(j->engine, &fate)) {
		count_single(j, fate.reason, order_give_up(j->order, fate.slot));
		if (j->track)
			track_end(j->track, fate.slot, (enum unfrag_reason)fate.reason);
	}
}

/* The packet is a fragment. Made here, it was in a class before. */
static void count_again(struct judge *j, struct arrival *a)
{
	j->stats->nested += a->counted;
	a->counted = true;
}

static void tell(struct judge *j, const struct arrival *a)
{
	struct record *record;
	struct track_fragment f = {
		.place = &a->place,
		.ip = a->ip.data,
		.size = a->ip.size,
		.time = a->packet.time,
		.res = &a->res,
	};

	record = j->track ? track_add(j->track, &f) : NULL;
	if (record && a->differs)
		record->findings |= 1u << FINDING_DIFFERS;
}

static int take_single(struct judge *j, const struct arrival *a)
{
	count_single(j, a->res.reason, 1);
	tell(j, a);
	return order_put_single(j->order, &a->packet, a->at);
}

/* Its datagram waits no longer: what the engine says of it is of no use any more. */
static int take_let_go(struct judge *j, struct arrival *a)
{
	if (a->res.outcome == UNFRAG_REASM_COMPLETE)
		order_give_up(j->order, a->res.slot);
	a->res.outcome = UNFRAG_REASM_DROPPED;
	a->res.reason = UNFRAG_REASON_MEMORY;
	return take_single(j, a);
}

static bool is_first_fragment(const struct arrival *a)
{
	struct unfrag_facts f;

	return !unfrag_facts_read(&f, a->ip.data, a->ip.size) && !f.frag_off;
}

static int take_held(struct judge *j, const struct arrival *a)
{
	const struct held h = { a->res.slot, a->place.n_tunnels, is_first_fragment(a) };

	j->stats->duplicates += a->res.outcome == UNFRAG_REASM_DUPLICATE;
	tell(j, a);
	return order_hold(j->order, &h, &a->packet, a->at);
}

/* The whole packet behind the headers of a piece; false: a field of these can't say its length. */
static bool make_whole(struct judge *j, struct arrival *a, const uint8_t *piece,
		       const struct place *place)
{
	uint8_t *made = j->made[j->turn];
	uint32_t size;
	long len;

	if (place->ip > LINK_MAX)
		return false;
	memcpy(made, piece, place->ip);
	len = unfrag_reasm_copy(j->engine, &a->res, made + place->ip, WHOLE_MAX - place->ip);
	if (len < 0)
		return false;
	size = place_apply(place, made, place->ip + (uint32_t)len);
	if (!size)
		return false;
	a->packet.data = made;
	a->packet.caplen = a->packet.len = size;
	j->turn = !j->turn;
	return true;
}

/* As deep inside as the arrival is. */
static bool find_place(const struct judge *j, struct place *place, const struct packet *p,
		       uint8_t depth)
{
	place_begin(place, j->seed);
	if (!link_find(place, j->link, p->data, p->caplen))
		return false;
	while (place->n_tunnels < depth && tunnel_enter(place, p->data, p->caplen))
		;
	return place->n_tunnels == depth;
}

static bool make_datagram(struct judge *j, struct arrival *a)
{
	const struct entry *piece = order_first_piece(j->order, a->res.slot);
	struct packet first;

	if (!piece)
		return make_whole(j, a, a->packet.data, &a->place);
	first = queue_packet(piece);
	return find_place(j, &a->place, &first, piece->depth) &&
	       make_whole(j, a, first.data, &a->place);
}

/* Goes on inside, or to the output. */
static int take_whole(struct judge *j, struct arrival *a)
{
	a->again = j->o->tunnels && tunnel_enter(&a->place, a->packet.data, a->packet.caplen);
	if (a->again)
		return 0;
	j->stats->not_fragments += !a->counted;
	return order_put(j->order, &a->packet, a->at);
}

static int take_oversize(struct judge *j, struct arrival *a)
{
	count_single(j, UNFRAG_REASON_OVERSIZE, order_give_up(j->order, a->res.slot));
	if (j->track)
		track_end(j->track, a->res.slot, UNFRAG_REASON_OVERSIZE);
	a->res.outcome = UNFRAG_REASM_DROPPED;
	a->res.reason = UNFRAG_REASON_OVERSIZE;
	return take_single(j, a);
}

static int take_complete(struct judge *j, struct arrival *a)
{
	const struct place place = a->place;
	uint32_t held;

	if (!make_datagram(j, a)) {
		a->place = place;
		return take_oversize(j, a);
	}
	tell(j, a);
	a->at = order_complete(j->order, a->res.slot, a->at, &held);
	count_whole(j, held + 1, a->res.len);
	return take_whole(j, a);
}

static int take_atomic(struct judge *j, struct arrival *a)
{
	j->stats->atomic++;
	if (!make_whole(j, a, a->packet.data, &a->place))
		return order_put(j->order, &a->packet, a->at);
	return take_whole(j, a);
}

static int take_unreadable(struct judge *j, const struct arrival *a)
{
	j->stats->unreadable++;
	return order_put(j->order, &a->packet, a->at);
}

static int take_fragment(struct judge *j, struct arrival *a)
{
	count_again(j, a);
	if (a->res.outcome == UNFRAG_REASM_ATOMIC)
		return take_atomic(j, a);
	if (a->res.outcome == UNFRAG_REASM_DROPPED)
		return take_single(j, a);
	if (order_was_let_go(j->order, a->res.slot))
		return take_let_go(j, a);
	return a->res.outcome == UNFRAG_REASM_COMPLETE ? take_complete(j, a) : take_held(j, a);
}

static int take(struct judge *j, struct arrival *a)
{
	a->again = false;
	if (a->res.outcome == UNFRAG_REASM_NOT_FRAGMENT)
		return take_whole(j, a);
	if (a->res.reason == UNFRAG_REASON_UNREADABLE)
		return take_unreadable(j, a);
	return take_fragment(j, a);
}

static int judge_ip(struct judge *j, struct arrival *a)
{
	a->ip = (struct unfrag_reasm_packet){
		.data = a->packet.data + a->place.ip,
		.size = a->packet.caplen - a->place.ip,
		.scope = a->place.scope,
	};
	unfrag_reasm_push(j->engine, &a->ip, a->packet.time, &a->res);
	take_fates(j);
	a->differs = j->compare && compare_push(j->compare, &a->ip, a->packet.time, &a->place);
	j->stats->differ += a->differs;
	return take(j, a);
}

int judge_time(struct judge *j, uint64_t now)
{
	unfrag_reasm_expire(j->engine, now, EXPIRE_AT_ONCE);
	take_fates(j);
	return order_drain(j->order);
}

static int pass_by(struct judge *j, const struct packet *p, uint64_t *count)
{
	int r = judge_time(j, p->time);

	(*count)++;
	return r ? r : order_put(j->order, p, QUEUE_NOWHERE);
}

int judge_packet(struct judge *j, const struct packet *p)
{
	struct arrival a; /* filled in as far as it is read: it is large */
	int r;

	if (p->caplen < p->len)
		return pass_by(j, p, &j->stats->cut);
	a.packet = *p;
	a.at = QUEUE_NOWHERE;
	a.counted = false;
	place_begin(&a.place, j->seed);
	if (!link_find(&a.place, j->link, p->data, p->caplen))
		return pass_by(j, p, &j->stats->not_ip);
	do
		r = judge_ip(j, &a);
	while (!r && a.again);
	return r;
}

int judge_finish(struct judge *j)
{
	int r;

	while (unfrag_reasm_flush(j->engine, EXPIRE_AT_ONCE))
		take_fates(j);
	take_fates(j);
	r = order_drain(j->order);
	if (j->track)
		track_finish(j->track);
	return r;
}

static void on_datagram(const struct record *record, void *arg)
{
	struct judge *j = arg;
	int i;

	j->stats->datagrams++;
	for (i = 0; i < FINDING_MAX; i++)
		j->stats->findings[i] += record->findings >> i & 1;
	j->o->on_datagram(record, j->o->arg);
}

static int make_engines(struct judge *j, struct unfrag_reasm_stats *stats)
{
	struct unfrag_reasm_opts opts = {
		.sz = sizeof(opts),
		.memory = j->o->memory ? j->o->memory : CAPTURE_MEMORY,
		.policy = j->o->policy,
		.fates = true,
		.tiny = !j->o->strict,
	};
	int r = unfrag_reasm_new(&j->engine, &opts);

	if (!r)
		unfrag_reasm_stats(j->engine, stats);
	if (!r && j->o->on_difference)
		r = compare_new(&j->compare, &opts, j->o->on_difference, j->o->arg);
	return r;
}

static int make_order(struct judge *j, uint32_t slots, struct sink *sink, struct trouble *t)
{
	struct order_opts opts = {
		.sink = sink,
		.stats = j->stats,
		.trouble = t,
		.buffer = j->o->buffer ? j->o->buffer : CAPTURE_BUFFER,
		.slots = slots,
		.at_first = j->o->at_first,
		.leave_incomplete = j->o->leave_incomplete,
		.on_let_go = on_let_go,
		.arg = j,
	};

	return order_new(&j->order, &opts);
}

static int prepare(struct judge *j, struct sink *sink, struct trouble *t)
{
	struct unfrag_reasm_stats stats;
	int r = make_engines(j, &stats);

	if (!r && getrandom(&j->seed, sizeof(j->seed), 0) != sizeof(j->seed))
		r = -EIO;
	if (!r)
		r = make_order(j, stats.datagrams, sink, t);
	if (!r && j->o->on_datagram)
		r = track_new(&j->track, stats.datagrams, on_datagram, j);
	return r;
}

int judge_new(struct judge **out, const struct capture_opts *o, const struct link *link,
	      struct sink *sink, struct capture_stats *stats, struct trouble *t)
{
	struct judge *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return trouble(t, -ENOMEM, "out of memory");
	j->o = o;
	j->link = link;
	j->stats = stats;
	r = prepare(j, sink, t);
	if (r) {
		judge_free(j);
		return trouble(t, r, "no memory for reassembly: %s", strerror(-r));
	}
	*out = j;
	return 0;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	track_free(j->track);
	order_free(j->order);
	compare_free(j->compare);
	unfrag_reasm_free(j->engine);
	free(j);
}
