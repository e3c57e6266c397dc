/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a netfilter program can see of a packet, read into the fields that the ruleset asks for and
 * no others.
 *
 * Behind the front all IP headers can be followed, and the first one is in the linear part.
 *
 * A global function is verified once, and who calls it is told nothing of what it did to memory: so
 * ways that part in one come together again where it returns.
 */
#pragma once

#include "gate_fragments.bpf.h"
#include "gate_kernel.bpf.h"
#include "gate_maps.bpf.h"

#define GATE_WANTED(i) (config.wanted[i])

#include "../gate/read.h"

__noinline int gate_chase_step(struct bpf_nf_ctx *ctx, struct gate_l4 *l4)
{
	struct gate_packet p;

	if (!l4)
		return 0;
	gate_packet_of(&p, ctx);
	gate_read_exthdr(&p, l4);
	return 0;
}

static __always_inline void gate_chase(struct bpf_nf_ctx *ctx, struct gate_l4 *l4)
{
	__u32 i;

#pragma GCC unroll 1
	for (i = 0; i < UNFRAG_EXTHDR_MAX && l4->walking; i++)
		gate_chase_step(ctx, l4);
	l4->lost |= l4->walking;
}

static __always_inline void gate_read_fragments(struct gate_values *v, const struct gate_packet *p,
						int is_ipv6)
{
	__u32 next = GATE_WANTED(GATE_REASSEMBLED), largest, smallest;

	if (next > GATE_SMALLEST)
		return;
	largest = gate_frag_max_size(p, is_ipv6);
	gate_put(v, next, REASSEMBLED, largest != 0);
	if (!largest)
		return;
	gate_put(v, next, LARGEST, largest);
	smallest = next == GATE_SMALLEST ? (__u32)gate_smallest(p->ctx, largest) : 0;
	gate_put_if(v, next, SMALLEST, smallest, smallest);
}

/* A device's name, with zeros behind it. */
static __always_inline void gate_get_name(__u32 *word, const struct net_device___gate *dev)
{
	const __u64 *name;
	__u64 first = 0, second = 0;

	if (dev) {
		name = (const __u64 *)dev->name;
		first = bpf_be64_to_cpu(name[0]);
		second = bpf_be64_to_cpu(name[1]);
	}
	gate_cut_name(&first, &second);
	gate_split(word, first, second);
}

/* What the kernel knows beside the packet's bytes. */
static __always_inline void gate_read_rest(struct gate_values *v, const struct gate_packet *p)
{
	const struct nf_hook_state___gate *state = p->ctx->state;
	__u32 next = GATE_WANTED(GATE_IIFNAME);

	if (gate_is_next(next, IIFNAME, GATE_WANTED)) {
		gate_get_name(&v->word[GATE_W_IIFNAME], state->in);
		v->present |= GATE_BIT(IIFNAME);
	}
	if (gate_is_next(next, OIFNAME, GATE_WANTED)) {
		gate_get_name(&v->word[GATE_W_OIFNAME], state->out);
		v->present |= GATE_BIT(OIFNAME);
	}
	gate_put(v, next, IIF, state->in ? (__u32)state->in->ifindex : 0);
	gate_put(v, next, OIF, state->out ? (__u32)state->out->ifindex : 0);
	v->word[GATE_W_LENGTH] = p->len;
	gate_put(v, next, LENGTH, p->len);
	gate_put(v, next, MARK, p->skb->mark);
	gate_put(v, next, NFPROTO, state->pf);
	if (bpf_core_field_exists(p->skb->_nfct))
		gate_put(v, next, CT_STATE, gate_ct_state(p->skb->_nfct));
	else
		gate_put(v, next, CT_STATE, GATE_CT_INVALID);
}

/* What the headers say. Returns 0, or -1 for a packet that the front would not let by. */
static __always_inline int gate_read_headers(struct gate_values *v, const struct gate_packet *p,
					     struct gate_l4 *l4, int is_ipv6)
{
	if (p->linear < (is_ipv6 ? UNFRAG_IPV6_HLEN : UNFRAG_IPV4_HLEN))
		return -1;
	if (is_ipv6)
		gate_read_ipv6(v, p, l4);
	else
		gate_read_ipv4(v, p, l4);
	if (l4->walking)
		gate_chase(p->ctx, l4);
	if (GATE_WANTS_L4)
		gate_read_l4(v, p, l4);
	return 0;
}

static __always_inline int gate_read_here(struct bpf_nf_ctx *ctx, struct gate_values *v)
{
	int is_ipv6 = ctx->state->pf == UNFRAG_IPV6;
	struct gate_l4 l4 = { 0 };
	struct gate_packet p;

	gate_packet_of(&p, ctx);
	if (config.features & GATE_HAS_LOG)
		__builtin_memset(v, 0, sizeof(*v));
	v->present = 0;
	if (gate_read_headers(v, &p, &l4, is_ipv6))
		return -1;
	gate_read_fragments(v, &p, is_ipv6);
	gate_read_rest(v, &p);
	return 0;
}

__noinline int gate_read(struct bpf_nf_ctx *ctx, struct gate_values *v)
{
	return v ? gate_read_here(ctx, v) : -1;
}
