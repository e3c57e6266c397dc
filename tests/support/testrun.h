/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One packet through a netfilter program by BPF_PROG_TEST_RUN: no wire, no defragmenter, and never
 * the traces of one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TESTRUN_MAX 3072 /* bytes; a page holds them with all that stands around */

/*
 * Runs a program `repeat` times on a packet, from the IP header on, at a hook (0..4) of a family
 * (NFPROTO_IPV4 or NFPROTO_IPV6). The verdict, 0 or 1, or -errno: -EINVAL for less than 20 bytes,
 * or, other than at output, for less than an IPv6 header.
 */
int testrun(int prog_fd, uint32_t pf, uint32_t hook, const void *packet, size_t len, int repeat);
