/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the parts of the guard's code share: making it (guard_on.c) and the rest of its life
 * (guard.c, guard_tune.c, guard_stats.c, guard_watch.c).
 *
 * A guard in the BPF file system, under unfrag/_guard/INODE/, where INODE is the namespace's:
 *
 *	about                what was asked for, and whether making it came to its end
 *	place                where it stands: devices, and what has no pin of its own
 *	sysctls              what they were and what was set; pinned before the first is written
 *	config state counters sets datagrams sources events
 *	link-FAMILY-prerouting, or link-IFINDEX for each device
 */
#pragma once

#include <linux/types.h>

#include "../guard/layout.h"
#include "about.h"
#include "guard_load.h"
#include "store.h"

#include <unfrag/guard_stats.h>

#define STORE_GUARDS "unfrag/_guard"

#define GUARD_PLACE   "place"
#define GUARD_SYSCTLS "sysctls"

#define GUARD_DEVICE_MADE_CLSACT 0x1u

/* Layouts on bpffs, met by other builds: extend in the spare room. */
struct guard_device {
	__u32 ifindex;
	__u32 mode; /* enum unfrag_guard_mode; AUTO: not there yet */
	char name[16];
	__u32 flags;
	__u32 handle; /* of a clsact filter */
	__u32 priority;
	__u32 prog_id;
	__u8 spare[24];
};

struct guard_place {
	__u32 version;
	__u32 place;
	__u32 flags;
	__u32 devices;
	__u64 netns_cookie;
	__u8 spare[104];
	struct guard_device device[UNFRAG_GUARD_DEVICES_MAX];
};

_Static_assert(sizeof(struct guard_device) == 64, "layout on bpffs");
_Static_assert(sizeof(struct guard_place) == 128 + 16 * 64, "layout on bpffs");

struct ring_buffer;

struct guard_watcher {
	struct ring_buffer *ring;
	void (*fn)(const struct unfrag_guard_refusal *refusal, void *arg);
	void *arg;
	uint64_t since;   /* refusals counted when it began */
	uint64_t counted; /* ... at the call before */
	uint64_t told;
};

struct unfrag_guard {
	struct store store;
	struct guard_watcher watcher;
};

/* A handle that owns the store, or NULL: then the store stays the caller's. */
struct unfrag_guard *guard_of(struct store *s);

/* -EBUSY, -ENOENT, logged. */
int guard_lock_store(struct unfrag_guard *guard);

/*
 * The namespace of a guard, as netns_call() and links_count() take it: LINKS_NETNS_UNKNOWN when
 * nothing leads to it, or when it is gone and its inode number another's. 0, or why it can't be
 * known, logged.
 */
int guard_netns(const struct about *about, const struct guard_place *place, int *netns_fd);

/* netns_call() with words when the namespace can't be entered; fn has its own. */
int guard_call(int netns_fd, int (*fn)(void *arg), void *arg);

/* The kernel's own number of a namespace, never used again. */
int guard_netns_cookie(int netns_fd, uint64_t *cookie);

/* Takes it from packets, puts sysctls back, removes all. The lock is held. */
int guard_take_away(struct store *s);

/* A map of the guard's: its descriptor, or -EBADF, logged, when it is not there as it should be. */
int guard_open_map(const struct unfrag_guard *guard, enum guard_map map, uint32_t value_size);

/* The configuration in force; -EBADF likewise. */
int guard_read_config(const struct unfrag_guard *guard, struct guard_config *config);

/* The clock that programs read. */
uint64_t guard_now_ns(void);

/* Adds the refusals that were counted of family 0 or 1. */
int guard_count_refused(const struct unfrag_guard *guard, uint32_t family, uint64_t *sum);

/* What was asked for; -EBADF likewise. */
int guard_read_about(const struct unfrag_guard *guard, struct about *about,
		     struct guard_place *place);
