// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Making the guard: all or nothing.
 *
 * First all that can be refused is looked at, and nothing is made. Then all that touches no packet;
 * then the kernel's limits, noted before they are set; then links. The description says "ready"
 * last, so a process that is killed leaves what is shown as broken and can be taken away.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cleanup.h"
#include "guard.h"
#include "guard_device.h"
#include "guard_load.h"
#include "guard_machine.h"
#include "guard_sysctl.h"
#include "links.h"
#include "log.h"
#include "netns.h"
#include "opts.h"
#include "places.h"
#include "probe.h"

struct making {
	struct unfrag_guard_opts opts;
	struct unfrag_guard_limits limits;
	struct about about;
	struct guard_place place;
	struct device_facts facts[UNFRAG_GUARD_DEVICES_MAX];
	struct sysctl_book book;
	struct sysctl_values plan;
	struct guard_maps maps;
	int progs[UNFRAG_GUARD_DEVICES_MAX];
	int netns_fd;
	int about_fd, place_fd, book_fd;
};

static void making_init(struct making *m)
{
	memset(m, 0, sizeof(*m));
	guard_maps_init(&m->maps);
	memset(m->progs, 0xff, sizeof(m->progs));
	m->netns_fd = m->about_fd = m->place_fd = m->book_fd = -1;
}

/* As netns_call() takes it: entering the own one, too, would take a privilege. */
static int netns_of(const struct making *m)
{
	return m->opts.netns ? m->netns_fd : NETNS_HERE;
}

static void making_release(struct making *m)
{
	int i;

	for (i = 0; i < UNFRAG_GUARD_DEVICES_MAX; i++)
		close_p(&m->progs[i]);
	guard_maps_release(&m->maps);
	close_p(&m->netns_fd);
	close_p(&m->about_fd);
	close_p(&m->place_fd);
	close_p(&m->book_fd);
}

/* Takes away what was made, unless it was taken out. */
static void store_abandon(struct store *s)
{
	if (s->fd >= 0)
		guard_take_away(s);
	store_release(s);
}

static int check_place(const struct unfrag_guard_opts *o)
{
	const char *place = unfrag_guard_place_name(o->place);

	if (!place || o->mode > UNFRAG_GUARD_GENERIC)
		return log_error(-EINVAL, "place %d or mode %d is not known", (int)o->place,
				 (int)o->mode);
	if (o->place == UNFRAG_GUARD_NETFILTER && o->device_count)
		return log_error(-EINVAL,
				 "netfilter's guard is for all devices of a namespace; name "
				 "none, or choose tc or xdp");
	if (o->place != UNFRAG_GUARD_NETFILTER && !o->device_count)
		return log_error(-EINVAL, "the guard at %s is for devices; name one", place);
	if (o->place != UNFRAG_GUARD_NETFILTER && o->families != UNFRAG_FAMILIES_BOTH)
		return log_error(-EINVAL, "the guard at %s is for both families", place);
	if (o->place != UNFRAG_GUARD_NETFILTER && o->priority)
		return log_error(-EINVAL, "the guard at %s has no priority", place);
	if (o->place != UNFRAG_GUARD_XDP && o->mode)
		return log_error(-EINVAL, "the guard at %s is neither native nor generic", place);
	if (o->device_count > UNFRAG_GUARD_DEVICES_MAX)
		return log_error(-EINVAL, "%u devices are more than %u", o->device_count,
				 UNFRAG_GUARD_DEVICES_MAX);
	return 0;
}

static int check_opts(struct making *m, const struct unfrag_guard_opts *opts)
{
	struct unfrag_guard_opts *o = &m->opts;

	if (opts_get(o, sizeof(*o), opts) || o->flags & ~UNFRAG_GUARD_NO_TUNE ||
	    opts_get(&m->limits, sizeof(m->limits), o->limits))
		return log_error(-EINVAL, "an option is set that this version does not know");
	if (!o->families)
		o->families = UNFRAG_FAMILIES_BOTH;
	if (o->families & ~UNFRAG_FAMILIES_BOTH)
		return log_error(-EINVAL, "families 0x%x are not known", o->families);
	if (o->place == UNFRAG_GUARD_NETFILTER && !o->priority)
		o->priority = UNFRAG_GUARD_PRIORITY_DEFAULT;
	if (o->place == UNFRAG_GUARD_NETFILTER && o->priority >= UNFRAG_PRIORITY_DEFRAG)
		return log_error(
			-EINVAL,
			"priority %d is not in front of the defragmenter; it must be below "
			"%d",
			o->priority, UNFRAG_PRIORITY_DEFRAG);
	return 0;
}

static int find_netns(struct making *m)
{
	struct netns_id id;
	uint64_t cookie = 0;
	int r;

	m->netns_fd = netns_open(m->opts.netns);
	if (m->netns_fd < 0)
		return m->netns_fd;
	r = netns_id(m->netns_fd, &id);
	if (!r)
		r = guard_netns_cookie(netns_of(m), &cookie);
	if (r)
		return log_error(r, "the network namespace can't be entered: %s", strerror(-r));
	about_init(&m->about, &id);
	m->about.state = ABOUT_STARTING;
	m->about.families = m->opts.families;
	m->about.flags = UNFRAG_ATTACH_NO_DEFRAG;
	if (m->opts.place == UNFRAG_GUARD_NETFILTER) {
		m->about.hooks = 1u << UNFRAG_HOOK_PREROUTING;
		m->about.priority = m->opts.priority;
	}
	m->place.version = ABOUT_VERSION;
	m->place.netns_cookie = cookie;
	m->place.place = m->opts.place;
	m->place.flags = m->opts.flags;
	return 0;
}

