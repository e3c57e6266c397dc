// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The front: stands at every link of an attachment and keeps the promise that the program in the
 * slot never sees a fragment.
 *
 * A netfilter link can't change its program, so the link holds this one for good and the user's
 * stands behind it in slot 0: replacing it is one map update. What the kernel's defragmenter let
 * by (notrack, IP_NODEFRAG, malformed IPv6 fragments) ends here and is counted.
 *
 * Facts are not handed on to the program: the only way is a per-CPU map, and at the output hooks a
 * softirq may run this very code between writer and reader.
 */
#include <unfrag/unfrag.bpf.h>

#include "layout.h"

#define NF_INET_LOCAL_OUT 3

/* Verdicts, set before load: 0 drop, 1 accept. */
const volatile __u8 on_fragment = UNFRAG_DROP;
const volatile __u8 on_unreadable = UNFRAG_DROP;
const volatile __u8 on_empty = UNFRAG_DROP;

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
 * Softirqs don't nest, so at the input hooks nobody else writes this CPU's counters meanwhile. The
 * output hooks run in process context too, where a softirq can come between load and store.
 */
static __always_inline void count(struct front_counters *c, __u8 hook, __u32 outcome, __s64 n)
{
	if (hook >= NF_INET_LOCAL_OUT)
		__sync_fetch_and_add(&c->outcomes[outcome], n);
	else
		c->outcomes[outcome] += n;
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
	__u8 hook = ctx->state->hook;
	__u32 outcome = UNFRAG_OUTCOME_UNREADABLE;
	__u32 key = hook;

	if (ctx->state->pf == UNFRAG_IPV6)
		key += FRONT_HOOKS;
	if (!unfrag_packet_init(&pkt, ctx))
		outcome = outcome_of(&pkt);
	c = bpf_map_lookup_elem(&counters, &key);
	if (!c)
		return UNFRAG_DROP;
	count(c, hook, outcome, 1);
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
	count(c, hook, outcome, -1);
	count(c, hook, UNFRAG_OUTCOME_SLOT_EMPTY, 1);
	return on_empty;
}

/* What the slot holds while the links are being made, and what a hold on defragmentation runs. */
SEC("netfilter")
int pass(struct bpf_nf_ctx *ctx)
{
	return UNFRAG_ACCEPT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
