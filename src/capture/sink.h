/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture to write, in pcap's format: a file, which gets its name only when it is whole, or
 * standard output ("-").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "queue.h"
#include "trouble.h"

struct sink_opts {
	const char *name;   /* NULL: nothing is written, but the filter is still asked */
	const char *filter; /* as pcap-filter(7) has it; NULL: all packets */
	int link;           /* DLT_* */
	int snap;
	int input; /* what is read from and so must not be written to */
	bool nanoseconds;
};

struct sink;

int sink_new(struct sink **out, const struct sink_opts *o, struct trouble *t);

/* Returns 1 if the packet passes the filter, 0 if it does not, or -errno. */
int sink_put(struct sink *s, const struct packet *p, struct trouble *t);

/* What was put is on its way. */
int sink_flush(struct sink *s, struct trouble *t);

/* All is written: now it gets its name. */
int sink_finish(struct sink *s, struct trouble *t);

/* Without sink_finish() nothing is left of it. */
void sink_free(struct sink *s);
