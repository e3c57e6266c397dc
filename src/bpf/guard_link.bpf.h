/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard where packets still have their link header: what tc and XDP have in common.
 *
 * Here the kernel has not looked at the packet yet, and an attacker must not make the guard believe
 * in a datagram that the kernel never gets whole: then its memory would count as free. So what the
 * kernel will drop on its way is dropped here (IPv4 header checksum, lengths that lie), and where
 * it only may (options, hop-by-hop headers, another's link address) the datagram stays charged
 * until its time is over.
 *
 * Who includes this says first: `link_load(ctx, off, to, len)`, which copies bytes of the packet.
 */
#pragma once

/* Of a jiffy, at a tenth of the price: times here are seconds. */
#define guard_clock() bpf_ktime_get_coarse_ns()
#define guard_beat()  bpf_jiffies64()

#include "guard.bpf.h"

/* Packets that come in are a CPU's one after another: nothing runs between load and store. */
#define guard_tick(n, by) ((n) += (by))

#define guard_is_silent(s, c) ((s)->told >= (c)->events && (__u32)(s)->second == (s)->moment_second)

/* Headers stand at multiples of 4, or the machine does not care. */
#define glance_u32(p, at) (*(const __u32 *)((p) + (at)))
#define glance_u16(p, at) ((__u32)bpf_ntohs(*(const __u16 *)((p) + (at))))

#include "../guard/glance.h"

/* Frames of their own: what they keep on the stack must not add to that of the whole decision. */
static __noinline int glance_at_ipv4(const __u8 *hdr, __u32 size)
{
	return guard_glance(hdr, size, 0);
}

static __noinline int glance_at_ipv6(const __u8 *hdr, __u32 size)
{
	return guard_glance(hdr, size, 1);
}

/* Whether it can be refused at once. UNFRAG_IPV4_HLEN bytes are there, and what is up to `end`. */
static __always_inline int link_glance(const __u8 *hdr, const __u8 *end, __u32 size, int ipv6)
{
	if (!ipv6)
		return glance_at_ipv4(hdr, size);
	return hdr + GLANCE_IPV6_HLEN <= end && glance_at_ipv6(hdr, size);
}

#define ETH_P_IP     0x0800
#define ETH_P_IPV6   0x86dd
#define ETH_P_8021Q  0x8100
#define ETH_P_8021AD 0x88a8

struct link_sight {
	void *ctx;
	struct unfrag_facts facts;
	__u32 at;  /* where the IP header stands */
	__u32 len; /* bytes from there on */
};

/* The sum over an IPv4 header without options; 0xffff if it is right (RFC 791 3.1). */
static __always_inline __u32 ipv4_sum(const __u8 *hdr)
{
	__u32 sum = 0, i;

#pragma GCC unroll 10
	for (i = 0; i < UNFRAG_IPV4_HLEN; i += 2)
		sum += (__u32)hdr[i] << 8 | hdr[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline int sight_ipv4(struct link_sight *g, const __u8 *hdr, __u8 *unsure)
{
	__u32 len = (__u32)hdr[2] << 8 | hdr[3];

	if (len > g->len || len < UNFRAG_IPV4_HLEN)
		return -1;
	if (unfrag_ipv4_facts(&g->facts, hdr[0], len, (__u16)(hdr[4] << 8 | hdr[5]),
			      (__u16)(hdr[6] << 8 | hdr[7]), hdr[9]))
		return -1;
	if (g->facts.payload_off > UNFRAG_IPV4_HLEN)
		*unsure = 1;
	else if (ipv4_sum(hdr) != 0xffff)
		return -1;
	return 0;
}

static __noinline long sight_step(__u32 i, void *arg)
{
	struct link_sight *g = arg;
	struct unfrag_facts *f = &g->facts;
	__u8 h[8];

	(void)i;
	if (f->l4_off > f->len || f->len - f->l4_off < sizeof(h) ||
	    link_load(g->ctx, g->at + f->l4_off, h, sizeof(h))) {
		f->walking = !!unfrag_ipv6_cut(f);
		return 1;
	}
	if (unfrag_ipv6_step(f, h[0], h[1], (__u16)(h[2] << 8 | h[3]),
			     (__u32)h[4] << 24 | (__u32)h[5] << 16 | (__u32)h[6] << 8 | h[7])) {
		f->walking = 1;
		return 1;
	}
	return !f->walking;
}

static __always_inline int sight_ipv6(struct link_sight *g, const __u8 *hdr, __u8 *unsure)
{
	__u32 len = UNFRAG_IPV6_HLEN + ((__u32)hdr[4] << 8 | hdr[5]);
	long n;

	if (len > g->len || unfrag_ipv6_facts(&g->facts, hdr[0], len, hdr[6]))
		return -1;
	if (hdr[6] == UNFRAG_PROTO_HOPOPTS)
		*unsure = 1;
	if (!g->facts.walking)
		return 0;
	n = bpf_loop(UNFRAG_EXTHDR_MAX, sight_step, g, 0);
	if (!g->facts.walking)
		return 0;
	return n == UNFRAG_EXTHDR_MAX && !unfrag_ipv6_cut(&g->facts) ? 0 : -1;
}

/* Facts, and the fragment filled in but for time and charge. -1: headers that lie. */
static __noinline int sight_read(struct link_sight *g, struct guard_fragment *f, __u32 ifindex,
				 int ipv6)
{
	const struct guard_config *c = guard_config_get();
	__u8 hdr[40] __attribute__((aligned(8))) = { 0 };
	int lies;

	f->family = (__u8)ipv6;
	if (!c || link_load(g->ctx, g->at, hdr, ipv6 ? 40 : 20))
		return -1;
	if (ipv6)
		lies = sight_ipv6(g, hdr, &f->unsure);
	else
		lies = sight_ipv4(g, hdr, &f->unsure);
	fragment_fill(f, c, &g->facts, hdr, ifindex);
	f->charge = c->least_charge;
	return lies;
}

static __noinline int sight_first(const struct link_sight *g)
{
	__u8 first = 0;

	if (!g->facts.has_l4 || link_load(g->ctx, g->at + g->facts.l4_off, &first, 1))
		return 0;
	return first;
}

/* A fragment, or what can't be told from one: 1 if it may pass. */
static __always_inline int link_meet(void *ctx, __u32 at, __u32 len, __u32 ifindex, int ipv6,
				     __u8 unsure)
{
	struct guard_fragment f = { .now = guard_now(), .unsure = unsure };
	struct link_sight g = { .ctx = ctx, .at = at, .len = len };
	int lies = !!sight_read(&g, &f, ifindex, ipv6);

	if (!lies && g.facts.frag == UNFRAG_FRAG_NONE)
		return 1;
	return guard_sees(&f, &g.facts, (__u32)sight_first(&g), lies);
}
