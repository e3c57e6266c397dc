/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of a packet: it is judged by the engine and given to the order of output, what it
 * carries in tunnels likewise, and the account is kept.
 */
#pragma once

#include "capture.h"
#include "link.h"
#include "sink.h"

struct judge;

/* The link layer, the output and where to count stay the caller's. */
int judge_new(struct judge **out, const struct capture_opts *o, const struct link *link,
	      struct sink *sink, struct capture_stats *stats, struct trouble *t);
void judge_free(struct judge *j);

/* These return 0 or -errno. */
int judge_packet(struct judge *j, const struct packet *p);

/* The time went on without a packet. */
int judge_time(struct judge *j, uint64_t now);

/* Nothing more will come. */
int judge_finish(struct judge *j);
