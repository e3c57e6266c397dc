/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "unfrag pcap" tells: a row for each datagram that came in fragments, what systems read
 * differently, and a summary; as text or as JSON. Rows are printed as they come, so memory does
 * not grow with the capture.
 */
#pragma once

#include <capture.h>
#include <stdbool.h>
#include <stdio.h>

struct report;

struct report_opts {
	FILE *out;
	const char *in, *written; /* written NULL: nothing is */
	bool json, rows, compare;
};

struct report *report_new(const struct report_opts *o);
void report_free(struct report *r);

void report_datagram(struct report *r, const struct record *record);
void report_difference(struct report *r, const struct difference *difference);

/* Prints what is left, and the summary; trouble NULL: there was none. */
void report_finish(struct report *r, const struct capture_stats *stats, const char *trouble);
