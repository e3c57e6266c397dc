// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Stands at both ends of the kernel's function that puts IPv6 fragments together for netfilter. It
 * shares nothing with the front: the front learns from what the kernel wrote into the packet's
 * control block, and this from what went in, what came out, and what the function answered.
 */
#include <unfrag/kernel.bpf.h>

#include <bpf/bpf_tracing.h>

#include "witness.h"

#define FRAGMENT    44
#define EINPROGRESS 115

struct net;

struct sk_buff___witness {
	unsigned char *head;
	__u16 network_header;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WITNESS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

/* Whether what went in was a fragment; the function does not sleep, so one a CPU is enough. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} went_in SEC(".maps");

static __always_inline int is_fragment(struct sk_buff *skb)
{
	struct sk_buff___witness *s = (void *)skb;
	unsigned char next = 0;

	/* The next header stands in byte 6. */
	bpf_probe_read_kernel(&next, 1,
			      BPF_CORE_READ(s, head) + BPF_CORE_READ(s, network_header) + 6);
	return next == FRAGMENT;
}

static __always_inline void note(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &what);

	if (n)
		__sync_fetch_and_add(n, 1);
}

SEC("fentry/nf_ct_frag6_gather")
int BPF_PROG(before, struct net *net, struct sk_buff *skb)
{
	__u64 fragment = is_fragment(skb);
	__u32 key = 0;

	bpf_map_update_elem(&went_in, &key, &fragment, BPF_ANY);
	return 0;
}

SEC("fexit/nf_ct_frag6_gather")
int BPF_PROG(after, struct net *net, struct sk_buff *skb, __u32 user, int ret)
{
	__u32 key = 0;
	__u64 *fragment = bpf_map_lookup_elem(&went_in, &key);

	if (!fragment || !*fragment)
		note(WITNESS_NO_FRAGMENT);
	else if (ret == -EINPROGRESS)
		note(WITNESS_QUEUED);
	else if (ret)
		note(WITNESS_REFUSED);
	else if (is_fragment(skb))
		note(WITNESS_PASSED);
	else
		note(WITNESS_WHOLE);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
