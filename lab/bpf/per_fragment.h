/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The policy of the demo, "only DNS", as it is judged without reassembly: fragment by fragment.
 *
 * Only a first fragment carries ports. What to do with the others is a guess, and the two programs
 * that include this file are the two guesses there are.
 */
#pragma once

#include <unfrag/unfrag.bpf.h>

#define DNS_PORT 53

static __always_inline int judge_fragment(struct bpf_nf_ctx *ctx, int verdict_on_later)
{
	struct unfrag_packet pkt;
	__u16 sport, dport;

	if (unfrag_packet_from_nf(&pkt, ctx))
		return NF_DROP;
	if (pkt.facts.frag_off)
		return verdict_on_later;
	if (pkt.facts.proto == UNFRAG_PROTO_ICMP || pkt.facts.proto == UNFRAG_PROTO_ICMPV6)
		return NF_ACCEPT;
	if (pkt.facts.proto != UNFRAG_PROTO_UDP || unfrag_packet_ports(&pkt, &sport, &dport))
		return NF_DROP;
	return sport == DNS_PORT || dport == DNS_PORT ? NF_ACCEPT : NF_DROP;
}
