/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture to read: pcap or pcapng, a file or standard input ("-"); or a network interface.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "queue.h"
#include "trouble.h"

enum input_state {
	INPUT_END,
	INPUT_PACKET,
	INPUT_IDLE, /* no packet for now; packet.time is the time */
};

struct input;

int input_new(struct input **out, const char *name, bool live, struct trouble *t);
void input_free(struct input *in);

/* Returns what there is (enum input_state), a packet until the next call; or -errno. */
int input_next(struct input *in, struct packet *p, struct trouble *t);

int input_link(const struct input *in); /* DLT_* */
int input_snap(const struct input *in); /* bytes that packets were cut to */
bool input_has_nanoseconds(const struct input *in);
int input_fd(const struct input *in);        /* -1: none */
uint64_t input_lost(const struct input *in); /* packets: came too fast */

/* How much of it was read, in percent; -1: not known. */
int input_percent(const struct input *in);
