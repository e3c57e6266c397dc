// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Drops datagrams sent in pieces smaller than any honest path needs: the largest original
 * fragment, IP header included, is below `smallest`, which a loader may set (.rodata).
 */
#include <unfrag/unfrag.bpf.h>

const volatile __u32 smallest = 512; /* bytes */

SEC("netfilter")
int tiny_fragments(struct bpf_nf_ctx *ctx)
{
	struct unfrag_packet pkt;

	if (unfrag_packet_from_nf(&pkt, ctx))
		return NF_DROP;
	if (unfrag_packet_reassembled(&pkt) && pkt.frag_max_size < smallest &&
	    pkt.frag_max_size < pkt.facts.len) /* not alone (RFC 6946) */
		return NF_DROP;
	return NF_ACCEPT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
