/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a netfilter program can see of a packet, read into the fields that the ruleset asks for and
 * no others.
 *
 * Behind the front all IP headers can be followed, and the first one is in the linear part.
 *
 * A global function is verified once, and who calls it is told nothing of what it did to memory: so
 * ways that part in one come together again where it returns.
 */
#pragma once

#include "../gate/bits.h"
#include "gate_maps.bpf.h"

#define GATE_WANTS(bits) (config.fields & (bits))

#define GATE_FRAGMENTS_MAX 8192 /* 65,535 bytes in units of 8 */
#define GATE_PACKET_MAX    65575u

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sk_buff___gate {
	unsigned int len;
	unsigned int data_len;
	__u32 mark;
	unsigned long _nfct;
	__u16 network_header;
	unsigned int end;
	unsigned char *head;
	unsigned char *data;
	struct sk_buff___gate *next;
};

struct skb_shared_info___gate {
	struct sk_buff___gate *frag_list;
};

struct net_device___gate {
	char name[16];
	int ifindex;
};

struct nf_hook_state___gate {
	struct net_device___gate *in;
	struct net_device___gate *out;
};

/* Any kernel type that starts with so many bits. */
struct in_addr___unfrag {
	__u32 s_addr;
};

struct timespec64___unfrag {
	__s64 tv_sec;
	long tv_nsec;
};

#pragma clang attribute pop

struct gate_packet {
	struct bpf_nf_ctx *ctx;
	const struct sk_buff___gate *skb;
	const unsigned char *base;
	__u32 linear;
	__u32 len;
};

static __always_inline __u32 gate_get8(const struct gate_packet *p, __u32 off)
{
	return unfrag_cast(frag_hdr, p->base + off)->nexthdr;
}

static __always_inline __u32 gate_get16(const struct gate_packet *p, __u32 off)
{
	return bpf_ntohs(unfrag_cast(udphdr, p->base + off)->source);
}

static __always_inline __u32 gate_get32(const struct gate_packet *p, __u32 off)
{
	return bpf_ntohl(unfrag_cast(in_addr, p->base + off)->s_addr);
}

static __always_inline void gate_get_wide(const struct gate_packet *p, __u32 off, __u32 *word)
{
	const struct timespec64___unfrag *t = unfrag_cast(timespec64, p->base + off);

	gate_split(word, bpf_be64_to_cpu((__u64)t->tv_sec), bpf_be64_to_cpu((__u64)t->tv_nsec));
}

/* Bytes that are not in the linear part, or not there. How many of four; the first one on top. */
__noinline int gate_far(struct bpf_nf_ctx *ctx, __u32 off, __u32 *four)
{
	const struct sk_buff___gate *skb = (const struct sk_buff___gate *)ctx->skb;
	__u32 n = off < skb->len ? skb->len - off : 0;
	struct bpf_dynptr ptr;
	__u32 bytes = 0;

	if (!four)
		return 0;
	*four = 0;
	if (n > sizeof(bytes))
		n = sizeof(bytes);
	if (!n || bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &ptr) ||
	    bpf_dynptr_read(&bytes, n, &ptr, off, 0))
		return 0;
	*four = bpf_ntohl(bytes);
	return (int)n;
}

static __always_inline __u32 gate_four(const struct gate_packet *p, __u32 off, __u32 *four)
{
	if (off + sizeof(*four) > p->linear)
		return (__u32)gate_far(p->ctx, off, four);
	*four = gate_get32(p, off);
	return sizeof(*four);
}

#include "../gate/read.h"

static __always_inline void gate_packet_of(struct gate_packet *p, struct bpf_nf_ctx *ctx)
{
	p->ctx = ctx;
	p->skb = (const struct sk_buff___gate *)ctx->skb;
	p->base = p->skb->data;
	p->len = p->skb->len;
	p->linear = p->len - p->skb->data_len;
}

__noinline int gate_chase_step(struct bpf_nf_ctx *ctx, struct gate_l4 *l4)
{
	struct gate_packet p;

	if (!l4)
		return 0;
	gate_packet_of(&p, ctx);
	gate_read_exthdr(&p, l4);
	return 0;
}

static __always_inline void gate_chase(struct bpf_nf_ctx *ctx, struct gate_l4 *l4)
{
	__u32 i;

#pragma GCC unroll 1
	for (i = 0; i < UNFRAG_EXTHDR_MAX && l4->walking; i++)
		gate_chase_step(ctx, l4);
	l4->lost |= l4->walking;
}

/*
 * Original fragments of a packet, of which all but the first hang in a list. What is in the list
 * begins behind the headers that each of them had, and these stand in front of it still.
 */
struct gate_pieces {
	const struct sk_buff___gate *next;
	__u32 sum;
	__u32 least;
};

static __noinline long gate_piece(__u32 i, void *arg)
{
	struct gate_pieces *p = arg;
	const struct sk_buff___gate *skb = p->next;
	__u64 headers;

	if (!skb)
		return 1;
	headers = (__u64)skb->data - (__u64)skb->head - skb->network_header;
	p->next = skb->next;
	/* Without headers it is a part of the first one. */
	if (headers > GATE_PACKET_MAX)
		return 0;
	p->sum += skb->len;
	p->least = gate_least(p->least, (__u32)headers + skb->len);
	return 0;
}

