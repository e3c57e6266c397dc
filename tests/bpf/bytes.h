/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests/bpf/bytes.bpf.c tells of one packet: its facts, and a sum over all bytes from the
 * upper-layer header to the end, so that no byte can be another or stand elsewhere unnoticed.
 *
 * The sum goes over 64-byte blocks, the last one filled up with zeroes, as eight 64-bit words each
 * in the machine's byte order. The same code makes the expected sum natively.
 */
#pragma once

#include <unfrag/packet.h>

#define BYTES_BLOCK      64
#define BYTES_BLOCKS_MAX 1024 /* 64 KiB */

struct bytes_record {
	struct unfrag_facts facts; /* all but zero only if init_rc is 0 */
	__s32 init_rc;
	__s32 ports_rc;
	__u64 sum;
	__u32 summed; /* bytes that could be read, to be compared with facts.len - facts.l4_off */
	__u32 linear;
	__u16 sport;
	__u16 dport;
	__u16 frag_max_size;
	__u8 hook;
	__u8 pf;
};

UNFRAG_INLINE __u64 bytes_sum(__u64 sum, const __u64 block[BYTES_BLOCK / 8])
{
	int i;

	for (i = 0; i < BYTES_BLOCK / 8; i++) {
		sum = (sum ^ block[i]) * 0x9e3779b97f4a7c15ull;
		sum ^= sum >> 29;
	}
	return sum;
}
