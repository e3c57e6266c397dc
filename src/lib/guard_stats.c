// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What the guard has counted and who holds what, read from its tables.
 *
 * In the tables a datagram ends when something looks at its place. Time goes on without that, so
 * what is over but stands there still is taken off here.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "guard.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "netns.h"
#include "opts.h"
#include "probe.h"

/* Accounts of sources by reference: the set, and the way in 6 bits. */
#define WAY_BITS 6

struct tables {
	struct guard_config config;
	int sets_fd;
	int sources_fd;
	uint64_t now;
	struct guard_index *set; /* room for one */
	int64_t *over;           /* by account: charges of what is over; NULL: not wanted */
	uint32_t *gone;          /* and how many datagrams */
};

#define TABLES_INIT \
	{ \
		.sets_fd = -1, .sources_fd = -1 \
	}

struct account {
	int64_t over; /* bytes charged to datagrams whose time is over */
	uint64_t ended, open, given_up;
};

static void tables_release(struct tables *t)
{
	close_p(&t->sets_fd);
	close_p(&t->sources_fd);
	free(t->set);
	free(t->over);
	free(t->gone);
}

static int tables_open(struct tables *t, const struct unfrag_guard *guard)
{
	int r = guard_read_config(guard, &t->config);

	if (r)
		return r;
	t->sets_fd = guard_open_map(guard, GUARD_MAP_SETS, sizeof(*t->set));
	if (t->sets_fd < 0)
		return t->sets_fd;
	t->sources_fd = guard_open_map(guard, GUARD_MAP_SOURCES, sizeof(struct guard_sources));
	if (t->sources_fd < 0)
		return t->sources_fd;
	t->set = malloc(sizeof(*t->set));
	if (!t->set)
		return -ENOMEM;
	t->now = guard_now_ns();
	return 0;
}

static uint32_t account_of(const struct tables *t, uint32_t reference)
{
	uint32_t way = reference & ((1u << WAY_BITS) - 1);

	way = way > GUARD_WAYS ? GUARD_WAYS : way;
	return (reference >> 8 & t->config.source_mask) << WAY_BITS | way;
}

static void look_at(const struct tables *t, unsigned int family, uint32_t way, struct account *a)
{
	uint32_t account = account_of(t, t->set->account[way]);
	uint32_t deadline = (uint32_t)((t->now - t->config.timeout[family]) >> GUARD_TICK_SHIFT);

	if ((int32_t)(t->set->since[way] - deadline) >= 0) {
		if (t->set->refused >> way & 1)
			a->given_up++;
		else
			a->open++;
		return;
	}
	a->ended++;
	a->over += t->set->charge[way];
	if (!t->over)
		return;
	t->over[account] += t->set->charge[way];
	t->gone[account]++;
}

/* Every set is copied under its lock, one after the other. */
static int walk(const struct tables *t, unsigned int family, struct account *a)
{
	uint32_t sets = t->config.datagram_mask + 1, i, key, way;
	int r;

	for (i = 0; i < sets; i++) {
		key = family * sets + i;
		r = bpf_map_lookup_elem_flags(t->sets_fd, &key, t->set, BPF_F_LOCK);
		if (r)
			return log_error(r, "the table of datagrams can't be read: %s",
					 strerror(-r));
		for (way = 0; way < GUARD_WAYS; way++)
			if (t->set->used >> way & 1)
				look_at(t, family, way, a);
	}
	return 0;
}

static void add_counters(struct unfrag_guard_stats *s, const struct guard_counters *cpu)
{
	int i;

	s->fragments += cpu->fragments;
	s->passed += cpu->passed;
	s->atomic += cpu->atomic;
	s->dont_fragment += cpu->dont_fragment;
	s->opened += cpu->opened;
	s->completed += cpu->completed;
	s->timed_out += cpu->timed_out;
	for (i = 0; i < UNFRAG_GUARD_REASON_SLOTS; i++) {
		s->reasons[i] += cpu->reasons[i];
		s->refused += cpu->reasons[i];
	}
}

_Static_assert(UNFRAG_GUARD_REASON_SLOTS == GUARD_REASON_SLOTS, "one layout");

static int read_counters(const struct unfrag_guard *guard, uint32_t family,
			 struct unfrag_guard_stats *s)
{
	_cleanup_close_ int fd = guard_open_map(guard, GUARD_MAP_COUNTERS,
						sizeof(struct guard_counters));
	_cleanup_free_ struct guard_counters *cpus = NULL;
	int n = libbpf_num_possible_cpus(), i, r;

	if (fd < 0 || n < 0)
		return fd < 0 ? fd : n;
	cpus = calloc((size_t)n, sizeof(*cpus));
	if (!cpus)
		return -ENOMEM;
	r = bpf_map_lookup_elem(fd, &family, cpus);
	if (r)
		return log_error(r, "the guard's counters can't be read: %s", strerror(-r));
	for (i = 0; i < n; i++)
		add_counters(s, &cpus[i]);
	return 0;
}

int guard_count_refused(const struct unfrag_guard *guard, uint32_t family, uint64_t *sum)
{
	struct unfrag_guard_stats s = { 0 };
	int r = read_counters(guard, family, &s);

	*sum += s.refused;
	return r;
}

