// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Making an attachment: all or nothing.
 *
 * The order is what makes a kill at any point harmless. First all that can fail and touches no
 * packet; then the links, with a program in the slot that accepts, so that packets pass as before
 * while some links stand and others don't; then one write puts the program in force at all of them,
 * or, with places, each program at its own.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "about.h"
#include "attachment.h"
#include "cleanup.h"
#include "front.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "netns.h"
#include "opts.h"
#include "places.h"
#include "probe.h"
#include "program.h"

#define KNOWN_FLAGS \
	(UNFRAG_ATTACH_PRIORITY | UNFRAG_ATTACH_NO_DEFRAG | UNFRAG_ATTACH_ACCEPT_FRAGMENTS | \
	 UNFRAG_ATTACH_ACCEPT_UNREADABLE | UNFRAG_ATTACH_ACCEPT_EMPTY)

struct making {
	struct unfrag_attach_opts opts;
	struct programs programs;
	struct about about;
	struct front front;
	int netns_fd;
	int about_fd;
};

#define MAKING_INIT \
	{ \
		.front = FRONT_INIT, .netns_fd = -1, .about_fd = -1 \
	}

static void making_release(struct making *m)
{
	front_release(&m->front);
	close_p(&m->netns_fd);
	close_p(&m->about_fd);
}

/* Removes the directory, and what links there are, unless it was taken out. */
static void store_abandon(struct store *s)
{
	if (s->fd >= 0)
		store_destroy(s);
	store_release(s);
}

static int check_name(const char *name)
{
	if (name && name_valid(name))
		return 0;
	return log_error(-EINVAL,
			 "name '%s' is not valid; use 1 to %d letters, digits, '-' and '_', "
			 "first a letter or digit",
			 name ? name : "", UNFRAG_NAME_MAX);
}

/* Where it is to stand, without places. */
static int check_hooks(struct unfrag_attach_opts *o)
{
	if (o->n_programs)
		return log_error(-EINVAL, "several programs need places");
	if (!o->families)
		o->families = UNFRAG_FAMILIES_BOTH;
	if (!o->hooks)
		o->hooks = 1u << UNFRAG_HOOK_PREROUTING;
	if (!(o->flags & UNFRAG_ATTACH_PRIORITY))
		o->priority = UNFRAG_PRIORITY_DEFAULT;
	if (o->families & ~UNFRAG_FAMILIES_BOTH)
		return log_error(-EINVAL, "families 0x%x are not known", o->families);
	if (o->hooks >> UNFRAG_HOOK_MAX)
		return log_error(-EINVAL, "hooks 0x%x are not known", o->hooks);
	return 0;
}

static int check_opts(struct making *m, const char *name, const struct unfrag_attach_opts *opts)
{
	struct unfrag_attach_opts *o = &m->opts;
	int r;

	if (opts_get(o, sizeof(*o), opts) || o->flags & ~KNOWN_FLAGS)
		return log_error(-EINVAL, "an option is set that this version does not know");
	r = check_name(name);
	if (r)
		return r;
	if (!o->n_places)
		return check_hooks(o);
	if (o->families || o->hooks || o->priority || o->flags & UNFRAG_ATTACH_PRIORITY)
		return log_error(-EINVAL,
				 "places have families, hooks and priorities of their own");
	return 0;
}

static int find_netns(struct making *m)
{
	struct netns_id id;
	int r;

	m->netns_fd = netns_open(m->opts.netns);
	if (m->netns_fd < 0)
		return m->netns_fd;
	r = netns_id(m->netns_fd, &id);
	if (r)
		return r;
	about_init(&m->about, &id);
	m->about.state = ABOUT_STARTING;
	m->about.families = m->opts.families;
	m->about.hooks = m->opts.hooks;
	m->about.priority = m->opts.priority;
	m->about.flags = m->opts.flags;
	return 0;
}

/* Half 1, which the turn goes to when all is there; half 0 lets packets pass till then. */
static int find_places(struct making *m)
{
	int r;

	if (!m->opts.n_places)
		return 0;
	r = places_check(m->opts.places, m->opts.n_places, m->programs.n);
	if (!r)
		r = places_put(&m->about, 1, m->opts.places, m->opts.n_places);
	if (!r)
		places_sum_up(&m->about, 1);
	return r;
}

