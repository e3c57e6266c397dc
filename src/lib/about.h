/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What is known of an attachment, a hold, or the program in force, kept beside their pins as a map
 * of one entry: bpffs holds nothing but BPF objects.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>

#include "netns.h"
#include "store.h"

#define ABOUT_VERSION 1
#define ABOUT_NAME    "about"

enum about_state {
	ABOUT_STARTING = 1, /* being made, or cut short while it was */
	ABOUT_READY,
};

/*
 * A hook and priority of an attachment with places. Its links have seats 2 * index + family.
 * seats[h] is for half h of the slot (src/bpf/layout.h): the number of its program + 1 for each
 * family, in four bits each; 0: no link.
 */
struct about_place {
	__s32 priority;
	__u8 hook;
	__u8 seats[2];
	__u8 pad;
};

#define ABOUT_PLACES 16

/* Layout on bpffs, met by other builds: extend at the end, in the spare room. */
struct about {
	__u32 version;
	__u32 state; /* enum about_state */
	__u32 families;
	__u32 hooks;
	__s32 priority;
	__u32 flags;
	__u64 netns_dev;
	__u64 netns_inode;
	__s64 since;    /* seconds since 1970 */
	char table[64]; /* of a hold by an nftables rule; "": by links */
	struct about_place places[ABOUT_PLACES];
	__u32 is_placed; /* then `families`, `hooks` and `priority` sum up the places in force */
	__u8 spare[12];
};

struct program_about {
	__u32 version;
	__u32 pad;
	__s64 since;
	char name[128];
	char source[256];
	__u8 spare[112];
};

_Static_assert(sizeof(struct about) == 256, "layout on bpffs");
_Static_assert(sizeof(struct program_about) == 512, "layout on bpffs");

/* Pins a new map with this one entry under `name`; returns its descriptor. Logs the error. */
int about_pin(const struct store *s, const char *name, const void *value, uint32_t size);

/* Reads the entry. -ENOENT without one, -EBADF when it is not of this size or version. */
int about_read(const struct store *s, const char *name, void *value, uint32_t size);

int about_write(int fd, const void *value);

/* Fills in all but state. */
void about_init(struct about *a, const struct netns_id *netns);
