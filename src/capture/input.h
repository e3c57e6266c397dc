/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture to read: pcap or pcapng, a file or standard input ("-").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "queue.h"
#include "trouble.h"

struct input;

int input_new(struct input **out, const char *name, struct trouble *t);
void input_free(struct input *in);

/* Returns 1 with a packet, which is there until the next call; 0 at the end; or -errno. */
int input_next(struct input *in, struct packet *p, struct trouble *t);

int input_link(const struct input *in); /* DLT_* */
int input_snap(const struct input *in); /* bytes that packets were cut to */
bool input_has_nanoseconds(const struct input *in);
int input_fd(const struct input *in);

/* How much of it was read, in percent; -1: not known. */
int input_percent(const struct input *in);
