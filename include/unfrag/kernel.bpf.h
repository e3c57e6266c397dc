/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Kernel types and functions that the author's header touches. Declared here and relocated at load
 * (CO-RE), so no generated vmlinux.h is needed; one may stand in front of this, though.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/bpf.h>
#include <linux/types.h>
#endif
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Verdicts of a netfilter program, as in <linux/netfilter.h>. */
#ifndef NF_DROP
#define NF_DROP 0
#endif
#ifndef NF_ACCEPT
#define NF_ACCEPT 1
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#ifndef __VMLINUX_H__
struct net_device {
	int ifindex;
};

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
	struct net_device *in;
	struct net_device *out;
};

struct sk_buff {
	unsigned int len;
	unsigned int data_len;
	unsigned char *data;
};

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};
#endif

/* What follows "___" is not part of the kernel's name: these stand beside a vmlinux.h. */
struct sk_buff___unfrag {
	unsigned int len;
	unsigned int data_len;
	unsigned char *data;
	char cb[48];
};

struct iphdr___unfrag {
	__u16 id;
	__u16 frag_off;
	__u8 protocol;
};

struct ipv6hdr___unfrag {
	__u8 nexthdr;
};

struct frag_hdr___unfrag {
	__u8 nexthdr;
	__u8 reserved;
	__u16 frag_off;
	__u32 identification;
};

struct udphdr___unfrag {
	__u16 source;
	__u16 dest;
};

struct inet_skb_parm___unfrag {
	__u16 frag_max_size;
};

struct inet6_skb_parm___unfrag {
	__u16 frag_max_size;
};

#pragma clang attribute pop

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
			       struct bpf_dynptr *ptr) __ksym __weak;

/* A kernel address read as a kernel type: faults read as zero. */
#define unfrag_cast(type, addr) \
	((struct type##___unfrag *)bpf_rdonly_cast((addr), bpf_core_type_id_kernel( \
								   struct type##___unfrag)))
