/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * For authors of BPF netfilter programs: one packet, its facts, and safe reads of its bytes.
 *
 *	SEC("netfilter")
 *	int only_dns(struct bpf_nf_ctx *ctx)
 *	{
 *		struct unfrag_packet pkt;
 *		__u16 sport, dport;
 *
 *		if (unfrag_packet_from_nf(&pkt, ctx) || unfrag_packet_ports(&pkt, &sport, &dport))
 *			return NF_DROP;
 *		return dport == 53 ? NF_ACCEPT : NF_DROP;
 *	}
 *
 * Works with or without a vmlinux.h in front of it, with clang 14 and newer; one object serves
 * every kernel from 6.4 on. Kernel functions ask for a program under a GPL-compatible licence.
 * Manual: unfrag-bpf(7).
 *
 * A reassembled packet is not linear: its later bytes stand in other buffers. Headers in the linear
 * part are read by plain loads (bpf_rdonly_cast), all else goes through a dynptr and costs more.
 */
#pragma once

#include <unfrag/kernel.bpf.h>
#include <unfrag/packet.h>

#define UNFRAG_ENOENT  2
#define UNFRAG_EBADMSG 74

/**
 * One packet. Set by unfrag_packet_from_nf(); read `facts` and the fields, change nothing.
 */
struct unfrag_packet {
	struct unfrag_facts facts;
	__u32 linear;        /**< bytes from the IP header on that stand in one piece */
	__u16 frag_max_size; /**< largest original fragment, IP header included; 0: none */
	struct sk_buff *skb;
	const unsigned char *base;
};

/** Whether the kernel made this packet whole from fragments. */
UNFRAG_INLINE int unfrag_packet_reassembled(const struct unfrag_packet *pkt)
{
	return pkt->frag_max_size != 0;
}

/** Whether the packet is still a fragment. Behind unfrag's front it never is. */
UNFRAG_INLINE int unfrag_packet_is_fragment(const struct unfrag_packet *pkt)
{
	return unfrag_facts_is_fragment(&pkt->facts);
}

/**
 * Copies bytes of the packet, wherever they stand.
 *
 * @param off offset from the start of the IP header, in bytes
 * @param dst at least @p len bytes; undefined on failure
 * @param len bytes wanted, a constant or a value the verifier knows a bound of
 * @return 0, or -UNFRAG_ENOENT when the packet does not hold all of them
 */
UNFRAG_INLINE int unfrag_packet_read(const struct unfrag_packet *pkt, __u32 off, void *dst,
				     __u32 len)
{
	struct bpf_dynptr ptr;

	if (bpf_dynptr_from_skb((struct __sk_buff *)pkt->skb, 0, &ptr))
		return -UNFRAG_ENOENT;
	return bpf_dynptr_read(dst, len, &ptr, off, 0) ? -UNFRAG_ENOENT : 0;
}

/* The 8 bytes every IPv6 extension header starts with, taken as a Fragment header; host order. */
struct unfrag_exthdr {
	__u8 next;
	__u8 len;
	__u16 off_more;
	__u32 id;
};

/*
 * Loads where they will do, a dynptr where the chain leaves the linear part. The two sides load in
 * different sizes, so that clang can't merge them: no verifier allows one load of two kinds of
 * pointers.
 */
UNFRAG_INLINE int unfrag_packet_exthdr(const struct unfrag_packet *pkt, struct unfrag_exthdr *hdr)
{
	__u32 off = pkt->facts.l4_off;
	const struct frag_hdr___unfrag *h;
	__u64 bytes;

	if (off > pkt->facts.len || pkt->facts.len - off < sizeof(bytes))
		return -UNFRAG_ENOENT;
	if (off + sizeof(bytes) <= pkt->linear) {
		h = unfrag_cast(frag_hdr, pkt->base + off);
		hdr->next = h->nexthdr;
		hdr->len = h->reserved;
		hdr->off_more = bpf_ntohs(h->frag_off);
		hdr->id = bpf_ntohl(h->identification);
		return 0;
	}
	if (unfrag_packet_read(pkt, off, &bytes, sizeof(bytes)))
		return -UNFRAG_ENOENT;
	bytes = bpf_be64_to_cpu(bytes);
	hdr->next = (__u8)(bytes >> 56);
	hdr->len = (__u8)(bytes >> 48);
	hdr->off_more = (__u16)(bytes >> 32);
	hdr->id = (__u32)bytes;
	return 0;
}

/* Returns 1 to end the loop; `walking` still set means the headers could not be followed. */
static __attribute__((noinline, unused)) long unfrag_packet_step(__u32 i, void *arg)
{
	struct unfrag_packet *pkt = arg;
	struct unfrag_facts *f = &pkt->facts;
	struct unfrag_exthdr hdr;

	(void)i;
	if (unfrag_packet_exthdr(pkt, &hdr)) {
		f->walking = !!unfrag_ipv6_cut(f);
		return 1;
	}
	if (unfrag_ipv6_step(f, hdr.next, hdr.len, hdr.off_more, hdr.id)) {
		f->walking = 1;
		return 1;
	}
	return !f->walking;
}

UNFRAG_INLINE int unfrag_packet_walk(struct unfrag_packet *pkt)
{
	/* What a callback is given must stand in memory; this way only a copy of it has to. */
	struct unfrag_packet walked = *pkt;
	/* Verified once; an unrolled loop would be verified for each chain of headers there is. */
	long n = bpf_loop(UNFRAG_EXTHDR_MAX, unfrag_packet_step, &walked, 0);

	*pkt = walked;
	if (!pkt->facts.walking)
		return 0;
	/* Too many of them, unless the last step said that they can't be followed. */
	if (n == UNFRAG_EXTHDR_MAX && !unfrag_ipv6_cut(&pkt->facts))
		return 0;
	return -UNFRAG_EBADMSG;
}

