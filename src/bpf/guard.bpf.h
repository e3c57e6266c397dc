/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the guard's three programs share: the maps, the decision on one fragment, what is counted
 * and told. A program learns the facts of a packet where it stands, and does what is said here.
 *
 * The decision is made of global functions, so each is verified once, whatever leads to it.
 *
 * Who includes this says first: `guard_clock()`, the time in ns, and `guard_beat()`, which changes
 * whenever that does, and is cheap; or 0.
 */
#pragma once

#include <unfrag/unfrag.bpf.h>

#include "../guard/layout.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_state);
} state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GUARD_FAMILIES);
	__type(key, __u32);
	__type(value, struct guard_counters);
} counters SEC(".maps");

/* Numbers of entries are set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct guard_index);
} sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * GUARD_WAYS);
	__type(key, __u32);
	__type(value, struct guard_datagram);
} datagrams SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_sources);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

/* Set before load: time is what `state` says and all charges are least_charge, for tests. */
const volatile __u8 test_clock = 0;

#define guard_lock(p)   bpf_spin_lock(p)
#define guard_unlock(p) bpf_spin_unlock(p)

static __always_inline struct guard_index *guard_index_at(__u32 i)
{
	return bpf_map_lookup_elem(&sets, &i);
}

static __always_inline struct guard_datagram *guard_datagram_at(__u32 i)
{
	return bpf_map_lookup_elem(&datagrams, &i);
}

static __always_inline struct guard_sources *guard_sources_at(__u32 i)
{
	return bpf_map_lookup_elem(&sources, &i);
}

static __always_inline struct guard_state *guard_state_get(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&state, &key);
}

static __always_inline struct guard_counters *guard_counters_get(__u32 family)
{
	return bpf_map_lookup_elem(&counters, &family);
}

static __always_inline const struct guard_config *guard_config_get(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&config, &key);
}

#define guard_moment(s) (test_clock ? (s)->clock : guard_beat())

#define GUARD_STEP __noinline
#define GUARD_PART static __noinline

#include "../guard/guard.h"

static __always_inline __u64 guard_now(void)
{
	const struct guard_state *s;

	if (!test_clock)
		return guard_clock();
	s = guard_state_get();
	return s ? s->clock : 0;
}

/* Whether there is room for one more in this second. */
static __always_inline int may_tell(struct guard_state *s, const struct guard_config *c, __u64 now)
{
	__u64 second = now >> GUARD_SECOND_SHIFT;

	if (s->second != second) {
		s->second = second;
		s->told = 0;
	}
	/* Read first: in a flood it is full, and nobody need own the line. */
	return s->told < c->events && __sync_fetch_and_add(&s->told, 1) < c->events;
}

/* Of a fragment that is filled in, or of which only the addresses are known. */
static __noinline int tell(const struct guard_fragment *f, const struct unfrag_facts *facts,
			   __u32 reason)
{
	const struct guard_config *c = guard_config_get();
	struct guard_state *s = guard_state_get();
	struct guard_event *e;

	if (!s || !c || !may_tell(s, c, f->now))
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return 0;
	__builtin_memset(e, 0, sizeof(*e));
	e->time = f->now;
	e->reason = (__u8)reason;
	e->family = f->family ? UNFRAG_IPV6 : UNFRAG_IPV4;
	e->id = facts->id;
	e->off = facts->frag_off;
	e->len = (__u16)(facts->len - facts->payload_off);
	e->proto = facts->proto;
	e->more = facts->more;
	e->address[0] = f->key.word[0];
	e->address[1] = f->key.word[1];
	e->address[2] = f->key.word[2];
	e->address[3] = f->key.word[3];
	bpf_ringbuf_submit(e, 0);
	return 0;
}

#define guard_tell(f, facts, reason) tell(f, facts, reason)

#include "../guard/verdict.h"
