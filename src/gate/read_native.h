/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * All fields of a packet that stands in memory, for explanations, tests and fuzzing: its headers by
 * the same text as in BPF, and what only a running kernel knows as it is told.
 */
#pragma once

#include <string.h>

#include "layout.h"

/* What else there is to a packet. All zeros: it came from nowhere, and was not reassembled. */
struct gate_around {
	char iifname[16]; /* zeros behind the name, and no end needed */
	char oifname[16];
	__u32 iif;
	__u32 oif;
	__u32 mark;
	__u32 ct_state; /* GATE_CT_...; 0: none, which is GATE_CT_INVALID */
	__u16 largest;  /* original fragment; 0: not reassembled */
	__u16 smallest; /* likewise; 0: not known */
};

struct gate_packet {
	const __u8 *data;
	__u32 len;
};

#define GATE_WANTED(i) (i)

static inline __u32 gate_get8(const struct gate_packet *p, __u32 off)
{
	return p->data[off];
}

static inline __u32 gate_get16(const struct gate_packet *p, __u32 off)
{
	return gate_get8(p, off) << 8 | gate_get8(p, off + 1);
}

static inline __u32 gate_get32(const struct gate_packet *p, __u32 off)
{
	return gate_get16(p, off) << 16 | gate_get16(p, off + 2);
}

static inline void gate_get_wide(const struct gate_packet *p, __u32 off, __u32 *word)
{
	__u32 i;

	for (i = 0; i < 4; i++)
		word[i] = gate_get32(p, off + 4 * i);
}

static inline __u32 gate_four(const struct gate_packet *p, __u32 off, __u32 *four)
{
	__u32 n;

	*four = 0;
	for (n = 0; n < 4 && off < p->len && n < p->len - off; n++)
		*four |= gate_get8(p, off + n) << 8 * (3 - n);
	return n;
}

#include "read.h"

static inline void gate_read_name(__u32 *word, const char *name)
{
	const struct gate_packet p = { (const __u8 *)name, 16 };
	__u64 first = (__u64)gate_get32(&p, 0) << 32 | gate_get32(&p, 4);
	__u64 second = (__u64)gate_get32(&p, 8) << 32 | gate_get32(&p, 12);

	gate_cut_name(&first, &second);
	gate_split(word, first, second);
}

static inline void gate_read_around(struct gate_values *v, const struct gate_around *a, __u32 len,
				    __u32 family)
{
	__u32 next = GATE_WANTED(GATE_IIF);

	gate_read_name(&v->word[GATE_W_IIFNAME], a->iifname);
	gate_read_name(&v->word[GATE_W_OIFNAME], a->oifname);
	v->present |= GATE_BIT(IIFNAME) | GATE_BIT(OIFNAME);
	gate_put(v, next, IIF, a->iif);
	gate_put(v, next, OIF, a->oif);
	gate_put(v, next, LENGTH, len);
	gate_put(v, next, MARK, a->mark);
	gate_put(v, next, NFPROTO, family);
	gate_put(v, next, CT_STATE, a->ct_state ? a->ct_state : GATE_CT_INVALID);
	next = GATE_WANTED(GATE_REASSEMBLED);
	gate_put(v, next, REASSEMBLED, a->largest != 0);
	gate_put_if(v, next, LARGEST, a->largest, a->largest);
	gate_put_if(v, next, SMALLEST, a->smallest, a->smallest);
}

/*
 * Fills in all values of a packet, from its IP header on, of either family. Returns 0, or -1 for
 * one that the front would not let by.
 */
static inline int gate_read_packet(struct gate_values *v, const void *data, __u32 len,
				   const struct gate_around *around)
{
	const struct gate_packet p = { (const __u8 *)data, len };
	struct gate_l4 l4 = { 0 };
	__u32 i;

	memset(v, 0, sizeof(*v));
	if (len < UNFRAG_IPV4_HLEN || (p.data[0] >> 4 == 6 && len < UNFRAG_IPV6_HLEN))
		return -1;
	if (p.data[0] >> 4 == 6)
		gate_read_ipv6(v, &p, &l4);
	else if (p.data[0] >> 4 == 4)
		gate_read_ipv4(v, &p, &l4);
	else
		return -1;
	for (i = 0; i < UNFRAG_EXTHDR_MAX && l4.walking; i++)
		gate_read_exthdr(&p, &l4);
	l4.lost |= l4.walking;
	gate_read_l4(v, &p, &l4);
	gate_read_around(v, around, len, p.data[0] >> 4 == 6 ? UNFRAG_IPV6 : UNFRAG_IPV4);
	return 0;
}
