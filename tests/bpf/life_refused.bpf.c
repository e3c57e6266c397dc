// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Refused by the verifier, for a return value of 3, with a log of more lines than are shown. */
#include <unfrag/unfrag.bpf.h>

SEC("netfilter")
int life_refused(struct bpf_nf_ctx *ctx)
{
	struct unfrag_packet pkt;

	if (unfrag_packet_from_nf(&pkt, ctx))
		return NF_DROP;
	return 3;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
