// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guard as an XDP program on an Ethernet device: before the kernel spends anything on a packet.
 */
#include <unfrag/unfrag.bpf.h>

#define link_load(ctx, off, to, len) bpf_xdp_load_bytes((struct xdp_md *)(ctx), off, to, len)

#include "guard_link.bpf.h"

struct ethernet {
	__u8 dst[6];
	__u8 src[6];
	__u16 type;
};

struct tag {
	__u16 tci;
	__u16 type;
};

/* Set before load: the device's own address. */
const volatile __u8 mac[6] = { 0 };

/* Frames to others are the kernel's to drop, unless something behind the device takes them. */
static __always_inline __u8 is_for_others(const struct ethernet *eth)
{
	return !(eth->dst[0] & 1) &&
	       (eth->dst[0] != mac[0] || eth->dst[1] != mac[1] || eth->dst[2] != mac[2] ||
		eth->dst[3] != mac[3] || eth->dst[4] != mac[4] || eth->dst[5] != mac[5]);
}

static __noinline int meet(struct xdp_md *xdp, __u32 at, int ipv6, __u8 unsure)
{
	__u32 len = (__u32)bpf_xdp_get_buff_len(xdp);

	if (at > len)
		return XDP_PASS;
	return link_meet(xdp, at, len - at, xdp->ingress_ifindex, ipv6, unsure) ? XDP_PASS :
										  XDP_DROP;
}

static __always_inline int is_tag(__u16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/* Whether it may be a fragment, by its first bytes. */
static __always_inline int concerns(const __u8 *p, int ipv6)
{
	return ipv6 ? unfrag_is_exthdr(p[6]) : !!(*(const __u16 *)(p + 6) & bpf_htons(0x3fff));
}

SEC("xdp.frags")
int guard(struct xdp_md *xdp)
{
	const __u8 *data = (const __u8 *)(long)xdp->data, *end = (const __u8 *)(long)xdp->data_end;
	const struct ethernet *eth = (const void *)data;
	const __u8 *p = data + sizeof(*eth);
	__u16 type;
	int ipv6;
	__u32 i;

	if (p > end)
		return XDP_PASS;
	type = eth->type;
#pragma GCC unroll 2
	for (i = 0; i < 2; i++) {
		if (!is_tag(type))
			break;
		if (p + sizeof(struct tag) > end)
			return XDP_PASS;
		type = ((const struct tag *)p)->type;
		p += sizeof(struct tag);
	}
	ipv6 = type == bpf_htons(ETH_P_IPV6);
	if (!ipv6 && type != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	/* What is not in the first buffer is looked at with more patience. */
	if (p + UNFRAG_IPV4_HLEN <= end) {
		if (!concerns(p, ipv6))
			return XDP_PASS;
		if (link_glance(p, end, (__u32)(end - p), ipv6))
			return XDP_DROP;
	}
	return meet(xdp, (__u32)(p - data), ipv6, is_for_others(eth));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
