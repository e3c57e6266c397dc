/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests/bpf/whole.bpf.c tells of a packet: all of it. Only packets of a certain TTL (or hop
 * limit) are told, so that what hosts talk among themselves is not.
 */
#pragma once

#include <linux/types.h>

#define WHOLE_TTL   77
#define WHOLE_BLOCK 1024
#define WHOLE_MAX   (65 * WHOLE_BLOCK) /* at least 65,575 bytes, the longest IPv6 packet */

struct whole_record {
	__u32 len;
	__u8 data[WHOLE_MAX];
};
