// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Two netfilter programs and one of another type. */
#include <unfrag/unfrag.bpf.h>

SEC("netfilter")
int life_accept(struct bpf_nf_ctx *ctx)
{
	return NF_ACCEPT;
}

SEC("netfilter")
int life_drop(struct bpf_nf_ctx *ctx)
{
	return NF_DROP;
}

SEC("xdp")
int life_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
