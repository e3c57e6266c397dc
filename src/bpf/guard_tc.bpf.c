// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guard as a tc program, at ingress of a device: by a tcx link, or as a classifier of clsact in
 * direct action. Packets of other hosts, which the device hears by chance, are none of ours.
 */
#include <unfrag/unfrag.bpf.h>

#define link_load(ctx, off, to, len) bpf_skb_load_bytes((struct __sk_buff *)(ctx), off, to, len)

#include "guard_link.bpf.h"

#define VERDICT_DROP 2    /* TC_ACT_SHOT */
#define VERDICT_PASS (-1) /* TC_ACT_UNSPEC, TCX_NEXT */

#define PACKET_OTHERHOST 3

/* Set before load: bytes of the device's link header; 0: packets start with the IP header. */
const volatile __u32 link_header = 14;

static __noinline int meet(struct __sk_buff *skb, __u32 at, int ipv6)
{
	__u32 len = skb->len;

	if (at > len)
		return VERDICT_PASS;
	return link_meet(skb, at, len - at, skb->ifindex, ipv6, 0) ? VERDICT_PASS : VERDICT_DROP;
}

/* Whether it may be a fragment, by its first bytes. */
static __always_inline int concerns(struct __sk_buff *skb, __u32 at, int ipv6)
{
	const __u8 *p = (const __u8 *)(long)skb->data + at;
	const __u8 *end = (const __u8 *)(long)skb->data_end;
	__u16 frag_off;
	__u8 next;

	if (p + UNFRAG_IPV4_HLEN <= end)
		return ipv6 ? unfrag_is_exthdr(p[6]) :
			      !!(*(const __u16 *)(p + 6) & bpf_htons(0x3fff));
	if (ipv6)
		return bpf_skb_load_bytes(skb, at + 6, &next, 1) ? 0 : unfrag_is_exthdr(next);
	if (bpf_skb_load_bytes(skb, at + 6, &frag_off, sizeof(frag_off)))
		return 0;
	return !!(frag_off & bpf_htons(0x3fff));
}

/* Whether it can be refused at once. */
static __always_inline int glance(struct __sk_buff *skb, __u32 at, int ipv6)
{
	const __u8 *p = (const __u8 *)(long)skb->data + at;
	const __u8 *end = (const __u8 *)(long)skb->data_end;

	return p + UNFRAG_IPV4_HLEN <= end && link_glance(p, end, skb->len - at, ipv6);
}

/* A VLAN tag that the device left in the packet. Returns the type of what is behind it. */
static __always_inline __u16 skip_tag(struct __sk_buff *skb, __u32 *at)
{
	__u16 type;

	if (bpf_skb_load_bytes(skb, *at + 2, &type, sizeof(type)))
		return 0;
	*at += 4;
	return type;
}

static __always_inline int is_tag(__u16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

SEC("tc")
int guard(struct __sk_buff *skb)
{
	__u16 type = (__u16)skb->protocol;
	__u32 at = link_header;
	int ipv6;

	if (is_tag(type)) {
		type = skip_tag(skb, &at);
		if (is_tag(type))
			type = skip_tag(skb, &at);
	}
	ipv6 = type == bpf_htons(ETH_P_IPV6);
	if (!ipv6 && type != bpf_htons(ETH_P_IP))
		return VERDICT_PASS;
	if (!concerns(skb, at, ipv6) || skb->pkt_type == PACKET_OTHERHOST)
		return VERDICT_PASS;
	if (glance(skb, at, ipv6))
		return VERDICT_DROP;
	return meet(skb, at, ipv6);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
