/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two judges of the life tests, tests/bpf/life_a.bpf.c and life_b.bpf.c, tell.
 *
 * Both have a map "judged" of the same layout, with a place for each of them, and a map "layout"
 * that has only its name in common.
 */
#pragma once

#include <linux/types.h>

#define LIFE_PORT 9 /* of "mine"; UDP */

enum life_judge { LIFE_A, LIFE_B, LIFE_JUDGE_MAX };

#define LIFE_LAYOUT_A 4 /* entries of "layout" */
#define LIFE_LAYOUT_B 8

/* An element of "judged", by enum life_judge. */
struct life_judged {
	__u64 all;       /* packets */
	__u64 mine;      /* of them UDP to LIFE_PORT, without IP options or extension headers */
	__u64 fragments; /* of "all": must stay 0 */
};
