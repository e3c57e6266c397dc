/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A judge that accepts and counts. Two programs include this, which differ in who they are and in
 * the layout of one map: what was judged by which of them can so be told after a replace.
 */
#pragma once

#include <unfrag/unfrag.bpf.h>

#include "life.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LIFE_JUDGE_MAX);
	__type(key, __u32);
	__type(value, struct life_judged);
} judged SEC(".maps");

/* Global data: a map with a dot in its name. */
__u64 runs;

/*
 * Reads headers by hand: so no mistake of the author's header goes unseen here, and the verifier is
 * done in no time, for these two are loaded some thousand times.
 */
static __always_inline void count4(struct life_judged *j, const struct unfrag_packet *pkt)
{
	__u8 h[24] = {};

	if (unfrag_packet_read(pkt, 0, h, sizeof(h)))
		return;
	if ((h[6] & 0x3f) || h[7])
		__sync_fetch_and_add(&j->fragments, 1);
	if (h[0] == 0x45 && h[9] == UNFRAG_PROTO_UDP && !h[22] && h[23] == LIFE_PORT)
		__sync_fetch_and_add(&j->mine, 1);
}

static __always_inline void count6(struct life_judged *j, const struct unfrag_packet *pkt)
{
	__u8 h[44] = {};

	if (unfrag_packet_read(pkt, 0, h, sizeof(h)))
		return;
	if (h[6] == UNFRAG_PROTO_FRAGMENT)
		__sync_fetch_and_add(&j->fragments, 1);
	if (h[6] == UNFRAG_PROTO_UDP && !h[42] && h[43] == LIFE_PORT)
		__sync_fetch_and_add(&j->mine, 1);
}

static __always_inline int judge(struct bpf_nf_ctx *ctx, __u32 who)
{
	struct life_judged *j = bpf_map_lookup_elem(&judged, &who);
	struct unfrag_packet pkt = { .skb = ctx->skb };

	__sync_fetch_and_add(&runs, 1);
	if (!j)
		return NF_DROP;
	__sync_fetch_and_add(&j->all, 1);
	if (ctx->state->pf == UNFRAG_IPV4)
		count4(j, &pkt);
	else
		count6(j, &pkt);
	return NF_ACCEPT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
