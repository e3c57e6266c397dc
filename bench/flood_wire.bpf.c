// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A flood made where it is to be met: run on live frames (BPF_PROG_TEST_RUN), each frame gets its
 * headers anew, with another source and identification, and goes on to the stack, to the guard, or
 * nowhere. So nothing but that is different between what is compared.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_HLEN   14
#define HEAD_BYTES 64

/* Set before load. */
const volatile __u8 head[HEAD_BYTES];
const volatile __u32 sum; /* of the IPv4 header without source, identification and checksum */
const volatile bool ipv6;

struct {
	__u32 frames; /* so far */
	__u32 next;   /* 0: nowhere, 1: the stack, 2: the guard */
} sent;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} guard_slot SEC(".maps");

static __always_inline void forge_ipv4(__u8 *ip)
{
	__u32 source = 0x10000000u + (bpf_get_prandom_u32() & 0x3fffffff),
	      id = sent.frames & 0xffff;
	__u32 all = sum + (source >> 16) + (source & 0xffff) + id;

	all = (all & 0xffff) + (all >> 16);
	all = (all & 0xffff) + (all >> 16);
	*(__u16 *)(ip + 4) = bpf_htons((__u16)id);
	*(__u16 *)(ip + 10) = bpf_htons((__u16)~all);
	*(__u16 *)(ip + 12) = bpf_htons((__u16)(source >> 16));
	*(__u16 *)(ip + 14) = bpf_htons((__u16)source);
}

/* Another /64, another identification. */
static __always_inline void forge_ipv6(__u8 *ip)
{
	__u32 source = bpf_get_prandom_u32();

	*(__u16 *)(ip + 12) = (__u16)(source >> 16);
	*(__u16 *)(ip + 14) = (__u16)source;
	*(__u16 *)(ip + 44) = bpf_htons((__u16)(sent.frames >> 16));
	*(__u16 *)(ip + 46) = bpf_htons((__u16)sent.frames);
}

SEC("xdp")
int flood(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	const __u8 *end = (void *)(long)ctx->data_end;
	__u32 i;

	if (data + HEAD_BYTES > end)
		return XDP_ABORTED;
	sent.frames++;
#pragma unroll
	for (i = 0; i < HEAD_BYTES; i++)
		data[i] = head[i];
	if (ipv6)
		forge_ipv6(data + ETH_HLEN);
	else
		forge_ipv4(data + ETH_HLEN);
	if (sent.next == 2) {
		bpf_tail_call(ctx, &guard_slot, 0);
		return XDP_ABORTED;
	}
	return sent.next ? XDP_PASS : XDP_DROP;
}

/* Whatever comes over a wire is thrown away there. */
SEC("xdp")
int nowhere(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* A veth has receive queues, which live frames need, only with a program. */
SEC("xdp")
int door(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
