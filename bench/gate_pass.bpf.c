// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the kernel takes to ask any program: this one accepts and looks at nothing. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define NF_ACCEPT 1

SEC("netfilter")
int pass(void *ctx)
{
	(void)ctx;
	return NF_ACCEPT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
