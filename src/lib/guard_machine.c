// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "guard_machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

/* "MemTotal:       24683620 kB" */
static int read_memory(struct limits_frame *f)
{
	unsigned long long kib;
	char line[128];
	FILE *meminfo = fopen("/proc/meminfo", "re");
	int r;

	if (!meminfo) {
		r = -errno;
		return log_error(r, "/proc/meminfo can't be read: %s", strerror(-r));
	}
	while (fgets(line, sizeof(line), meminfo)) {
		if (sscanf(line, "MemTotal: %llu kB", &kib) == 1)
			f->memory = kib * 1024;
		else if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			f->available = kib * 1024;
	}
	fclose(meminfo);
	return 0;
}

/* What is to be tuned has to be there. */
static int check_there(const struct sysctl_values *now, uint32_t families)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!(families & 1u << i) || now->at[sysctl_high(i)] >= 0)
			continue;
		return log_error(
			-ENOENT, "%s can't be read, so %s is not reassembled there; %s",
			sysctl_name(sysctl_high(i)), i ? "IPv6" : "IPv4",
			i ? "attach a program or 'unfrag defrag on' first, or guard IPv4 only" :
			    "is /proc/sys mounted?");
	}
	return 0;
}

int machine_settle(struct unfrag_guard_limits *limits, const struct sysctl_values *now,
		   uint32_t families, bool tuned, bool fresh)
{
	struct limits_frame f = { .families = families, .tuned = tuned };
	uint32_t datagrams = limits->datagrams ? limits->datagrams : LIMITS_DATAGRAMS;
	unsigned int i;
	int r = read_memory(&f);

	if (!r && tuned)
		r = check_there(now, families);
	for (i = 0; i < 2; i++) {
		f.high[i] = now->at[sysctl_high(i)];
		f.timeout[i] = now->at[sysctl_time(i)];
	}
	return r ? r : limits_settle(limits, &f, fresh ? limits_table(datagrams) : 0);
}
