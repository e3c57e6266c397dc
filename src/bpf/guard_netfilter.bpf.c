// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guard as a netfilter program, at prerouting before the kernel's defragmenter. What the kernel
 * charges for a fragment is read from it.
 */
#include <unfrag/unfrag.bpf.h>

#define guard_clock() bpf_ktime_get_ns() /* the coarse clock is not for netfilter programs */
#define guard_beat()  0

#include "guard.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sk_buff___truesize {
	unsigned int truesize;
};

#pragma clang attribute pop

static __noinline int fill(struct guard_fragment *f, const struct unfrag_packet *pkt, __u32 ifindex)
{
	const struct guard_config *c = guard_config_get();
	__u8 hdr[40] __attribute__((aligned(8)));

	if (!c || bpf_probe_read_kernel(hdr, pkt->facts.family == UNFRAG_IPV6 ? 40 : 20, pkt->base))
		return -1;
	fragment_fill(f, c, &pkt->facts, hdr, ifindex);
	if (test_clock)
		f->charge = c->least_charge;
	return 0;
}

static __noinline int first_byte(const struct unfrag_packet *pkt)
{
	__u8 first = 0;

	if (pkt->facts.has_l4 && unfrag_packet_l4(pkt, 0, &first, 1))
		return 0;
	return first;
}

/* A fragment, or what can't be told from one. */
static __noinline int meet(struct bpf_nf_ctx *ctx)
{
	const struct sk_buff___truesize *skb = (const void *)ctx->skb;
	const struct net_device *in = ctx->state->in;
	struct guard_fragment f = { .charge = skb->truesize, .now = guard_now() };
	struct unfrag_packet pkt;
	int lies = !!unfrag_packet_from_nf(&pkt, ctx);

	if (!lies && pkt.facts.frag == UNFRAG_FRAG_NONE)
		return NF_ACCEPT;
	if (fill(&f, &pkt, in ? in->ifindex : 0))
		return NF_DROP;
	return guard_sees(&f, &pkt.facts, first_byte(&pkt), lies) ? NF_ACCEPT : NF_DROP;
}

/* Nearly all packets end here. */
SEC("netfilter")
int guard(struct bpf_nf_ctx *ctx)
{
	const struct sk_buff___unfrag *skb = (const struct sk_buff___unfrag *)ctx->skb;
	const unsigned char *base = skb->data;

	if (ctx->state->pf == UNFRAG_IPV4) {
		if (!(unfrag_cast(iphdr, base)->frag_off & bpf_htons(0x3fff)))
			return NF_ACCEPT;
	} else if (!unfrag_is_exthdr(unfrag_cast(ipv6hdr, base)->nexthdr)) {
		return NF_ACCEPT;
	}
	return meet(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
