// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Judge A; see life_judge.bpf.h. */
#include "life_judge.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LIFE_LAYOUT_A);
	__type(key, __u32);
	__type(value, __u64);
} layout SEC(".maps");

SEC("netfilter")
int life_judge_a(struct bpf_nf_ctx *ctx)
{
	const __u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&layout, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
	return judge(ctx, LIFE_A);
}
