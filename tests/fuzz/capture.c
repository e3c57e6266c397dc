// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzing of captures: an input is a byte of options and a file, pcap, pcapng or neither.
 *
 * Whatever the file is, the account adds up: each packet that was read is one that was written or
 * is in a whole datagram.
 */
#define _GNU_SOURCE
#include <capture.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static void on_datagram(const struct record *record, void *arg)
{
	uint64_t *told = arg;

	must(record->len ? !record->reason : record->reason, "a datagram is whole or has a reason");
	must(record->fragments > record->duplicates, "a duplicate is one of something");
	must(record->smallest <= record->largest, "sizes");
	(*told)++;
}

static void on_difference(const struct difference *d, void *arg)
{
	(void)arg;
	must(d->n >= 2 && d->size && d->at + d->size <= d->len, "a difference is one");
}

static void check(const struct capture_stats *s, uint64_t told)
{
	uint64_t reasons = 0;
	int i;

	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		reasons += s->reasons[i];
	must(s->packets + s->nested == s->not_ip + s->not_fragments + s->unreadable + s->cut +
					       s->atomic + s->fragments,
	     "packets");
	must(s->fragments == s->whole_fragments + s->single && s->single == reasons, "fragments");
	must(s->packets - s->whole_fragments + s->whole == s->written + s->left_out, "written");
	must(s->datagrams == told, "datagrams");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t options = size ? data[0] : 0;
	uint64_t told = 0;
	struct capture_opts o = {
		.policy = options % UNFRAG_REASM_POLICY_MAX,
		.memory = UNFRAG_REASM_MEMORY_MIN,
		.buffer = CAPTURE_BUFFER_MIN,
		.at_first = options & 8,
		.leave_incomplete = options & 16,
		.strict = options & 32,
		.on_datagram = on_datagram,
		.tunnels = options & 128,
		.on_difference = options & 64 ? on_difference : NULL,
		.arg = &told,
	};
	struct capture_stats stats;
	struct trouble trouble;
	char path[64];
	int fd;

	if (size < 2)
		return 0;
	fd = memfd_create("capture", MFD_CLOEXEC);
	must(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)size - 1, "a file in memory");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	o.in = path;
	capture_run(&o, &stats, &trouble);
	close(fd);
	check(&stats, told);
	return 0;
}
