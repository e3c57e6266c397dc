// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "links.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "link.h"
#include "log.h"
#include "names.h"
#include "places.h"
#include "probe.h"

#define LINK_NAME_MAX sizeof(((struct links_tally *)0)->missing)

/* Places have their priority in the name, as there may be several at a hook. */
static void link_name(const struct about *a, struct place p, char *name)
{
	const char *hook = unfrag_hook_name((enum unfrag_hook)p.hook);

	if (a->is_placed)
		snprintf(name, LINK_NAME_MAX, "link-%s-%s-%d", family_name(p.family), hook,
			 p.priority);
	else
		snprintf(name, LINK_NAME_MAX, "link-%s-%s", family_name(p.family), hook);
}

struct make {
	const struct links_plan *plan;
	struct links links;
	char *why;
};

static int make_one(struct place p, void *arg)
{
	struct make *m = arg;
	struct unfrag_netfilter_opts opts = {
		.sz = sizeof(opts),
		.pf = family_pf(p.family),
		.hook = p.hook,
		.priority = p.priority,
	};
	const struct about *a = m->plan->about;
	int fd;

	if (p.halves != m->plan->halves)
		return 0;
	if (!(a->flags & UNFRAG_ATTACH_NO_DEFRAG))
		opts.flags = UNFRAG_NETFILTER_IP_DEFRAG;
	fd = link_create(m->plan->prog_fds[a->is_placed ? p.seat / FAMILY_MAX : 0], &opts);
	if (fd < 0) {
		unfrag_explain(fd, &opts, m->why, LINKS_WHY_MAX);
		return fd;
	}
	m->links.fds[p.seat] = fd;
	return 0;
}

static int make_all(void *arg)
{
	const struct make *m = arg;

	return each_place(m->plan->about, m->plan->halves, make_one, arg);
}

int links_make(struct links *out, const struct links_plan *plan, char *why)
{
	struct make m = { .plan = plan, .why = why };
	int r;

	memset(m.links.fds, 0xff, sizeof(m.links.fds));
	why[0] = '\0';
	r = netns_call(plan->netns_fd, make_all, &m);
	if (r) {
		if (!why[0])
			snprintf(why, LINKS_WHY_MAX, "the network namespace can't be entered: %s%s",
				 strerror(-r), r == -EPERM ? " (needs CAP_SYS_ADMIN)" : "");
		links_detach(&m.links);
		return r;
	}
	*out = m.links;
	return 0;
}

struct pin {
	const struct links *links;
	const struct store *store;
	const struct about *about;
};

static int pin_one(struct place p, void *arg)
{
	const struct pin *pin = arg;
	char name[LINK_NAME_MAX];

	if (pin->links->fds[p.seat] < 0)
		return 0;
	link_name(pin->about, p, name);
	return store_pin(pin->store, pin->links->fds[p.seat], name);
}

int links_pin(const struct links *l, const struct store *s, const struct about *a)
{
	struct pin pin = { .links = l, .store = s, .about = a };

	return each_place(a, PLACES_BOTH, pin_one, &pin);
}

struct keep {
	const struct about *about;
	unsigned int halves;
	const char *name; /* that is looked for, and whether it is there */
	bool is_named;
};

static int compare_name(struct place p, void *arg)
{
	struct keep *k = arg;
	char name[LINK_NAME_MAX];

	link_name(k->about, p, name);
	k->is_named |= !strcmp(name, k->name);
	return 0;
}

static int detach_unnamed(const struct store *s, const char *name, void *arg)
{
	struct keep *k = arg;

	k->name = name;
	k->is_named = false;
	each_place(k->about, k->halves, compare_name, k);
	return k->is_named ? 0 : store_detach_link(s, name);
}

int links_keep_only(const struct store *s, const struct about *a, unsigned int halves)
{
	struct keep k = { .about = a, .halves = halves };

	return store_entries(s, STORE_LINK_PREFIX, detach_unnamed, &k);
}

void links_detach(struct links *l)
{
	unsigned int i;

	/* At once: what close(2) starts is done later, by a worker. */
	for (i = 0; i < LINKS_MAX; i++)
		if (l->fds[i] >= 0)
			bpf_link_detach(l->fds[i]);
	links_close(l);
}

void links_close(struct links *l)
{
	unsigned int i;

	for (i = 0; i < LINKS_MAX; i++)
		close_p(&l->fds[i]);
	memset(l->fds, 0xff, sizeof(l->fds));
}

struct count {
	const struct store *store;
	const struct about *about;
	int netns_fd;
	struct links_tally *tally;
};

/* A BPF link can't join a priority that any hook has, so trying tells. */
static bool place_is_free(const struct count *c, struct place p)
{
	struct unfrag_netfilter_opts opts = {
		.sz = sizeof(opts),
		.pf = family_pf(p.family),
		.hook = p.hook,
		.priority = p.priority,
	};

	return c->netns_fd != LINKS_NETNS_UNKNOWN && !probe_link_in(c->netns_fd, &opts);
}

static void note_first(char *first, const char *name)
{
	if (!first[0])
		memcpy(first, name, LINK_NAME_MAX);
}

static int count_one(struct place p, void *arg)
{
	struct count *c = arg;
	struct link_info info;
	char name[LINK_NAME_MAX];
	_cleanup_close_ int fd = -1;

	c->tally->expected++;
	link_name(c->about, p, name);
	fd = store_get(c->store, name);
	if (fd < 0 && fd != -ENOENT && fd != -EBADF)
		return fd;
	if (fd < 0 || link_get_info(fd, &info) || info.type != LINK_TYPE_NETFILTER)
		note_first(c->tally->missing, name);
	else if (place_is_free(c, p))
		note_first(c->tally->dead, name);
	else
		c->tally->found++;
	return 0;
}

int links_count(const struct store *s, const struct about *a, unsigned int half, int netns_fd,
		struct links_tally *tally)
{
	struct count c = { .store = s, .about = a, .netns_fd = netns_fd, .tally = tally };

	memset(tally, 0, sizeof(*tally));
	return each_place(a, PLACES_HALF(half), count_one, &c);
}
