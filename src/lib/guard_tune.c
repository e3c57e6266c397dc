// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Limits of a guard that is on: read, and changed.
 *
 * The guard must never count on more memory than the kernel has, nor on a datagram being gone that
 * the kernel still holds. So while sysctls are on their way the stricter of both sides holds: cut
 * short there, the guard is too strict and not too lax.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "guard.h"
#include "guard_machine.h"
#include "guard_sysctl.h"
#include "links.h"
#include "log.h"
#include "netns.h"
#include "opts.h"

int unfrag_guard_get_limits(struct unfrag_guard *guard, struct unfrag_guard_limits *limits)
{
	struct unfrag_guard_limits l;
	struct guard_config config;
	int r = guard_read_config(guard, &config);

	if (r)
		return r;
	limits_of_config(&l, &config);
	return opts_put(limits, &l, sizeof(l));
}

struct tuning {
	struct about about;
	struct guard_place place;
	struct guard_config old, now;
	struct unfrag_guard_limits limits;
	struct sysctl_book book;
	struct sysctl_values before, plan;
	int netns_fd;
	int config_fd;
	int book_fd;
};

static void tuning_release(struct tuning *t)
{
	close_p(&t->netns_fd);
	close_p(&t->config_fd);
	close_p(&t->book_fd);
}

/* `limits` over those in force. */
static int merge(struct tuning *t, const struct unfrag_guard_limits *limits)
{
	struct unfrag_guard_limits current;

	limits_of_config(&current, &t->old);
	if (opts_get(&t->limits, sizeof(t->limits), limits))
		return log_error(-EINVAL, "a limit is set that this version does not know");
	if (t->limits.datagrams && t->limits.datagrams != current.datagrams)
		return log_error(
			-EINVAL,
			"the number of datagrams, %u, can't be changed while the guard is on; "
			"take it off, and on again",
			current.datagrams);
	limits_merge(&t->limits, &current);
	return 0;
}

static int gather(struct tuning *t, const struct unfrag_guard *guard,
		  const struct unfrag_guard_limits *limits)
{
	bool tuned;
	int r = guard_read_about(guard, &t->about, &t->place);

	if (!r)
		r = guard_read_config(guard, &t->old);
	if (!r)
		r = merge(t, limits);
	if (r)
		return r;
	if (t->about.state != ABOUT_READY)
		return log_error(-EBADF, "the guard is broken; 'unfrag guard off' cleans it");
	r = guard_netns(&t->about, &t->place, &t->netns_fd);
	if (r)
		return r;
	if (t->netns_fd == LINKS_NETNS_UNKNOWN)
		return log_error(-EBADF, "nothing leads to the guard's network namespace any more");
	r = sysctl_read(t->netns_fd, &t->before);
	if (r)
		return log_error(r, "the network namespace can't be entered: %s", strerror(-r));
	tuned = !(t->place.flags & UNFRAG_GUARD_NO_TUNE);
	r = machine_settle(&t->limits, &t->before, t->about.families, tuned, false);
	if (r)
		return r;
	sysctl_plan(&t->plan, &t->before, tuned ? t->about.families : 0, &t->limits);
	t->now = t->old;
	limits_to_config(&t->now, &t->limits);
	t->now.glance = limits_glance(&t->now, &t->old, guard_now_ns());
	return 0;
}

static int open_maps(struct tuning *t, const struct unfrag_guard *guard)
{
	int r = about_read(&guard->store, GUARD_SYSCTLS, &t->book, sizeof(t->book));

	if (!r) {
		t->book_fd = store_get(&guard->store, GUARD_SYSCTLS);
		r = t->book_fd < 0 ? t->book_fd : 0;
	}
	if (r)
		return log_error(r == -ENOENT ? -EBADF : r,
				 "what the sysctls were can't be read: %s", strerror(-r));
	t->config_fd = guard_open_map(guard, GUARD_MAP_CONFIG, sizeof(t->now));
	return t->config_fd < 0 ? t->config_fd : 0;
}

