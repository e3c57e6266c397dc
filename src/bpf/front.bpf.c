// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The front: stands at every link of an attachment and keeps the promise that the program in the
 * slot never sees a fragment.
 *
 * A netfilter link can't change its program, so the link holds this one for good and the user's
 * stands behind it in slot 0: replacing it is one map update. What the kernel's defragmenter let
 * by (notrack, IP_NODEFRAG, malformed IPv6 fragments) ends here and is counted.
 *
 * Facts are not handed on to the program: the only way is a per-CPU map, and in process context a
 * softirq may run this very code between writer and reader.
 */
#include <unfrag/unfrag.bpf.h>

#include "layout.h"

/* Verdicts, set before load: 0 drop, 1 accept. */
const volatile __u8 on_fragment = NF_DROP;
const volatile __u8 on_unreadable = NF_DROP;
const volatile __u8 on_empty = NF_DROP;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} slot SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FRONT_FAMILIES *FRONT_HOOKS);
	__type(key, __u32);
	__type(value, struct front_counters);
} counters SEC(".maps");

/*
 * Atomic though per CPU: the output hooks, and any hook behind NFQUEUE, run in process context,
 * where a softirq can come between load and store.
 */
static __always_inline void count(struct front_counters *c, __u32 outcome, __s64 n)
{
	__sync_fetch_and_add(&c->outcomes[outcome], n);
}

static __always_inline __u32 outcome_of(const struct unfrag_packet *pkt)
{
	if (!unfrag_packet_is_fragment(pkt))
		return unfrag_packet_reassembled(pkt) ? UNFRAG_OUTCOME_REASSEMBLED :
							UNFRAG_OUTCOME_WHOLE;
	if (pkt->facts.family == UNFRAG_IPV6 && pkt->facts.defect)
		return UNFRAG_OUTCOME_FRAGMENT_MALFORMED;
	return pkt->facts.frag == UNFRAG_FRAG_FIRST ? UNFRAG_OUTCOME_FRAGMENT_FIRST :
						      UNFRAG_OUTCOME_FRAGMENT_LATER;
}

SEC("netfilter")
int front(struct bpf_nf_ctx *ctx)
{
	struct unfrag_packet pkt;
	struct front_counters *c;
	__u32 outcome = UNFRAG_OUTCOME_UNREADABLE;
	__u32 key = ctx->state->hook;

	if (ctx->state->pf == UNFRAG_IPV6)
		key += FRONT_HOOKS;
	if (!unfrag_packet_from_nf(&pkt, ctx))
		outcome = outcome_of(&pkt);
	c = bpf_map_lookup_elem(&counters, &key);
	if (!c)
		return NF_DROP;
	count(c, outcome, 1);
	switch (outcome) {
	case UNFRAG_OUTCOME_REASSEMBLED:
		if (pkt.frag_max_size > c->frag_max_size)
			c->frag_max_size = pkt.frag_max_size;
		break;
	case UNFRAG_OUTCOME_WHOLE:
		break;
	case UNFRAG_OUTCOME_UNREADABLE:
		return on_unreadable;
	default:
		return on_fragment;
	}

	bpf_tail_call(ctx, &slot, 0);
	count(c, outcome, -1);
	count(c, UNFRAG_OUTCOME_SLOT_EMPTY, 1);
	return on_empty;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
