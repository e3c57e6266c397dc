// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hands each packet of a certain TTL to user space, byte for byte, and drops it: see whole.h. All
 * others are accepted. There is one place to put a packet together, so those packets must all come
 * on one CPU.
 */
#include <unfrag/unfrag.bpf.h>

#include "whole.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct whole_record);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} wholes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

static long copy_block(__u32 i, void *arg)
{
	struct unfrag_packet *pkt = arg;
	__u32 key = 0, at = i * WHOLE_BLOCK, left;
	struct whole_record *r = bpf_map_lookup_elem(&scratch, &key);

	if (!r || at >= pkt->facts.len || at > WHOLE_MAX - WHOLE_BLOCK)
		return 1;
	left = pkt->facts.len - at;
	if (left > WHOLE_BLOCK)
		left = WHOLE_BLOCK;
	if (unfrag_packet_read(pkt, at, r->data + at, left))
		return 1;
	r->len = at + left;
	return 0;
}

static __always_inline int is_ours(const struct unfrag_packet *pkt)
{
	__u8 ttl;

	return !unfrag_packet_read(pkt, pkt->facts.family == UNFRAG_IPV4 ? 8 : 7, &ttl, 1) &&
	       ttl == WHOLE_TTL;
}

static __always_inline void count_lost(void)
{
	__u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&lost, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
}

SEC("netfilter")
int whole(struct bpf_nf_ctx *ctx)
{
	struct unfrag_packet pkt;
	struct whole_record *r;
	__u32 key = 0, len;

	if (unfrag_packet_from_nf(&pkt, ctx) || !is_ours(&pkt))
		return NF_ACCEPT;
	r = bpf_map_lookup_elem(&scratch, &key);
	if (!r)
		return NF_DROP;
	r->len = 0;
	bpf_loop(WHOLE_MAX / WHOLE_BLOCK, copy_block, &pkt, 0);
	len = r->len;
	if (len != pkt.facts.len || len > WHOLE_MAX ||
	    bpf_ringbuf_output(&wholes, r, sizeof(r->len) + len, 0))
		count_lost();
	return NF_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
