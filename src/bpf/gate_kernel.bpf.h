/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the gate touches of the kernel, and the bytes of a packet.
 *
 * For each type that is relocated and each function that is called libbpf goes through all types of
 * the kernel, some hundred thousand, at every load. So there are no more than are needed, and
 * bytes are read through a single type that has some of them, whatever they are.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../gate/bits.h"

/* Verdicts, as in <linux/netfilter.h>. */
#define NF_DROP   0
#define NF_ACCEPT 1

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net_device___gate {
	char name[16];
	int ifindex;
};

struct nf_hook_state___gate {
	__u8 hook;
	__u8 pf;
	struct net_device___gate *in;
	struct net_device___gate *out;
};

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
	char cb[48];
};

struct skb_shared_info___gate {
	struct sk_buff___gate *frag_list;
};

struct inet_skb_parm___gate {
	__u16 frag_max_size;
};

struct inet6_skb_parm___gate {
	__u16 frag_max_size;
};

#pragma clang attribute pop

/* A context is laid out for programs, and not relocated. */
struct bpf_nf_ctx {
	const struct nf_hook_state___gate *state;
	const struct sk_buff___gate *skb;
};

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;

/* An address in the kernel as one of its types: faults read as zero. */
#define gate_cast(type, addr) \
	((const struct type##___gate *)bpf_rdonly_cast((addr), bpf_core_type_id_kernel( \
								       struct type##___gate)))

/* 16 bytes. */
struct in6_addr___gate {
	__u8 bytes[16];
};

#define gate_bytes(addr) ((const void *)gate_cast(in6_addr, addr))

struct gate_packet {
	struct bpf_nf_ctx *ctx;
	const struct sk_buff___gate *skb;
	const unsigned char *base;
	__u32 linear;
	__u32 len;
};

static __always_inline void gate_packet_of(struct gate_packet *p, struct bpf_nf_ctx *ctx)
{
	p->ctx = ctx;
	p->skb = ctx->skb;
	p->base = p->skb->data;
	p->len = p->skb->len;
	p->linear = p->len - p->skb->data_len;
}

static __always_inline __u32 gate_get8(const struct gate_packet *p, __u32 off)
{
	return *(const __u8 *)gate_bytes(p->base + off);
}

static __always_inline __u32 gate_get16(const struct gate_packet *p, __u32 off)
{
	return bpf_ntohs(*(const __u16 *)gate_bytes(p->base + off));
}

static __always_inline __u32 gate_get32(const struct gate_packet *p, __u32 off)
{
	return bpf_ntohl(*(const __u32 *)gate_bytes(p->base + off));
}

static __always_inline void gate_get_wide(const struct gate_packet *p, __u32 off, __u32 *word)
{
	const __u64 *half = gate_bytes(p->base + off);

	gate_split(word, bpf_be64_to_cpu(half[0]), bpf_be64_to_cpu(half[1]));
}

/* Bytes that are not in the linear part, or not there. How many of four; the first one on top. */
__noinline int gate_far(struct bpf_nf_ctx *ctx, __u32 off, __u32 *four)
{
	const struct sk_buff___gate *skb = ctx->skb;
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