static int load_fronts(struct making *m, const struct store *s)
{
	int r;

	if (!m->about.is_placed)
		r = front_load(&m->front, m->opts.flags);
	else
		r = front_load_seats(&m->front, m->opts.flags,
				     places_seats(&m->about, PLACES_HALF(1)));
	if (!r)
		r = store_pin(s, m->front.slot_fd, ATTACHMENT_SLOT);
	if (!r)
		r = store_pin(s, m->front.counters_fd, ATTACHMENT_COUNTERS);
	if (!r && m->about.is_placed)
		r = store_pin(s, m->front.turn_fd, ATTACHMENT_TURN);
	return r;
}

/* All that touches no packet. */
static int prepare(struct making *m, const struct store *s)
{
	const struct bpf_program *first = m->programs.progs[0];
	uint32_t id;
	int r;

	m->about_fd = about_pin(s, ABOUT_NAME, &m->about, sizeof(m->about));
	if (m->about_fd < 0)
		return m->about_fd;
	r = load_fronts(m, s);
	if (m->about.is_placed)
		first = programs_first(&m->programs, &m->about, 1);
	if (!r)
		r = program_id(first, &id);
	if (!r)
		r = program_pin(s, id, m->programs.obj, first, m->opts.source);
	if (r)
		return r;
	r = program_keep_only(s, id);
	if (r)
		r = log_error(r, "'%s/maps' can't be made: %s", s->path, strerror(-r));
	return r;
}

/* What lets packets pass until all links stand. */
static int put_pass(struct making *m)
{
	uint32_t seats = m->about.is_placed ? places_seats(&m->about, PLACES_HALF(1)) : 1;
	int r = programs_put_pass(m->front.slot_fd, 0, seats);

	if (!r && m->about.is_placed)
		r = programs_put(&m->programs, m->front.slot_fd, &m->about, 1);
	return r;
}

/* The one write that puts the programs in force. */
static int arm(struct making *m)
{
	if (m->about.is_placed)
		return front_flip(m->front.turn_fd, places_turn(&m->about, 1));
	return front_put(m->front.slot_fd, 0, bpf_program__fd(m->programs.progs[0]));
}

static int link_up(struct making *m, const struct store *s)
{
	const struct links_plan plan = {
		.about = &m->about,
		.halves = m->about.is_placed ? PLACES_HALF(1) : PLACES_BOTH,
		.prog_fds = m->front.prog_fds,
		.netns_fd = m->opts.netns ? m->netns_fd : NETNS_HERE,
	};
	char why[LINKS_WHY_MAX];
	struct links links;
	int r = put_pass(m);

	if (r)
		return r;
	r = links_make(&links, &plan, why);
	if (r)
		return log_error(r, "%s", why);
	r = links_pin(&links, s, &m->about);
	if (!r)
		r = arm(m);
	if (!r) {
		m->about.state = ABOUT_READY;
		r = about_write(m->about_fd, &m->about);
		if (r)
			r = log_error(r, "the description can't be written: %s", strerror(-r));
	}
	if (r)
		links_detach(&links);
	links_close(&links);
	return r;
}

int unfrag_attachment_attach(struct unfrag_attachment **out, const char *name,
			     struct bpf_object *obj, struct bpf_program *prog,
			     const struct unfrag_attach_opts *opts)
{
	/* Given back from the last one on: taking the store away needs descriptors that m holds. */
	_cleanup_(store_abandon) struct store s = STORE_INIT;
	_cleanup_(making_release) struct making m = MAKING_INIT;
	struct unfrag_attachment *att;
	int r = check_opts(&m, name, opts);

	if (!r)
		r = unfrag_probe_require();
	if (!r)
		r = programs_choose(&m.programs, obj, prog, m.opts.programs, m.opts.n_programs);
	if (!r)
		r = find_netns(&m);
	if (!r)
		r = find_places(&m);
	if (r)
		return r;
	r = store_create(&s, STORE_ATTACHMENTS, name);
	if (r == -EEXIST)
		return log_error(r,
				 "the name '%s' is in use; choose another, or 'replace' its "
				 "program, or 'detach' it first",
				 name);
	if (!r)
		r = prepare(&m, &s);
	if (!r)
		r = link_up(&m, &s);
	if (r)
		return r;
	att = attachment_of(&s);
	if (!att)
		return -ENOMEM;
	store_unlock(&att->store);
	*out = att;
	return 0;
}
