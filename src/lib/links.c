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
#include "probe.h"

#define LINK_NAME_MAX sizeof(((struct links_tally *)0)->missing)

_Static_assert(LINKS_MAX == FAMILY_MAX * UNFRAG_HOOK_MAX, "a link for every place");

struct place {
	unsigned int family;
	unsigned int hook;
};

static unsigned int place_index(struct place p)
{
	return p.family * UNFRAG_HOOK_MAX + p.hook;
}

/* Calls fn for each family and hook until it returns other than 0. */
static int each_place(const struct about *a, int (*fn)(struct place p, void *arg), void *arg)
{
	struct place p;
	int r = 0;

	for (p.family = 0; p.family < FAMILY_MAX; p.family++)
		for (p.hook = 0; p.hook < UNFRAG_HOOK_MAX && !r; p.hook++)
			if (a->families & 1u << p.family && a->hooks & 1u << p.hook)
				r = fn(p, arg);
	return r;
}

static void link_name(struct place p, char *name)
{
	snprintf(name, LINK_NAME_MAX, "link-%s-%s", family_name(p.family),
		 unfrag_hook_name((enum unfrag_hook)p.hook));
}

struct make {
	const struct about *about;
	int prog_fd;
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
		.priority = m->about->priority,
	};
	int fd;

	if (!(m->about->flags & UNFRAG_ATTACH_NO_DEFRAG))
		opts.flags = UNFRAG_NETFILTER_IP_DEFRAG;
	fd = link_create(m->prog_fd, &opts);
	if (fd < 0) {
		unfrag_explain(fd, &opts, m->why, LINKS_WHY_MAX);
		return fd;
	}
	m->links.fds[place_index(p)] = fd;
	return 0;
}

static int make_all(void *arg)
{
	const struct make *m = arg;

	return each_place(m->about, make_one, arg);
}

int links_make(struct links *out, const struct about *a, int netns_fd, int prog_fd, char *why)
{
	struct make m = { .about = a, .prog_fd = prog_fd, .why = why };
	int r;

	memset(m.links.fds, 0xff, sizeof(m.links.fds));
	why[0] = '\0';
	r = netns_call(netns_fd, make_all, &m);
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
};

static int pin_one(struct place p, void *arg)
{
	const struct pin *pin = arg;
	char name[LINK_NAME_MAX];

	link_name(p, name);
	return store_pin(pin->store, pin->links->fds[place_index(p)], name);
}

int links_pin(const struct links *l, const struct store *s, const struct about *a)
{
	struct pin pin = { .links = l, .store = s };

	return each_place(a, pin_one, &pin);
}

void links_detach(struct links *l)
{
	int i;

	/* At once: what close(2) starts is done later, by a worker. */
	for (i = 0; i < LINKS_MAX; i++)
		if (l->fds[i] >= 0)
			bpf_link_detach(l->fds[i]);
	links_close(l);
}

void links_close(struct links *l)
{
	int i;

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
		.priority = c->about->priority,
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
	link_name(p, name);
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

int links_count(const struct store *s, const struct about *a, int netns_fd,
		struct links_tally *tally)
{
	struct count c = { .store = s, .about = a, .netns_fd = netns_fd, .tally = tally };

	memset(tally, 0, sizeof(*tally));
	return each_place(a, count_one, &c);
}
