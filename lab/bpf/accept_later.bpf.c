// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The demo's first middlebox: judges first fragments and accepts later ones. Large answers come
 * through, and so does whatever an attacker puts into a later fragment.
 */
#include "per_fragment.h"

SEC("netfilter")
int accept_later(struct bpf_nf_ctx *ctx)
{
	return judge_fragment(ctx, NF_ACCEPT);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
