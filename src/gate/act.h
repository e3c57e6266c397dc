/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What an entry does to a packet whose checks hold: limit, counter, log, action.
 */
#pragma once

#include "check.h"

#define gate_count(field, n) __sync_fetch_and_add(&(field), (n))

/*
 * Whether a limit lets the packet match. The clock is read before the lock is had, so another CPU
 * may have been later.
 */
GATE_INLINE int gate_limit_holds(struct gate_limit *l, __u32 length)
{
	__u64 now = gate_clock(), cost = l->cost, tokens;
	int within;

	if (l->flags & GATE_LIMIT_BYTES)
		cost = l->rate ? l->second * length / l->rate : 0;
	gate_lock(&l->lock);
	if (now < l->last)
		now = l->last;
	tokens = l->tokens + now - l->last;
	if (tokens > l->max)
		tokens = l->max;
	within = tokens >= cost;
	l->last = now;
	l->tokens = within ? tokens - cost : tokens;
	gate_unlock(&l->lock);
	return within != !!(l->flags & GATE_LIMIT_OVER);
}

GATE_STEP int gate_is_limited(__u32 number, __u32 length)
{
	struct gate_limit *l = gate_limit_at(number);

	return l && !gate_limit_holds(l, length);
}

GATE_INLINE void gate_add(__u32 number, __u32 length)
{
	struct gate_counter *c = gate_counter_at(number);

	if (!c)
		return;
	gate_count(c->packets, 1);
	gate_count(c->bytes, length);
}

/* Enters a chain. Anything that a compiler does not write drops the packet. */
GATE_INLINE int gate_enter(struct gate_walk *w, __u32 number)
{
	const struct gate_chain *c = gate_chain_at(number);

	if (!c) {
		w->verdict = GATE_DROP;
		return 1;
	}
	w->pc = c->first;
	w->end = c->end;
	return 0;
}

/* Enters the next base chain of the place; after the last the packet is accepted. */
GATE_INLINE int gate_enter_base(struct gate_walk *w)
{
	if (w->base >= w->base_end) {
		w->verdict = GATE_ACCEPT;
		return 1;
	}
	w->depth = 0;
	return gate_enter(w, w->base);
}

/* A verdict of a base chain: of a rule or its policy. */
GATE_INLINE int gate_decide(struct gate_walk *w, __u32 verdict)
{
	if (verdict == GATE_ACCEPT) {
		w->base++;
		return gate_enter_base(w);
	}
	w->verdict = GATE_DROP;
	return 1;
}

/* The end of a chain: back to who called it, or the base chain's policy. */
GATE_INLINE int gate_return(struct gate_walk *w)
{
	const struct gate_chain *c;
	__u32 depth = w->depth;

	if (GATE_CONFIG.features & GATE_HAS_JUMPS && depth) {
		depth = (depth - 1) & (GATE_JUMPS_MAX - 1);
		gate_opaque(depth);
		depth &= GATE_JUMPS_MAX - 1;
		w->pc = w->frame[depth].pc;
		w->end = w->frame[depth].end;
		w->depth = (__u16)depth;
		return 0;
	}
	c = gate_chain_at(w->base);
	gate_trace(w, w->base, GATE_ENDED, c ? c->policy : GATE_DROP);
	return gate_decide(w, c ? c->policy : GATE_DROP);
}

/* next: where this chain goes on. */
GATE_INLINE int gate_jump(struct gate_walk *w, __u32 chain, __u32 next)
{
	__u32 depth = w->depth;

	if (depth >= GATE_JUMPS_MAX) {
		w->verdict = GATE_DROP;
		return 1;
	}
	gate_opaque(depth);
	depth &= GATE_JUMPS_MAX - 1;
	w->frame[depth].pc = (__u16)next;
	w->frame[depth].end = (__u16)w->end;
	w->depth = (__u16)(depth + 1);
	return gate_enter(w, chain);
}

/* Whether the walk has ended. */
GATE_INLINE int gate_act(struct gate_walk *w, __u32 action, __u32 chain, __u32 next)
{
	switch (action) {
	case GATE_NEXT:
		w->pc++;
		return 0;
	case GATE_RETURN:
		return gate_return(w);
	case GATE_JUMP:
		if (GATE_CONFIG.features & GATE_HAS_JUMPS)
			return gate_jump(w, chain, next);
		break;
	case GATE_GOTO:
		if (GATE_CONFIG.features & GATE_HAS_JUMPS)
			return gate_enter(w, chain);
		break;
	default:
		break;
	}
	return gate_decide(w, action);
}
