// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The front: stands at every link of an attachment and keeps the promise that the program in the
 * slot never sees a fragment.
 *
 * A netfilter link can't change its program, so the link holds this one for good and the user's
 * stands behind it in a slot: replacing it is one map update, also for several programs at several
 * priorities (layout.h). What the kernel's defragmenter let by (notrack, IP_NODEFRAG, malformed
 * IPv6 fragments) ends here and is counted.
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

/* With places only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} turn SEC(".maps");

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

#define ALONE FRONT_PLACES

/* Each call with a key of its own that the verifier knows, which makes it a direct jump. */
static __always_inline void call(struct bpf_nf_ctx *ctx, __u32 place, __u32 is_ipv6, __u64 now)
{
	if (place == ALONE)
		bpf_tail_call(ctx, &slot, 0);
	else if (is_ipv6 && FRONT_HALF(now))
		bpf_tail_call_static(ctx, &slot, 2 * place + 1 + FRONT_SEATS);
	else if (is_ipv6)
		bpf_tail_call_static(ctx, &slot, 2 * place + 1);
	else if (FRONT_HALF(now))
		bpf_tail_call_static(ctx, &slot, 2 * place + FRONT_SEATS);
	else
		bpf_tail_call_static(ctx, &slot, 2 * place);
}

static __always_inline int counts(__u32 place, __u32 is_ipv6, __u64 now)
{
	return place == ALONE || FRONT_COUNTS(now, 2 * place + is_ipv6);
}

static __always_inline int judge(struct bpf_nf_ctx *ctx, __u32 place)
{
	struct unfrag_packet pkt;
	struct front_counters *c;
	__u32 outcome = UNFRAG_OUTCOME_UNREADABLE;
	__u32 is_ipv6 = ctx->state->pf == UNFRAG_IPV6;
	__u32 key = ctx->state->hook, zero = 0;
	__u64 now = 0, *t;

	if (is_ipv6)
		key += FRONT_HOOKS;
	if (place != ALONE) {
		t = bpf_map_lookup_elem(&turn, &zero);
		if (!t)
			return NF_DROP;
		now = *(volatile __u64 *)t;
	}
	if (!unfrag_packet_from_nf(&pkt, ctx))
		outcome = outcome_of(&pkt);
	c = bpf_map_lookup_elem(&counters, &key);
	if (!c)
		return NF_DROP;
	if (counts(place, is_ipv6, now))
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

	call(ctx, place, is_ipv6, now);
	if (counts(place, is_ipv6, now))
		count(c, outcome, -1);
	count(c, UNFRAG_OUTCOME_SLOT_EMPTY, 1);
	return on_empty;
}

SEC("netfilter")
int front(struct bpf_nf_ctx *ctx)
{
	return judge(ctx, ALONE);
}

/* The links of a place have a program of their own, as nothing else would tell it where it is. */
#define PLACED(n) \
	SEC("netfilter") \
	int front_##n(struct bpf_nf_ctx *ctx) \
	{ \
		return judge(ctx, n); \
	} \
	_Static_assert(n < FRONT_PLACES, "a place")

PLACED(0);
PLACED(1);
PLACED(2);
PLACED(3);
PLACED(4);
PLACED(5);
PLACED(6);
PLACED(7);
PLACED(8);
PLACED(9);
PLACED(10);
PLACED(11);
PLACED(12);
PLACED(13);
PLACED(14);
PLACED(15);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
