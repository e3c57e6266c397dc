// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Stands before and behind all that judges packets on a router, and notes for each numbered packet
 * how far it came: see passage_bits.h. Packets that are not a test's end at once, so that nobody's
 * reports and errors are judged or counted; a test's packets end behind the input hook, so nobody
 * answers.
 */
#include <unfrag/unfrag.bpf.h>

#include "passage_bits.h"

#define TC_OK   0
#define TC_SHOT 2

#define ETH_HLEN    14
#define ETH_P_IP    0x0800
#define ETH_P_IPV6  0x86dd
#define IPV4_ID     4
#define IPV6_FLOW   2
#define NF_LOCAL_IN 1

struct marks {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PASSAGE_NUMBERS);
	__type(key, __u32);
	__type(value, __u64); /* such stand side by side in memory */
} marks SEC(".maps"), seen SEC(".maps");

static __always_inline void note(__u32 number, __u32 bit)
{
	__u64 *bits = bpf_map_lookup_elem(&seen, &number);

	if (bits)
		__sync_fetch_and_or(bits, bit);
}

static __always_inline __u32 number_of(struct bpf_nf_ctx *ctx)
{
	const unsigned char *ip = ((struct sk_buff___unfrag *)ctx->skb)->data;

	if (ctx->state->pf == UNFRAG_IPV4)
		return bpf_ntohs(unfrag_cast(iphdr, ip)->id);
	return bpf_ntohs(unfrag_cast(frag_hdr, ip)->frag_off);
}

/* From 10.1.0.0 to 10.3.255.255, from fd00:1:: to fd00:3:ffff::. */
static __always_inline int is_ours(struct bpf_nf_ctx *ctx)
{
	const unsigned char *ip = ((struct sk_buff___unfrag *)ctx->skb)->data;
	const struct frag_hdr___unfrag *saddr;

	if (ctx->state->pf == UNFRAG_IPV4) {
		saddr = unfrag_cast(frag_hdr, ip + 12);
		return saddr->nexthdr == 10 && saddr->reserved - 1u < 3;
	}
	saddr = unfrag_cast(frag_hdr, ip + 8);
	return saddr->nexthdr == 0xfd && bpf_ntohs(saddr->frag_off) - 1u < 3;
}

SEC("netfilter")
int first(struct bpf_nf_ctx *ctx)
{
	if (!is_ours(ctx))
		return NF_DROP;
	note(number_of(ctx), PASSAGE_CAME);
	return NF_ACCEPT;
}

SEC("netfilter")
int last(struct bpf_nf_ctx *ctx)
{
	note(number_of(ctx), 1u << ctx->state->hook);
	return ctx->state->hook == NF_LOCAL_IN ? NF_DROP : NF_ACCEPT;
}

/* 0: no number. */
static __always_inline __u32 number_of_frame(struct __sk_buff *skb)
{
	__u32 off = ETH_HLEN + (skb->protocol == bpf_htons(ETH_P_IP) ? IPV4_ID : IPV6_FLOW);
	__u16 number;

	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return 0;
	return bpf_skb_load_bytes(skb, off, &number, sizeof(number)) ? 0 : bpf_ntohs(number);
}

SEC("tc")
int mark(struct __sk_buff *skb)
{
	__u32 number = number_of_frame(skb);
	__u64 *value = bpf_map_lookup_elem(&marks, &number);

	if (value)
		skb->mark = (__u32)*value;
	return TC_OK;
}

SEC("tc")
int sink(struct __sk_buff *skb)
{
	__u32 number = number_of_frame(skb);

	if (!number)
		return TC_OK;
	note(number, PASSAGE_LEFT);
	return TC_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