/* Bytes of the smallest one, of which the largest has `largest`; 0 where the list is gone. */
__noinline int gate_smallest(struct bpf_nf_ctx *ctx, __u32 largest)
{
	const struct sk_buff___gate *skb = (const struct sk_buff___gate *)ctx->skb;
	const void *info = skb->head + skb->end;
	const struct skb_shared_info___gate *shared =
		bpf_rdonly_cast(info, bpf_core_type_id_kernel(struct skb_shared_info___gate));
	struct gate_pieces pieces = { .next = shared->frag_list, .least = ~0u };
	__u32 first, taken = ctx->state->pf == UNFRAG_IPV6 ? 8 : 0; /* the Fragment header */

	bpf_loop(GATE_FRAGMENTS_MAX, gate_piece, &pieces, 0);
	skb = (const struct sk_buff___gate *)ctx->skb;
	first = skb->len - pieces.sum + taken;
	/* An IPv6 datagram may come in one fragment. */
	if (!pieces.sum && first != largest)
		return 0;
	return (int)gate_least(first, pieces.least);
}

static __always_inline __u32 gate_frag_max_size(const struct gate_packet *p, int is_ipv6)
{
	const void *cb = ((const struct sk_buff___unfrag *)p->skb)->cb;

	return is_ipv6 ? unfrag_cast(inet6_skb_parm, cb)->frag_max_size :
			 unfrag_cast(inet_skb_parm, cb)->frag_max_size;
}

static __always_inline void gate_read_fragments(struct gate_values *v, const struct gate_packet *p,
						int is_ipv6)
{
	__u32 largest, smallest;

	if (!GATE_WANTS(GATE_BIT(REASSEMBLED) | GATE_BIT(LARGEST) | GATE_BIT(SMALLEST)))
		return;
	largest = gate_frag_max_size(p, is_ipv6);
	gate_put(v, REASSEMBLED, largest != 0);
	if (!largest)
		return;
	gate_put(v, LARGEST, largest);
	if (!GATE_WANTS(GATE_BIT(SMALLEST)))
		return;
	smallest = (__u32)gate_smallest(p->ctx, largest);
	if (smallest)
		gate_put(v, SMALLEST, smallest);
}

/* A device's name, with zeros behind it. */
static __always_inline void gate_get_name(__u32 *word, const struct net_device___gate *dev)
{
	const __u64 *name;
	__u64 first = 0, second = 0;

	if (dev) {
		name = (const __u64 *)dev->name;
		first = bpf_be64_to_cpu(name[0]);
		second = bpf_be64_to_cpu(name[1]);
	}
	gate_cut_name(&first, &second);
	gate_split(word, first, second);
}

static __always_inline void gate_read_devices(struct gate_values *v, struct bpf_nf_ctx *ctx)
{
	const struct nf_hook_state___gate *state = (const void *)ctx->state;

	if (GATE_WANTS(GATE_BIT(IIFNAME))) {
		gate_get_name(&v->word[GATE_W_IIFNAME], state->in);
		v->present |= GATE_BIT(IIFNAME);
	}
	if (GATE_WANTS(GATE_BIT(OIFNAME))) {
		gate_get_name(&v->word[GATE_W_OIFNAME], state->out);
		v->present |= GATE_BIT(OIFNAME);
	}
	gate_put(v, IIF, state->in ? (__u32)state->in->ifindex : 0);
	gate_put(v, OIF, state->out ? (__u32)state->out->ifindex : 0);
}

static __always_inline void gate_read_rest(struct gate_values *v, const struct gate_packet *p,
					   __u32 pf)
{
	v->word[GATE_W_LENGTH] = p->len;
	gate_put(v, LENGTH, p->len);
	gate_put(v, MARK, p->skb->mark);
	gate_put(v, NFPROTO, pf);
	if (!GATE_WANTS(GATE_BIT(CT_STATE)))
		return;
	if (bpf_core_field_exists(p->skb->_nfct))
		gate_put(v, CT_STATE, gate_ct_state(p->skb->_nfct));
	else
		gate_put(v, CT_STATE, GATE_CT_INVALID);
}

/* What the headers say. Returns 0, or -1 for a packet that the front would not let by. */
static __always_inline int gate_read_headers(struct gate_values *v, const struct gate_packet *p,
					     struct gate_l4 *l4, int is_ipv6)
{
	if (p->linear < (is_ipv6 ? UNFRAG_IPV6_HLEN : UNFRAG_IPV4_HLEN))
		return -1;
	if (is_ipv6)
		gate_read_ipv6(v, p, l4);
	else
		gate_read_ipv4(v, p, l4);
	if (l4->walking)
		gate_chase(p->ctx, l4);
	if (GATE_WANTS(GATE_L4_FIELDS | GATE_BIT(L4PROTO)))
		gate_read_l4(v, p, l4);
	return 0;
}

__noinline int gate_read(struct bpf_nf_ctx *ctx, struct gate_values *v)
{
	int is_ipv6 = ctx->state->pf == UNFRAG_IPV6;
	struct gate_l4 l4 = { 0 };
	struct gate_packet p;

	if (!v)
		return -1;
	gate_packet_of(&p, ctx);
	if (config.features & GATE_HAS_LOG)
		__builtin_memset(v, 0, sizeof(*v));
	v->present = 0;
	if (gate_read_headers(v, &p, &l4, is_ipv6))
		return -1;
	gate_read_fragments(v, &p, is_ipv6);
	gate_read_devices(v, ctx);
	gate_read_rest(v, &p, ctx->state->pf);
	return 0;
}
