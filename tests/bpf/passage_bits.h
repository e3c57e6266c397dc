/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests/bpf/passage.bpf.c tells of a numbered packet: the hooks at whose end it came by, and
 * whether it came in at all and out on the other side. The number is the IPv4 identification, or
 * the lower half of the IPv6 flow label.
 */
#pragma once

#include <linux/types.h>

#define PASSAGE_NUMBERS 65536

/* Bits 0 to 4 are the hooks. */
#define PASSAGE_CAME 0x20u /* at prerouting or output, before everything */
#define PASSAGE_LEFT 0x40u /* seen on the other side */
