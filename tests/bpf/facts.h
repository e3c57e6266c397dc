/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests/bpf/facts.bpf.c tells of one packet.
 */
#pragma once

#include <unfrag/packet.h>

struct facts_record {
	struct unfrag_facts facts; /* all but zero only if init_rc is 0 */
	__s32 init_rc;
	__s32 ports_rc;
	__s32 past_end_rc; /* reading one byte behind the end: must fail */
	__u32 linear;
	__u16 sport;
	__u16 dport;
	__u16 frag_max_size;
	__u8 last_byte;
	__u8 reassembled;
	__u8 is_fragment;
	__u8 hook;
	__u8 pf;
	__u8 pad;
};
