// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The gate: a compiled ruleset as a program behind the front, one for each rank of priorities that
 * base chains have at a hook. All of a ruleset's programs share its maps.
 *
 * Most packets are decided by the first entry that is looked at, so that is done before a loop is
 * begun.
 */
#include "gate_packet.bpf.h"

/* The kernel's loop without a callback, from 6.4 on: a frame less on the stack. */
struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

static __always_inline void gate_go_on(struct gate_walk *w)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, GATE_STEPS_MAX);
	while (bpf_iter_num_next(&it) && !gate_step(w))
		;
	bpf_iter_num_destroy(&it);
}

/* The first rank is nearly always the only one. */
static __always_inline int is_plain(__u32 rank)
{
	return !rank && config.features & GATE_IS_PLAIN;
}

/* The first steps, for which a loop would be dear. Whether there are more to take. */
static __always_inline int gate_starts(struct gate_walk *w, __u32 first, __u32 n, int here)
{
	return !gate_begin(w, first, n, here) && !(here ? gate_step_here(w) : gate_step(w)) &&
	       !gate_step(w);
}

static __always_inline int gate(struct bpf_nf_ctx *ctx, __u32 rank)
{
	__u32 hook = ctx->state->hook, family = ctx->state->pf == UNFRAG_IPV6, first, n;
	struct gate_walk w;

	if (hook >= GATE_HOOKS)
		return NF_DROP;
	first = config.place[family][hook][rank].first;
	n = config.place[family][hook][rank].n;
	if (is_plain(rank) ? gate_read_here(ctx, &w.values) : gate_read(ctx, &w.values))
		return NF_DROP;
	w.hook = (__u16)hook;
	if (is_plain(rank) ? gate_starts(&w, first, n, 1) : gate_starts(&w, first, n, 0))
		gate_go_on(&w);
	return w.verdict == GATE_ACCEPT ? NF_ACCEPT : NF_DROP;
}

#define GATE_PROGRAM(rank) \
	SEC("netfilter") int gate##rank(struct bpf_nf_ctx *ctx) \
	{ \
		return gate(ctx, rank); \
	}

GATE_PROGRAM(0)
GATE_PROGRAM(1)
GATE_PROGRAM(2)
GATE_PROGRAM(3)
GATE_PROGRAM(4)
GATE_PROGRAM(5)
GATE_PROGRAM(6)
GATE_PROGRAM(7)

_Static_assert(GATE_RANKS_MAX == 8, "a program for each rank");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
