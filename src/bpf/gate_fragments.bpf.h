/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel still knows of the fragments that a packet was put together from: the size of the
 * largest one, and, in the packet itself, where each begins.
 */
#pragma once

#include <unfrag/facts.h>

#include "../gate/bits.h"
#include "gate_kernel.bpf.h"

#define GATE_FRAGMENTS_MAX 8192 /* 65,535 bytes in units of 8 */
#define GATE_PACKET_MAX    65575u

/*
 * Original fragments of a packet, of which all but the first hang in a list. What is in the list
 * begins behind the headers that each of them had, and these stand in front of it still.
 */
struct gate_pieces {
	const struct sk_buff___gate *next;
	__u32 sum;
	__u32 least;
};

static __noinline long gate_piece(__u32 i, void *arg)
{
	struct gate_pieces *p = arg;
	const struct sk_buff___gate *skb = p->next;
	__u64 headers;

	if (!skb)
		return 1;
	headers = (__u64)skb->data - (__u64)skb->head - skb->network_header;
	p->next = skb->next;
	/* Without headers it is a part of the first one. */
	if (headers > GATE_PACKET_MAX)
		return 0;
	p->sum += skb->len;
	p->least = gate_least(p->least, (__u32)headers + skb->len);
	return 0;
}

/* Bytes of the smallest one, of which the largest has `largest`; 0 where the list is gone. */
__noinline int gate_smallest(struct bpf_nf_ctx *ctx, __u32 largest)
{
	const struct sk_buff___gate *skb = ctx->skb;
	const struct skb_shared_info___gate *shared = gate_cast(skb_shared_info,
								skb->head + skb->end);
	struct gate_pieces pieces = { .next = shared->frag_list, .least = ~0u };
	__u32 first, taken = ctx->state->pf == UNFRAG_IPV6 ? 8 : 0; /* the Fragment header */

	bpf_loop(GATE_FRAGMENTS_MAX, gate_piece, &pieces, 0);
	skb = ctx->skb;
	first = skb->len - pieces.sum + taken;
	/* An IPv6 datagram may come in one fragment. */
	if (!pieces.sum && first != largest)
		return 0;
	return (int)gate_least(first, pieces.least);
}

static __always_inline __u32 gate_frag_max_size(const struct gate_packet *p, int is_ipv6)
{
	return is_ipv6 ? gate_cast(inet6_skb_parm, p->skb->cb)->frag_max_size :
			 gate_cast(inet_skb_parm, p->skb->cb)->frag_max_size;
}