static int write_config(const struct tuning *t, const struct guard_config *config)
{
	const uint32_t key = 0;
	int r = bpf_map_update_elem(t->config_fd, &key, config, BPF_ANY);

	return r ? log_error(r, "the limits can't be written: %s", strerror(-r)) : 0;
}

static void undo(struct tuning *t)
{
	int i;

	for (i = 0; i < SYSCTL_MAX; i++)
		if (t->plan.at[i] >= 0)
			t->plan.at[i] = t->before.at[i];
	sysctl_set(t->netns_fd, t->book_fd, &t->book, &t->plan);
}

static int change(struct tuning *t)
{
	struct guard_config strict = t->old;
	unsigned int i;
	int r;

	strict.glance = t->now.glance;
	for (i = 0; i < 2; i++) {
		if (t->now.memory[i] < strict.memory[i])
			strict.memory[i] = t->now.memory[i];
		if (t->now.timeout[i] > strict.timeout[i])
			strict.timeout[i] = t->now.timeout[i];
	}
	r = write_config(t, &strict);
	if (r)
		return r;
	r = sysctl_set(t->netns_fd, t->book_fd, &t->book, &t->plan);
	if (!r) {
		t->now.glance = limits_glance(&t->now, &t->old, guard_now_ns());
		r = write_config(t, &t->now);
		if (r)
			undo(t);
	}
	if (r)
		write_config(t, &t->old);
	return r;
}

int unfrag_guard_tune(struct unfrag_guard *guard, const struct unfrag_guard_limits *limits)
{
	_cleanup_(tuning_release) struct tuning t = {
		.netns_fd = LINKS_NETNS_UNKNOWN,
		.config_fd = -1,
		.book_fd = -1,
	};
	int r = guard_lock_store(guard);

	if (r)
		return r;
	r = gather(&t, guard, limits);
	if (!r)
		r = open_maps(&t, guard);
	if (!r)
		r = change(&t);
	store_unlock(&guard->store);
	return r;
}

struct listing {
	const struct sysctl_book *book;
	const struct sysctl_values *now;
	int (*fn)(const struct unfrag_guard_sysctl *sysctl, void *arg);
	void *arg;
};

static int list_sysctls(const struct listing *l)
{
	struct unfrag_guard_sysctl row;
	int i, r = 0;

	for (i = 0; i < SYSCTL_MAX && !r; i++) {
		if (!l->book->row[i].used)
			continue;
		row = (struct unfrag_guard_sysctl){
			.name = sysctl_name((enum sysctl_id)i),
			.old = l->book->row[i].old,
			.set = l->book->row[i].set,
			.now = l->now->at[i],
		};
		r = l->fn(&row, l->arg);
	}
	return r;
}

int unfrag_guard_each_sysctl(struct unfrag_guard *guard,
			     int (*fn)(const struct unfrag_guard_sysctl *sysctl, void *arg),
			     void *arg)
{
	_cleanup_close_ int netns_fd = LINKS_NETNS_UNKNOWN;
	struct sysctl_values now;
	struct sysctl_book book;
	struct listing l = { .book = &book, .now = &now, .fn = fn, .arg = arg };
	struct guard_place place;
	struct about about;
	int r = guard_read_about(guard, &about, &place);

	if (r)
		return r;
	r = about_read(&guard->store, GUARD_SYSCTLS, &book, sizeof(book));
	if (r)
		return log_error(r == -ENOENT ? -EBADF : r,
				 "what the sysctls were can't be read: %s", strerror(-r));
	memset(&now, 0xff, sizeof(now));
	r = guard_netns(&about, &place, &netns_fd);
	if (r)
		return r;
	if (netns_fd != LINKS_NETNS_UNKNOWN)
		sysctl_read(netns_fd, &now);
	return list_sysctls(&l);
}
