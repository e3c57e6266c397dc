// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The demo's second middlebox: judges first fragments and drops later ones. Nothing is smuggled,
 * and no answer larger than one packet arrives.
 */
#include "per_fragment.h"

SEC("netfilter")
int drop_later(struct bpf_nf_ctx *ctx)
{
	return judge_fragment(ctx, NF_DROP);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
