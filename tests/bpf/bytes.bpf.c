// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tells user space of each packet of an upper-layer protocol: its facts, its ports and a sum over
 * all its bytes, see bytes.h. Accepts everything; of ICMP, which hosts talk among themselves, it
 * tells nothing.
 */
#include <unfrag/unfrag.bpf.h>

#include "bytes.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, struct bytes_record);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

struct walk {
	struct unfrag_packet pkt;
	__u64 sum;
	__u32 summed;
};

static long add_block(__u32 i, void *arg)
{
	struct walk *w = arg;
	__u64 block[BYTES_BLOCK / 8] = {};
	__u32 left = unfrag_packet_l4_len(&w->pkt) - w->summed;

	if (left > BYTES_BLOCK)
		left = BYTES_BLOCK;
	if (!left || unfrag_packet_l4(&w->pkt, w->summed, block, left))
		return 1;
	w->sum = bytes_sum(w->sum, block);
	w->summed += left;
	return 0;
}

static __always_inline int is_icmp(const struct unfrag_facts *f)
{
	return f->proto == (f->family == UNFRAG_IPV4 ? UNFRAG_PROTO_ICMP : UNFRAG_PROTO_ICMPV6);
}

static __always_inline void fill(struct bytes_record *r, struct walk *w)
{
	__u16 sport = 0, dport = 0;

	r->facts = w->pkt.facts;
	r->linear = w->pkt.linear;
	r->frag_max_size = w->pkt.frag_max_size;
	r->ports_rc = unfrag_packet_ports(&w->pkt, &sport, &dport);
	r->sport = sport;
	r->dport = dport;
	bpf_loop(BYTES_BLOCKS_MAX, add_block, w, 0);
	r->sum = w->sum;
	r->summed = w->summed;
}

SEC("netfilter")
int bytes(struct bpf_nf_ctx *ctx)
{
	struct bytes_record r = {};
	struct walk w = {};
	__u32 key = 0;
	__u64 *n;

	r.hook = ctx->state->hook;
	r.pf = ctx->state->pf;
	r.init_rc = unfrag_packet_from_nf(&w.pkt, ctx);
	if (!r.init_rc) {
		if (is_icmp(&w.pkt.facts))
			return NF_ACCEPT;
		fill(&r, &w);
	}
	if (bpf_map_push_elem(&records, &r, 0)) {
		n = bpf_map_lookup_elem(&lost, &key);
		if (n)
			__sync_fetch_and_add(n, 1);
	}
	return NF_ACCEPT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
