// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Refused by the verifier, for a return value of 3, with a log of several MiB. */
#include <unfrag/unfrag.bpf.h>

SEC("netfilter")
int life_endless(struct bpf_nf_ctx *ctx)
{
	__u32 i;

	/* Walked by the verifier, turn by turn; the barrier keeps clang from doing away with it. */
	for (i = 0; i < 20000; i++)
		barrier_var(i);
	return 3;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
