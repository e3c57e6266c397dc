/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs run by BPF_PROG_TEST_RUN, over and over on one whole packet: what they cost by
 * themselves, and what the front in front of them adds, away from the noise of a forwarding path.
 */
#pragma once

#include <stddef.h>

enum run_kind {
	RUN_PASS,
	RUN_PASS_BEHIND_FRONT,
	RUN_ONLY_DNS,
	RUN_ONLY_DNS_BEHIND_FRONT,
	RUN_MAX,
};

const char *run_name(enum run_kind kind);

struct runs;

/* 0 or -errno, told in words. */
int runs_new(struct runs **out);
void runs_free(struct runs *runs);

/*
 * Runs a program on a frame (with Ethernet header) as at prerouting. *ns: what one run took, on
 * average. 0; -EBADMSG when it did not accept; or another -errno. Told in words.
 */
int runs_measure(struct runs *runs, enum run_kind kind, int family, const void *frame, size_t size,
		 unsigned int repeat, double *ns);
