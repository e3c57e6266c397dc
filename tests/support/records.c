// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Maps wake nobody up, so waiting is looking: at once, which nearly always does as packets on the
 * lab's wires are handled while they are sent, and else every half millisecond.
 */
#define _GNU_SOURCE
#include "records.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <time.h>
#include <util.h>

int records_in_order(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	if (cpu < 0)
		return -errno;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static void pause_shortly(void)
{
	const struct timespec half_ms = { .tv_nsec = 500000 };

	nanosleep(&half_ms, NULL);
}

int record_next(int map_fd, void *record, int ms)
{
	int64_t deadline = lab_now_ms() + ms;
	int r;

	while ((r = bpf_map_lookup_and_delete_elem(map_fd, NULL, record)) == -ENOENT) {
		if (lab_now_ms() >= deadline)
			return -ETIMEDOUT;
		pause_shortly();
	}
	return r;
}

uint64_t counter_read(int map_fd, uint32_t key)
{
	uint64_t n = 0;

	if (bpf_map_lookup_elem(map_fd, &key, &n))
		return 0;
	return n;
}

uint64_t counter_wait(int map_fd, uint32_t key, uint64_t want, int ms)
{
	int64_t deadline = lab_now_ms() + ms;
	uint64_t n;

	while ((n = counter_read(map_fd, key)) < want && lab_now_ms() < deadline)
		pause_shortly();
	return n;
}
