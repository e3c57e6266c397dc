/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of one compiled ruleset, and the gate's text over them. How many entries they have, and
 * how long vectors and the direct table are, is set before load.
 */
#pragma once

#include "../gate/walk.h"
#include "gate_kernel.bpf.h"

const volatile struct gate_config config = { 0 };

#define GATE_ARRAY(name, type_) \
	struct { \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(max_entries, 1); \
		__type(key, __u32); \
		__type(value, type_); \
	} name SEC(".maps")

GATE_ARRAY(lines, struct gate_line);
GATE_ARRAY(entries, struct gate_entry);
GATE_ARRAY(checks, struct gate_check);
GATE_ARRAY(chains, struct gate_chain);
GATE_ARRAY(limits, struct gate_limit);
GATE_ARRAY(lost, __u64);

/* Short and long part of a vector. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 2 * sizeof(__u64));
} vectors SEC(".maps");

/* All of them are one value: entries of an array would take eight bytes each. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 8);
} direct SEC(".maps");

struct gate_tree_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct gate_line));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, struct gate_tree_map);
} trees SEC(".maps");

struct gate_tuple_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct gate_tuple));
	__uint(value_size, sizeof(union gate_tuple_value));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, struct gate_tuple_map);
} tuples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gate_counter);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

/*
 * What only user space looks at, pinned with the rest: what each counter had before packets met
 * this program, what was asked for, and the ruleset as it was read, in pages.
 */
GATE_ARRAY(earlier, struct gate_counter);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 8);
} about SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 4096);
} listing SEC(".maps");

#define GATE_STEP       __noinline
#define GATE_CONFIG     config
#define gate_clock()    bpf_ktime_get_ns()
#define gate_lock(p)    bpf_spin_lock(p)
#define gate_unlock(p)  bpf_spin_unlock(p)
#define gate_trace(...) ((void)0)

#define GATE_AT(name, type, map) \
	static __always_inline type *gate_##name##_at(__u32 i) \
	{ \
		return bpf_map_lookup_elem(&map, &i); \
	}

GATE_AT(vector, const __u64, vectors)
GATE_AT(entry, const struct gate_entry, entries)
GATE_AT(check, const struct gate_check, checks)
GATE_AT(chain, const struct gate_chain, chains)
GATE_AT(limit, struct gate_limit, limits)
GATE_AT(counter, struct gate_counter, counters)

static __always_inline const void *gate_lines_get(void)
{
	return &lines;
}

static __always_inline const void *gate_set_lines_get(__u32 set)
{
	return bpf_map_lookup_elem(&trees, &set);
}

static __always_inline const struct gate_line *gate_line_at(const void *tree, __u32 i)
{
	return bpf_map_lookup_elem((void *)tree, &i);
}

/* The base is read last: a number that goes to the stack and back is one that no verifier knows. */
static __always_inline __u32 gate_direct_at(__u32 field, __u32 value)
{
	__u32 key = 0;
	const __u16 *d = bpf_map_lookup_elem(&direct, &key);

	return d ? d[config.table[field].base + value] : 0;
}

static __always_inline const void *gate_tuples_get(__u32 set)
{
	return bpf_map_lookup_elem(&tuples, &set);
}

static __always_inline const union gate_tuple_value *gate_tuple_at(const void *map,
								   const struct gate_tuple *key)
{
	return bpf_map_lookup_elem((void *)map, key);
}

/* Tells of a packet, or counts that there was no room to. log_number: counted from 1. */
__noinline int gate_tell(const struct gate_walk *w, __u32 log_number, __u32 rule)
{
	struct gate_event *e;
	__u64 *missed;
	__u32 key = 0;

	if (!w)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		missed = bpf_map_lookup_elem(&lost, &key);
		if (missed)
			__sync_fetch_and_add(missed, 1);
		return 0;
	}
	e->time = bpf_ktime_get_ns();
	e->rule = rule;
	e->log = log_number - 1;
	e->hook = w->hook;
	e->reserved = 0;
	e->values = w->values;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

#define gate_log(w, e) gate_tell(w, (e)->log, (e)->rule)

#include "../gate/gate.h"
