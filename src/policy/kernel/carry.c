// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an instance has counted, and what the next one takes over from it; see instance.h.
 *
 * Packets add to the map "counters", each CPU for itself, and user space can't write there without
 * losing what comes in just then. So it writes to "earlier", which no packet touches.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "instance_maps.h"
#include "kept.h"
#include "pairs.h"

int instance_read(int fd, void *values, size_t n)
{
	uint32_t *keys = malloc((n + 1) * sizeof(*keys)), count = (uint32_t)n, next;
	int r = keys ? 0 : -ENOMEM;

	if (!r && n)
		r = bpf_map_lookup_batch(fd, NULL, &next, keys, values, &count, NULL);
	free(keys);
	/* Said by it when it has come to the end. */
	if (r == -ENOENT)
		r = 0;
	return !r && n && count != n ? -EIO : r;
}

static void add(struct gate_counter *sum, const struct gate_counter *c)
{
	sum->packets += c->packets;
	sum->bytes += c->bytes;
}

/* On top of what is in out. */
static int add_live(int fd, struct gate_counter *out, size_t n)
{
	int cpus = libbpf_num_possible_cpus(), cpu, r;
	struct gate_counter *live;
	size_t i;

	if (cpus < 0)
		return cpus;
	live = calloc(n + 1, (size_t)cpus * sizeof(*live));
	r = live ? instance_read(fd, live, n) : -ENOMEM;
	for (i = 0; i < n && !r; i++)
		for (cpu = 0; cpu < cpus; cpu++)
			add(&out[i], &live[i * (size_t)cpus + (size_t)cpu]);
	free(live);
	return r;
}

int instance_counters(const struct instance *in, struct gate_counter *out, size_t n,
		      struct complaint *c)
{
	int r = n == in->rs->n_counters ? 0 : -EINVAL;

	if (!r)
		r = instance_read(in->fds[INSTANCE_EARLIER], out, n);
	if (!r)
		r = add_live(in->fds[INSTANCE_COUNTERS], out, n);
	return r ? complain(c, r, "counters can't be read: %s", strerror(-r)) : 0;
}

/* What counters of the next one start from: what theirs show now, or what the ruleset says. */
static int carry_counters(struct instance *next, const struct instance *old, const struct pairs *p,
			  struct complaint *c)
{
	size_t n = next->rs->n_counters, n_old = old->rs->n_counters, i;
	struct gate_counter *base = calloc(n + 1, sizeof(*base));
	struct gate_counter *shown = calloc(n_old + 1, sizeof(*shown));
	int r = -ENOMEM;

	if (base && shown)
		r = instance_counters(old, shown, n_old, c);
	else
		complain(c, r, "no memory for counters");
	for (i = 0; i < n && !r; i++) {
		base[i].packets = next->rs->counters[i].packets;
		base[i].bytes = next->rs->counters[i].bytes;
		if (p->counters[i] != PAIRS_NONE)
			base[i] = shown[p->counters[i]];
	}
	if (!r)
		r = instance_write(next->fds[INSTANCE_EARLIER], base, n);
	free(base);
	free(shown);
	return r ? complain(c, r, "counters can't be carried over: %s", strerror(-r)) : 0;
}

/* Packets take tokens meanwhile, under the lock of each limit. */
static int read_limits(const struct instance *in, struct gate_limit *out)
{
	uint32_t i;
	int r = 0;

	for (i = 0; i < in->rs->n_limits && !r; i++)
		r = bpf_map_lookup_elem_flags(in->fds[INSTANCE_LIMITS], &i, &out[i], BPF_F_LOCK);
	return r;
}

static int carry_limits(struct instance *next, const struct instance *old, const struct pairs *p,
			struct complaint *c)
{
	struct gate_limit *from = calloc(old->rs->n_limits + 1, sizeof(*from));
	struct gate_limit *to = calloc(next->rs->n_limits + 1, sizeof(*to));
	size_t i;
	int r = from && to ? read_limits(old, from) : -ENOMEM;

	if (!r)
		r = read_limits(next, to);
	for (i = 0; i < next->rs->n_limits && !r; i++) {
		if (p->limits[i] == PAIRS_NONE)
			continue;
		to[i].tokens = from[p->limits[i]].tokens;
		to[i].last = from[p->limits[i]].last;
	}
	if (!r)
		r = instance_write(next->fds[INSTANCE_LIMITS], to, next->rs->n_limits);
	free(from);
	free(to);
	return r ? complain(c, r, "limits can't be carried over: %s", strerror(-r)) : 0;
}

static int find_pairs(struct pairs *p, const struct instance *next, const struct instance *old,
		      struct complaint *c)
{
	int r = pairs_find(p, next->rs, old->rs);

	return r ? complain(c, r, "no memory to compare the rulesets") : 0;
}

int instance_inherit(struct instance *next, const struct instance *old, struct complaint *c)
{
	struct pairs p;
	int r = find_pairs(&p, next, old, c);

	if (r)
		return r;
	r = carry_counters(next, old, &p, c);
	if (!r)
		r = carry_limits(next, old, &p, c);
	pairs_release(&p);
	if (r)
		return r;
	next->about.reloads = old->about.reloads + 1;
	return kept_write_about(next->fds[INSTANCE_ABOUT], &next->about, c);
}

/* Not limits: packets take their tokens already. */
int instance_settle(struct instance *next, const struct instance *old, struct complaint *c)
{
	struct pairs p;
	int r = find_pairs(&p, next, old, c);

	if (r)
		return r;
	r = carry_counters(next, old, &p, c);
	pairs_release(&p);
	return r;
}
