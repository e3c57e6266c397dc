// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts payload bytes of UDP by destination port. See them: bpftool map dump pinned .../bytes. */
#include <unfrag/unfrag.bpf.h>

#define UDP_HLEN 8

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH); /* senders choose the ports, so the table is bounded */
	__uint(max_entries, 4096);
	__type(key, __u16);
	__type(value, __u64);
} bytes SEC(".maps");

SEC("netfilter")
int port_bytes(struct bpf_nf_ctx *ctx)
{
	struct unfrag_packet pkt;
	__u16 sport, dport;
	__u64 n, *sum;

	if (unfrag_packet_from_nf(&pkt, ctx) || pkt.facts.proto != UNFRAG_PROTO_UDP ||
	    unfrag_packet_ports(&pkt, &sport, &dport))
		return NF_ACCEPT;
	n = unfrag_packet_l4_len(&pkt) - UDP_HLEN;
	sum = bpf_map_lookup_elem(&bytes, &dport);
	if (sum)
		__sync_fetch_and_add(sum, n);
	else
		bpf_map_update_elem(&bytes, &dport, &n, BPF_NOEXIST);
	return NF_ACCEPT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
