// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A program that takes its time and then tail-calls the one that accepts: a packet is inside it
 * long enough for a replace to come and go meanwhile. Without the second program it drops.
 */
#include <unfrag/unfrag.bpf.h>

#define TURNS (1 << 20)

int tail_end(struct bpf_nf_ctx *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} calls SEC(".maps") = {
	.values = { [0] = (void *)&tail_end },
};

static long turn(__u32 i, void *arg)
{
	(void)i;
	(void)arg;
	return 0;
}

SEC("netfilter")
int tail_start(struct bpf_nf_ctx *ctx)
{
	bpf_loop(TURNS, turn, NULL, 0);
	bpf_tail_call(ctx, &calls, 0);
	return NF_DROP;
}

SEC("netfilter")
int tail_end(struct bpf_nf_ctx *ctx)
{
	return NF_ACCEPT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