/* What the limits come to here, and what is to be set for them. */
static int settle(struct making *m)
{
	struct sysctl_values now;
	bool tuned = !(m->opts.flags & UNFRAG_GUARD_NO_TUNE);
	int r = sysctl_read(netns_of(m), &now);

	if (r)
		return log_error(r, "the network namespace can't be entered: %s", strerror(-r));
	r = machine_settle(&m->limits, &now, m->opts.families, tuned, true);
	if (r)
		return r;
	sysctl_plan(&m->plan, &now, tuned ? m->opts.families : 0, &m->limits);
	return 0;
}

static int load_one(struct making *m, unsigned int i)
{
	struct guard_load what = {
		.place = m->opts.place,
		.datagrams = m->limits.datagrams,
		.link_header = m->facts[i].link_header,
	};

	memcpy(what.mac, m->facts[i].mac, sizeof(what.mac));
	m->progs[i] = guard_load(&m->maps, &what);
	return m->progs[i] < 0 ? m->progs[i] : 0;
}

static int configure(struct making *m)
{
	struct guard_config config = { .glance = 1 };
	const uint32_t key = 0;
	int r;

	if (getrandom(config.secret, sizeof(config.secret), 0) != sizeof(config.secret) ||
	    getrandom(config.source_secret, sizeof(config.source_secret), 0) !=
		    sizeof(config.source_secret))
		return log_error(-errno, "there are no random numbers: %s", strerror(errno));
	limits_to_config(&config, &m->limits);
	r = bpf_map_update_elem(m->maps.fds[GUARD_MAP_CONFIG], &key, &config, BPF_ANY);
	return r ? log_error(r, "the configuration can't be written: %s", strerror(-r)) : 0;
}

/* All that touches no packet. */
static int prepare(struct making *m, const struct store *s)
{
	unsigned int i, n = m->opts.place == UNFRAG_GUARD_NETFILTER ? 1 : m->opts.device_count;
	int r = 0;

	m->about_fd = about_pin(s, ABOUT_NAME, &m->about, sizeof(m->about));
	if (m->about_fd < 0)
		return m->about_fd;
	m->place_fd = about_pin(s, GUARD_PLACE, &m->place, sizeof(m->place));
	if (m->place_fd < 0)
		return m->place_fd;
	for (i = 0; i < n && !r; i++)
		r = load_one(m, i);
	if (!r)
		r = configure(m);
	if (!r)
		r = guard_maps_pin(&m->maps, s);
	return r;
}

static int tune(struct making *m, const struct store *s)
{
	m->book.version = ABOUT_VERSION;
	m->book_fd = about_pin(s, GUARD_SYSCTLS, &m->book, sizeof(m->book));
	if (m->book_fd < 0)
		return m->book_fd;
	return sysctl_set(netns_of(m), m->book_fd, &m->book, &m->plan);
}

static int join_netfilter(struct making *m, const struct store *s)
{
	char why[LINKS_WHY_MAX];
	const struct links_plan plan = { &m->about, PLACES_BOTH, m->progs, netns_of(m) };
	struct links links;
	int r = links_make(&links, &plan, why);

	if (r)
		return log_error(r, "%s", why);
	r = links_pin(&links, s, &m->about);
	if (r)
		links_detach(&links);
	links_close(&links);
	return r;
}

static int join(struct making *m, const struct store *s)
{
	struct device_join j = {
		.place = m->opts.place,
		.mode = m->opts.mode,
		.progs = m->progs,
		.about = &m->place,
		.about_fd = m->place_fd,
		.store = s,
	};
	int r;

	if (m->opts.place == UNFRAG_GUARD_NETFILTER)
		r = join_netfilter(m, s);
	else
		r = device_join_all(netns_of(m), &j);
	if (r)
		return r;
	m->about.state = ABOUT_READY;
	r = about_write(m->about_fd, &m->about);
	return r ? log_error(r, "the description can't be written: %s", strerror(-r)) : 0;
}

/* Two in one namespace would each think that all of the kernel's memory is theirs. */
static int claim(struct making *m, struct store *s)
{
	char name[32];
	int r;

	snprintf(name, sizeof(name), "%llu", (unsigned long long)m->about.netns_inode);
	r = store_create(s, STORE_GUARDS, name);
	if (r != -EEXIST)
		return r;
	return log_error(r,
			 "a guard is there already; 'unfrag guard status' shows it, 'tune' "
			 "changes its limits, 'off' takes it away");
}

int unfrag_guard_on(struct unfrag_guard **out, const struct unfrag_guard_opts *opts)
{
	/* Given back from the last one on: taking the store away needs descriptors that m holds. */
	_cleanup_(store_abandon) struct store s = STORE_INIT;
	_cleanup_(making_release) struct making m;
	struct unfrag_guard *guard;
	int r;

	making_init(&m);
	r = check_opts(&m, opts);
	if (!r)
		r = check_place(&m.opts);
	if (!r)
		r = m.opts.place == UNFRAG_GUARD_NETFILTER ? unfrag_probe_require() :
							     probe_require_types();
	if (!r)
		r = find_netns(&m);
	if (!r)
		r = device_find(netns_of(&m), &m.opts, &m.place, m.facts);
	if (!r)
		r = settle(&m);
	if (!r)
		r = claim(&m, &s);
	if (!r)
		r = prepare(&m, &s);
	if (!r)
		r = tune(&m, &s);
	if (!r)
		r = join(&m, &s);
	if (r)
		return r;
	guard = guard_of(&s);
	if (!guard)
		return -ENOMEM;
	store_unlock(&guard->store);
	*out = guard;
	return 0;
}
