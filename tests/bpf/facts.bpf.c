// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tells user space what the author's header makes of each packet: the facts, and the packet's bytes
 * as read through unfrag_packet_read(). Accepts everything.
 */
#include <unfrag/unfrag.bpf.h>

#include "facts.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, struct facts_record);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

static __always_inline void fill(struct facts_record *r, const struct unfrag_packet *pkt)
{
	__u16 sport = 0, dport = 0;
	__u8 byte;

	r->facts = pkt->facts;
	r->frag_max_size = pkt->frag_max_size;
	r->reassembled = unfrag_packet_reassembled(pkt);
	r->is_fragment = unfrag_packet_is_fragment(pkt);
	r->ports_rc = unfrag_packet_ports(pkt, &sport, &dport);
	r->sport = sport;
	r->dport = dport;
	r->linear = pkt->linear;
	if (!unfrag_packet_read(pkt, pkt->facts.len - 1, &byte, 1))
		r->last_byte = byte;
	r->past_end_rc = unfrag_packet_read(pkt, pkt->facts.len, &byte, 1);
}

SEC("netfilter")
int facts(struct bpf_nf_ctx *ctx)
{
	struct facts_record r = {};
	struct unfrag_packet pkt;
	__u32 key = 0;
	__u64 *n;

	r.hook = ctx->state->hook;
	r.pf = ctx->state->pf;
	r.init_rc = unfrag_packet_from_nf(&pkt, ctx);
	if (!r.init_rc)
		fill(&r, &pkt);
	if (bpf_map_push_elem(&records, &r, 0)) {
		n = bpf_map_lookup_elem(&lost, &key);
		if (n)
			__sync_fetch_and_add(n, 1);
	}
	return NF_ACCEPT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
