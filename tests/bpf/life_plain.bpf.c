// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Accepts everything, and is loaded in no time: it needs no type information of the kernel. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} plain SEC(".maps");

SEC("netfilter")
int life_plain(void *ctx)
{
	const __u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&plain, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