UNFRAG_INLINE int unfrag_packet_ipv4(struct unfrag_packet *pkt, __u32 len)
{
	const struct iphdr___unfrag *iph = unfrag_cast(iphdr, pkt->base);
	const struct inet_skb_parm___unfrag *cb;
	/* struct iphdr starts with a bit field; any type that starts with a byte will do. */
	const struct frag_hdr___unfrag *first = unfrag_cast(frag_hdr, pkt->base);

	if (pkt->linear < UNFRAG_IPV4_HLEN ||
	    unfrag_ipv4_facts(&pkt->facts, first->nexthdr, len, bpf_ntohs(iph->id),
			      bpf_ntohs(iph->frag_off), iph->protocol))
		return -UNFRAG_EBADMSG;
	cb = unfrag_cast(inet_skb_parm, ((struct sk_buff___unfrag *)pkt->skb)->cb);
	pkt->frag_max_size = cb->frag_max_size;
	return 0;
}

UNFRAG_INLINE int unfrag_packet_ipv6(struct unfrag_packet *pkt, __u32 len)
{
	const struct ipv6hdr___unfrag *ip6h = unfrag_cast(ipv6hdr, pkt->base);
	const struct inet6_skb_parm___unfrag *cb;
	const struct frag_hdr___unfrag *first = unfrag_cast(frag_hdr, pkt->base);

	if (pkt->linear < UNFRAG_IPV6_HLEN ||
	    unfrag_ipv6_facts(&pkt->facts, first->nexthdr, len, ip6h->nexthdr))
		return -UNFRAG_EBADMSG;
	cb = unfrag_cast(inet6_skb_parm, ((struct sk_buff___unfrag *)pkt->skb)->cb);
	pkt->frag_max_size = cb->frag_max_size;
	return pkt->facts.walking ? unfrag_packet_walk(pkt) : 0;
}

/**
 * Learns the facts of the packet that a netfilter program was called with. Once per program run.
 *
 * @return 0, or -UNFRAG_EBADMSG when its headers can't be followed (the front keeps such packets
 *         from your program): an extension header that runs past the packet, or more than
 *         UNFRAG_EXTHDR_MAX of them
 */
UNFRAG_INLINE int unfrag_packet_from_nf(struct unfrag_packet *pkt, struct bpf_nf_ctx *ctx)
{
	const struct sk_buff___unfrag *skb = (const struct sk_buff___unfrag *)ctx->skb;
	__u32 len = skb->len;

	__builtin_memset(pkt, 0, sizeof(*pkt));
	pkt->skb = ctx->skb;
	pkt->linear = len - skb->data_len;
	pkt->base = skb->data;
	if (ctx->state->pf == UNFRAG_IPV4)
		return unfrag_packet_ipv4(pkt, len);
	return unfrag_packet_ipv6(pkt, len);
}

/**
 * Copies from the upper-layer header (TCP, UDP, ICMP, ...) on.
 *
 * @param off bytes behind the start of that header
 * @return 0, or -UNFRAG_ENOENT: a later fragment, an IPv6 packet that ends in no upper-layer header
 *         (No Next Header), or a packet too short
 */
UNFRAG_INLINE int unfrag_packet_l4(const struct unfrag_packet *pkt, __u32 off, void *dst, __u32 len)
{
	if (!pkt->facts.has_l4 || off > pkt->facts.len)
		return -UNFRAG_ENOENT;
	return unfrag_packet_read(pkt, pkt->facts.l4_off + off, dst, len);
}

/** Bytes behind the start of the upper-layer header, that header included; 0 if there is none. */
UNFRAG_INLINE __u32 unfrag_packet_l4_len(const struct unfrag_packet *pkt)
{
	return pkt->facts.has_l4 ? pkt->facts.len - pkt->facts.l4_off : 0;
}

/**
 * Ports of TCP, UDP, UDP-Lite, SCTP and DCCP, in host byte order.
 *
 * @return 0, or -UNFRAG_ENOENT when the protocol has no ports or its header is not in this packet;
 *         then both are left as they are
 */
UNFRAG_INLINE int unfrag_packet_ports(const struct unfrag_packet *pkt, __u16 *sport, __u16 *dport)
{
	const struct udphdr___unfrag *h;
	__u32 both;

	switch (pkt->facts.proto) {
	case UNFRAG_PROTO_TCP:
	case UNFRAG_PROTO_UDP:
	case UNFRAG_PROTO_UDPLITE:
	case UNFRAG_PROTO_SCTP:
	case UNFRAG_PROTO_DCCP:
		break;
	default:
		return -UNFRAG_ENOENT;
	}
	if (!pkt->facts.has_l4)
		return -UNFRAG_ENOENT;
	if (pkt->facts.l4_off + sizeof(both) <= pkt->linear) {
		h = unfrag_cast(udphdr, pkt->base + pkt->facts.l4_off);
		*sport = bpf_ntohs(h->source);
		*dport = bpf_ntohs(h->dest);
		return 0;
	}
	if (unfrag_packet_l4(pkt, 0, &both, sizeof(both)))
		return -UNFRAG_ENOENT;
	both = bpf_ntohl(both);
	*sport = (__u16)(both >> 16);
	*dport = (__u16)both;
	return 0;
}
