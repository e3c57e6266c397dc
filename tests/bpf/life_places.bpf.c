// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Three programs for places. Each counts what it meets, and notes of UDP packets to LIFE_PORT over
 * IPv4 which content it had then; one of them can be told to drop.
 */
#include <unfrag/unfrag.bpf.h>

#include "life.h"
#include "life_places.h"

const volatile __u32 content = 1;
const volatile __u32 dropper = PLACES_PROGRAMS; /* the program that drops; none */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES_PROGRAMS);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES_PACKETS);
	__type(key, __u32);
	__type(value, struct places_met);
} met SEC(".maps");

static __always_inline void note(struct bpf_nf_ctx *ctx, __u32 number)
{
	struct unfrag_packet pkt = { .skb = ctx->skb };
	struct places_met *m;
	__u8 h[32] = {};
	__u32 key;

	if (ctx->state->pf != UNFRAG_IPV4 || unfrag_packet_read(&pkt, 0, h, sizeof(h)))
		return;
	if (h[0] != 0x45 || h[9] != UNFRAG_PROTO_UDP || h[22] || h[23] != LIFE_PORT)
		return;
	key = (h[28] | h[29] << 8 | h[30] << 16) % PLACES_PACKETS;
	m = bpf_map_lookup_elem(&met, &key);
	if (m)
		m->content[number] = content;
}

static __always_inline int meet(struct bpf_nf_ctx *ctx, __u32 number)
{
	const __u32 key = number;
	__u64 *n = bpf_map_lookup_elem(&counts, &key);

	if (!n)
		return NF_DROP;
	__sync_fetch_and_add(n, 1);
	note(ctx, number);
	return dropper == number ? NF_DROP : NF_ACCEPT;
}

SEC("netfilter")
int life_place_0(struct bpf_nf_ctx *ctx)
{
	return meet(ctx, 0);
}

SEC("netfilter")
int life_place_1(struct bpf_nf_ctx *ctx)
{
	return meet(ctx, 1);
}

SEC("netfilter")
int life_place_2(struct bpf_nf_ctx *ctx)
{
	return meet(ctx, 2);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
