// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Both ends of the wire under test: a sender that is run on live frames (BPF_PROG_TEST_RUN) at the
 * middlebox's door, and a sink at the far end.
 *
 * Frames come back to the sender as the last user left them, so each one gets its first 64 bytes
 * anew: Ethernet and IP headers and the IPv6 Fragment header. Only identification and the IPv4
 * checksum change from frame to frame.
 *
 * The clock is read here, at the first frame and the last: the call that runs the sender spends
 * some ten thousand frames' time on memory before and after.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define HEAD_WORDS 8

#define ETH_HLEN      14
#define IPV4_ID       (ETH_HLEN + 4)
#define IPV4_CHECKSUM (ETH_HLEN + 10)
#define IPV6_FRAG_ID  (ETH_HLEN + 40 + 4)

/* Set before load, for the one or two frames that make a datagram. */
const volatile __u64 head[2][HEAD_WORDS];
const volatile __u32 sum[2];  /* of the IPv4 header without identification, not folded */
const volatile __u32 trim[2]; /* bytes that a frame is shorter than the one handed in */
const volatile __u32 frames = 1;
const volatile bool ipv6;

/* Frames seen so far, and which of them (counted from 1) are the burst's first and last. */
struct {
	__u32 frames;
	__u32 first, last;
	__u64 first_ns, last_ns;
	bool discard; /* measure the sender alone */
} sent;

struct {
	__u64 frames;
	__u64 bytes;
	__u64 last;
	__u64 last_ns;
} arrived;

static __always_inline void set_id(__u8 *data, __u32 id, __u32 ipv4_sum)
{
	if (!ipv6) {
		ipv4_sum += id & 0xffff;
		ipv4_sum = (ipv4_sum & 0xffff) + (ipv4_sum >> 16);
		ipv4_sum = (ipv4_sum & 0xffff) + (ipv4_sum >> 16);
		*(__u16 *)(data + IPV4_ID) = bpf_htons((__u16)id);
		*(__u16 *)(data + IPV4_CHECKSUM) = bpf_htons((__u16)~ipv4_sum);
	} else if (frames == 2) {
		*(__u32 *)(data + IPV6_FRAG_ID) = bpf_htonl(id);
	}
}

SEC("xdp")
int sender(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	const __u8 *end = (void *)(long)ctx->data_end;
	__u32 part = sent.frames & (frames - 1) & 1;
	__u32 id = sent.frames >> (frames - 1);
	__u64 *word = (__u64 *)data;

	if (data + HEAD_WORDS * sizeof(*word) > end)
		return XDP_ABORTED;
	if (++sent.frames == sent.first)
		sent.first_ns = bpf_ktime_get_ns();
#pragma unroll
	for (int i = 0; i < HEAD_WORDS; i++)
		word[i] = head[part][i];
	set_id(data, id, sum[part]);
	if (trim[part])
		bpf_xdp_adjust_tail(ctx, -(int)trim[part]);
	if (sent.frames == sent.last)
		sent.last_ns = bpf_ktime_get_ns();
	return sent.discard ? XDP_DROP : XDP_PASS;
}

/* Stands at the door: a veth has receive queues, which live frames need, only with a program. */
SEC("xdp")
int door(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	const __u8 *data = (void *)(long)ctx->data;
	const __u8 *end = (void *)(long)ctx->data_end;

	/* Multicast is the stack's own: listener reports. */
	if (data + ETH_HLEN > end || data[0] & 1)
		return XDP_DROP;
	arrived.bytes += (__u64)(end - data);
	if (++arrived.frames == arrived.last)
		arrived.last_ns = bpf_ktime_get_ns();
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