static int read_account(const struct unfrag_guard *guard, unsigned int family,
			struct unfrag_guard_stats *s)
{
	_cleanup_(tables_release) struct tables t = TABLES_INIT;
	_cleanup_close_ int fd = guard_open_map(guard, GUARD_MAP_STATE, sizeof(struct guard_state));
	struct account a = { 0 };
	struct guard_state state;
	const uint32_t key = 0;
	int r = fd < 0 ? fd : tables_open(&t, guard);

	if (!r)
		r = walk(&t, family, &a);
	if (r)
		return r;
	r = bpf_map_lookup_elem(fd, &key, &state);
	if (r)
		return log_error(r, "the guard's account can't be read: %s", strerror(-r));
	if (state.used[family] > a.over)
		s->memory = (uint64_t)(state.used[family] - a.over);
	s->memory_limit = t.config.memory[family];
	s->datagrams = a.open;
	s->given_up = a.given_up;
	s->timed_out += a.ended;
	return 0;
}

static void read_kernel(const struct unfrag_guard *guard, unsigned int family,
			struct unfrag_guard_stats *s)
{
	_cleanup_close_ int netns_fd = LINKS_NETNS_UNKNOWN;
	struct unfrag_frag_limits limits[2];
	struct guard_place place;
	struct about about;

	s->kernel_memory = s->kernel_limit = -1;
	if (guard_read_about(guard, &about, &place) || guard_netns(&about, &place, &netns_fd))
		return;
	if (netns_fd == LINKS_NETNS_UNKNOWN || probe_limits(netns_fd, limits))
		return;
	s->kernel_memory = limits[family].memory;
	s->kernel_limit = limits[family].high_thresh;
}

int unfrag_guard_stats(struct unfrag_guard *guard, uint32_t family,
		       struct unfrag_guard_stats *stats)
{
	struct unfrag_guard_stats s = { .sz = sizeof(s) };
	int f = family_index(family), r;

	if (f < 0)
		return -EINVAL;
	/* Counters first: what is opened meanwhile is then in the table and not missed. */
	r = read_counters(guard, (uint32_t)f, &s);
	if (!r)
		r = read_account(guard, (unsigned int)f, &s);
	if (r)
		return r;
	read_kernel(guard, (unsigned int)f, &s);
	return opts_put(stats, &s, sizeof(s));
}

static void fill_source(struct unfrag_guard_source *out, const struct tables *t,
			const struct guard_source *s, uint32_t account, bool is_common)
{
	int64_t used = s->used - t->over[account];
	uint32_t word = (uint32_t)s->key[0];

	*out = (struct unfrag_guard_source){
		.family = is_common ? 0 : 1u << (s->family & 1),
		.prefix = 0,
		.memory = used > 0 ? (uint64_t)used : 0,
		.refused = s->refused,
		.datagrams = s->open > t->gone[account] ? s->open - t->gone[account] : 0,
		.standing = s->standing,
	};
	if (is_common)
		return;
	if (s->family)
		memcpy(out->address, s->key, sizeof(out->address));
	else
		memcpy(out->address, &word, sizeof(word));
	out->prefix = (uint32_t)(__builtin_popcountll(t->config.prefix[s->family & 1][0]) +
				 __builtin_popcountll(t->config.prefix[s->family & 1][1]));
}

/* Sources of one set; the common account only if it has anything to say. */
static int each_of_set(const struct tables *t, const struct guard_sources *set, uint32_t number,
		       int (*fn)(const struct unfrag_guard_source *source, void *arg), void *arg)
{
	struct unfrag_guard_source source;
	uint32_t way;
	int r = 0;

	for (way = 0; way <= GUARD_WAYS && !r; way++) {
		if (way < GUARD_WAYS && !set->tags[way])
			continue;
		fill_source(&source, t, &set->s[way], number << WAY_BITS | way, way == GUARD_WAYS);
		if (way < GUARD_WAYS || source.memory || source.refused || source.datagrams)
			r = fn(&source, arg);
	}
	return r;
}

static int each_source(const struct tables *t,
		       int (*fn)(const struct unfrag_guard_source *source, void *arg), void *arg)
{
	_cleanup_free_ struct guard_sources *set = malloc(sizeof(*set));
	uint32_t i;
	int r = set ? 0 : -ENOMEM;

	for (i = 0; i <= t->config.source_mask && !r; i++) {
		r = bpf_map_lookup_elem_flags(t->sources_fd, &i, set, BPF_F_LOCK);
		if (r)
			return log_error(r, "the table of sources can't be read: %s", strerror(-r));
		r = each_of_set(t, set, i, fn, arg);
	}
	return r;
}

int unfrag_guard_each_source(struct unfrag_guard *guard,
			     int (*fn)(const struct unfrag_guard_source *source, void *arg),
			     void *arg)
{
	_cleanup_(tables_release) struct tables t = TABLES_INIT;
	struct account a = { 0 };
	size_t accounts;
	int r = tables_open(&t, guard);

	if (r)
		return r;
	accounts = ((size_t)t.config.source_mask + 1) << WAY_BITS;
	t.over = calloc(accounts, sizeof(*t.over));
	t.gone = calloc(accounts, sizeof(*t.gone));
	if (!t.over || !t.gone)
		return -ENOMEM;
	r = walk(&t, 0, &a);
	if (!r)
		r = walk(&t, 1, &a);
	return r ? r : each_source(&t, fn, arg);
}
