/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The limits of the kernel's defragmenters in one network namespace: read, set, put back.
 *
 * What they were is pinned before the first is written, so that whoever takes the guard away can
 * put them back, however the process that set them ended. A value that somebody else has changed
 * since is left alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

#include <unfrag/guard.h>

/* In the order of writing: a threshold that is lowered has its lower companion in the way. */
enum sysctl_id {
	SYSCTL_IPV4_LOW,
	SYSCTL_IPV4_HIGH,
	SYSCTL_IPV4_TIME,
	SYSCTL_IPV4_DIST,
	SYSCTL_FRAG6_LOW,
	SYSCTL_FRAG6_HIGH,
	SYSCTL_FRAG6_TIME,
	SYSCTL_MAX,
};

#define SYSCTL_ROOM 16

struct sysctl_memory {
	int64_t old;
	int64_t set;
	int64_t next; /* being set; else as set */
	uint32_t used;
	uint32_t pad;
};

/* Layout on bpffs: rows by enum sysctl_id. */
struct sysctl_book {
	uint32_t version;
	uint32_t pad;
	struct sysctl_memory row[SYSCTL_ROOM];
};

_Static_assert(sizeof(struct sysctl_book) == 8 + 16 * 32, "layout on bpffs");

struct sysctl_values {
	int64_t at[SYSCTL_MAX]; /* -1: not there, or not to be set */
};

/* "net.ipv4.ipfrag_time". Static. */
const char *sysctl_name(enum sysctl_id id);

/* Those of a family that others are measured by. */
enum sysctl_id sysctl_high(unsigned int family);
enum sysctl_id sysctl_time(unsigned int family);

/* In a namespace, as netns_call() takes it. 0 or -errno of entering it. */
int sysctl_read(int netns_fd, struct sysctl_values *out);

/* What fits those limits, for those families, where `now` is not that already; else -1. */
void sysctl_plan(struct sysctl_values *plan, const struct sysctl_values *now, uint32_t families,
		 const struct unfrag_guard_limits *limits);

/*
 * Sets what is planned, says each change, and notes it in the book first, which is map `fd`. On
 * failure those that were set get back what they had. Logs the error.
 */
int sysctl_set(int netns_fd, int fd, struct sysctl_book *book, const struct sysctl_values *plan);

/* Puts back what the book has. quiet: without words on those that others changed. */
int sysctl_restore(int netns_fd, const struct sysctl_book *book, bool quiet);
