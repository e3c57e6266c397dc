/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests/bpf/shoot.bpf.c counts, by key of its map "counts".
 */
#pragma once

enum shoot_count {
	SHOOT_DOWN,  /* fragments, dropped */
	SHOOT_WHOLE, /* whole UDP datagrams, accepted */
	SHOOT_OTHER, /* neither, accepted: what hosts have to say to each other */
	SHOOT_COUNT_MAX,
};
