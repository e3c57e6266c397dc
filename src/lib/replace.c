// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Other programs for an attachment, in one step: the write of one entry of the slot, or with places
 * the write of the turn, which all links look at.
 *
 * With places, what comes is put where no packet looks: programs into the other half of the slot,
 * the description of that half into `about`, links of places that are new behind a program that
 * accepts. All of that is harmless if the turn never comes, and goes with the next change.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "attachment.h"
#include "cleanup.h"
#include "describe.h"
#include "front.h"
#include "links.h"
#include "log.h"
#include "netns.h"
#include "opts.h"
#include "places.h"
#include "program.h"

struct replacing {
	struct store *store;
	struct unfrag_replace_opts opts;
	struct programs programs;
	struct description d;
	struct about about; /* with both halves */
	struct front front;
	int about_fd;
	int netns_fd;
	unsigned int old, new; /* halves */
	uint32_t id;           /* of the program that stands for all that come */
};

#define REPLACING_INIT \
	{ \
		.front = FRONT_INIT, .about_fd = -1, .netns_fd = LINKS_NETNS_UNKNOWN \
	}

static void replacing_release(struct replacing *q)
{
	front_release(&q->front);
	close_p(&q->about_fd);
	close_p(&q->netns_fd);
}

/* With the lock held. */
static int require_whole(struct replacing *q)
{
	int r = describe_locked(&q->d, q->store, LINKS_NETNS_UNKNOWN);

	if (r)
		return log_error(r, "the attachment can't be looked at: %s", strerror(-r));
	if (q->d.problem[0])
		return log_error(-EBADF,
				 "the attachment is broken (%s); detach it and attach again",
				 q->d.problem);
	return 0;
}

/* Pins what belongs to the program that comes; what an earlier one left goes first. */
static int pin_next(struct replacing *q, const struct bpf_program *prog, uint32_t old)
{
	int r = program_keep_only(q->store, old);

	if (r)
		return log_error(r, "what an earlier program left can't be removed: %s",
				 strerror(-r));
	if (q->id == old)
		return 0;
	return program_pin(q->store, q->id, q->programs.obj, prog, q->opts.source);
}

/* Packets may still be inside the old programs, and need what they call. */
static void settle(struct replacing *q)
{
	int r;

	front_settle();
	r = program_keep_only(q->store, q->id);
	if (r)
		log_at(UNFRAG_LOG_WARNING, "pins of the old program could not be removed: %s",
		       strerror(-r));
}

static int open_slot(struct replacing *q, uint32_t *old)
{
	int fd = attachment_open_slot(q->store, old);

	if (fd < 0)
		return log_error(fd == -ENOENT ? -EBADF : fd,
				 "the program slot can't be read: %s; detach, and attach again",
				 strerror(-fd));
	q->front.slot_fd = fd;
	return 0;
}

static int replace_alone(struct replacing *q)
{
	struct bpf_program *prog = q->programs.progs[0];
	uint32_t old;
	int r;

	if (q->opts.n_programs || q->opts.n_places)
		return log_error(-EINVAL,
				 "the attachment was made without places; detach it and "
				 "attach again to have several");
	r = open_slot(q, &old);
	if (!r)
		r = program_id(prog, &q->id);
	if (r || q->id == old)
		return r;
	r = pin_next(q, prog, old);
	if (!r)
		r = front_put(q->front.slot_fd, 0, bpf_program__fd(prog));
	if (r) {
		program_forget(q->store, q->id);
		return r;
	}
	settle(q);
	return 0;
}

/* The half that comes, beside the one in force. */
static int plan_places(struct replacing *q)
{
	struct unfrag_place now[UNFRAG_PLACES_MAX];
	const struct unfrag_place *places = q->opts.places;
	uint32_t n = q->opts.n_places;
	int r;

	q->old = FRONT_HALF(q->d.turn);
	q->new = !q->old;
	q->about = q->d.about;
	if (!n) {
		n = places_list(&q->about, q->old, now);
		places = now;
	}
	r = places_check(places, n, q->programs.n);
	if (!r)
		r = places_put(&q->about, q->new, places, n);
	return r;
}

static int open_maps(struct replacing *q, uint32_t *old)
{
	int r = open_slot(q, old);

	if (r)
		return r;
	q->front.turn_fd = store_get(q->store, ATTACHMENT_TURN);
	q->front.counters_fd = store_get(q->store, ATTACHMENT_COUNTERS);
	q->about_fd = store_get(q->store, ABOUT_NAME);
	if (q->front.turn_fd < 0 || q->front.counters_fd < 0 || q->about_fd < 0)
		return log_error(-EBADF,
				 "maps of the attachment are missing; detach it and attach "
				 "again");
	return 0;
}

