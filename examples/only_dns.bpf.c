// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lets DNS over UDP through, both ways, and what IPv6 and errors need (ICMP); nothing else. */
#include <unfrag/unfrag.bpf.h>

SEC("netfilter")
int only_dns(struct bpf_nf_ctx *ctx)
{
	struct unfrag_packet pkt;
	__u16 sport, dport;

	if (unfrag_packet_from_nf(&pkt, ctx))
		return NF_DROP;
	if (pkt.facts.proto == UNFRAG_PROTO_ICMP || pkt.facts.proto == UNFRAG_PROTO_ICMPV6)
		return NF_ACCEPT;
	if (pkt.facts.proto != UNFRAG_PROTO_UDP || unfrag_packet_ports(&pkt, &sport, &dport))
		return NF_DROP;
	return sport == 53 || dport == 53 ? NF_ACCEPT : NF_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
