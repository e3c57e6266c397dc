// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Shoots fragments down: drops and counts every packet that is one, by the bits in its header and,
 * so that no mistake there goes unseen, not by the facts of the author's header.
 */
#include <unfrag/unfrag.bpf.h>

#include "shoot.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHOOT_COUNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

static __always_inline __u32 judge4(const __u8 *h)
{
	if ((h[6] & 0x3f) || h[7])
		return SHOOT_DOWN;
	return h[9] == UNFRAG_PROTO_UDP ? SHOOT_WHOLE : SHOOT_OTHER;
}

/* The Fragment header is looked for behind the fixed header only. */
static __always_inline __u32 judge6(const __u8 *h)
{
	if (h[6] == UNFRAG_PROTO_FRAGMENT && (h[42] || (h[43] & 0xf9)))
		return SHOOT_DOWN;
	return h[6] == UNFRAG_PROTO_UDP ? SHOOT_WHOLE : SHOOT_OTHER;
}

SEC("netfilter")
int shoot(struct bpf_nf_ctx *ctx)
{
	struct unfrag_packet pkt = { .skb = ctx->skb };
	__u8 h[48] = {};
	__u32 key;
	__u64 *n;

	if (unfrag_packet_read(&pkt, 0, h, 20))
		return NF_DROP;
	if (ctx->state->pf == UNFRAG_IPV4) {
		key = judge4(h);
	} else {
		unfrag_packet_read(&pkt, 0, h, sizeof(h));
		key = judge6(h);
	}
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	return key == SHOOT_DOWN ? NF_DROP : NF_ACCEPT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