/* Links of places that the old half does not have. */
static int add_links(struct replacing *q)
{
	struct links_plan plan = {
		.about = &q->about,
		.halves = PLACES_HALF(q->new),
		.prog_fds = q->front.prog_fds,
		.netns_fd = q->netns_fd,
	};
	uint32_t seats = places_seats(&q->about, PLACES_HALF(q->new)) &
			 ~places_seats(&q->about, PLACES_HALF(q->old));
	char why[LINKS_WHY_MAX];
	struct links links;
	int r;

	if (!seats)
		return 0;
	/* Another one may have changed places meanwhile. */
	if (q->netns_fd == LINKS_NETNS_UNKNOWN)
		q->netns_fd = plan.netns_fd = description_netns(&q->d);
	if (q->netns_fd == LINKS_NETNS_UNKNOWN)
		return log_error(-ENOENT,
				 "there are new places, and no process and no name leads "
				 "to the network namespace");
	r = programs_put_pass(q->front.slot_fd, q->old, seats);
	if (!r)
		r = front_load_seats(&q->front, q->about.flags, seats);
	if (r)
		return r;
	r = links_make(&links, &plan, why);
	if (r)
		return log_error(r, "%s", why);
	r = links_pin(&links, q->store, &q->about);
	if (r)
		links_detach(&links);
	links_close(&links);
	return r;
}

/*
 * Forgets what is only in the other half, and what was left by a replace that was cut short.
 * filled: seats of the other half that hold, or are about to hold, what may stay there.
 */
static int keep_half(struct replacing *q, unsigned int half, uint32_t filled)
{
	struct about a = q->about;
	int r = links_keep_only(q->store, &a, PLACES_HALF(half));

	if (r)
		return log_error(r, "links of old places can't be removed: %s", strerror(-r));
	places_clear(&a, !half);
	places_sum_up(&a, half);
	r = about_write(q->about_fd, &a);
	if (r)
		return log_error(r, "the description can't be written: %s", strerror(-r));
	front_clear(q->front.slot_fd, !half, filled);
	return 0;
}

static int prepare(struct replacing *q, uint32_t old)
{
	const struct bpf_program *first = programs_first(&q->programs, &q->about, q->new);
	int r = program_id(first, &q->id);

	/* One that was cut short may have turned a moment ago. */
	if (places_seats(&q->d.about, PLACES_HALF(q->new)))
		front_settle();
	if (!r)
		r = keep_half(q, q->old, places_seats(&q->about, PLACES_BOTH));
	if (!r)
		r = pin_next(q, first, old);
	if (!r)
		r = programs_put(&q->programs, q->front.slot_fd, &q->about, q->new);
	if (!r)
		r = add_links(q);
	if (!r && about_write(q->about_fd, &q->about))
		r = log_error(-EIO, "the description can't be written");
	return r;
}

/*
 * Programs that are not in force any more have to go, and it is much faster to put others into
 * their seats than to empty those: with each that it empties, the kernel waits for packets under
 * way.
 */
static void forget_old(struct replacing *q)
{
	int r = programs_copy(&q->programs, q->front.slot_fd, &q->about, q->new, q->old);

	/* What fails is said; the next change does it again. */
	keep_half(q, q->new, r ? 0 : places_seats(&q->about, PLACES_HALF(q->new)));
}

static int replace_placed(struct replacing *q)
{
	uint32_t old = 0;
	int r = plan_places(q);

	if (!r)
		r = open_maps(q, &old);
	if (r)
		return r;
	r = prepare(q, old);
	if (!r)
		r = front_flip(q->front.turn_fd, places_turn(&q->about, q->new));
	if (r) {
		keep_half(q, q->old, 0);
		if (q->id && q->id != old)
			program_forget(q->store, q->id);
		return r;
	}
	settle(q);
	forget_old(q);
	return 0;
}

/* For links that are new. Finding it can take long, so not while others have to wait. */
static void find_netns(struct replacing *q)
{
	struct description d = { 0 };

	if (q->opts.n_places && !about_read(q->store, ABOUT_NAME, &d.about, sizeof(d.about)) &&
	    !places_have(&d.about, q->opts.places, q->opts.n_places))
		q->netns_fd = description_netns(&d);
}

int unfrag_attachment_replace(struct unfrag_attachment *att, struct bpf_object *obj,
			      struct bpf_program *prog, const struct unfrag_replace_opts *opts)
{
	_cleanup_(replacing_release) struct replacing q = REPLACING_INIT;
	int r;

	q.store = &att->store;
	if (opts_get(&q.opts, sizeof(q.opts), opts))
		return log_error(-EINVAL, "an option is set that this version does not know");
	r = programs_choose(&q.programs, obj, prog, q.opts.programs, q.opts.n_programs);
	if (r)
		return r;
	find_netns(&q);
	r = attachment_lock(att);
	if (r)
		return r;
	r = require_whole(&q);
	if (!r)
		r = q.d.about.is_placed ? replace_placed(&q) : replace_alone(&q);
	store_unlock(&att->store);
	return r;
}
