/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the guard keeps, as BPF programs, user space and a native build of the guard share it.
 *
 *   struct guard_config     what it was told; one entry, read for each fragment
 *   struct guard_state      what all fragments change; one entry
 *   struct guard_index      a set of datagrams with one lock; an array of them is the table
 *   struct guard_datagram   what else is known of one of them, in an array beside it
 *   struct guard_sources    a set of sources with one lock, likewise
 *   struct guard_counters   per CPU, by family
 *   struct guard_event      a refusal, told through a ring buffer
 *
 * A table is split into sets of GUARD_WAYS entries; a keyed hash says which set. So a lookup is one
 * set, its tags in one cache line, and nobody can choose what shares a set with what. Families are
 * counted 0 and 1 here. Fixed-size types only, sizes asserted: two builds may meet over a pinned
 * map.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/bpf.h>
#include <linux/types.h>
#endif

#define GUARD_FAMILIES 2u
#define GUARD_WAYS     32u

/* Of the datagrams of one set so many may be of sources without standing. */
#define GUARD_STRANGER_WAYS 24u

/* Time in 32 bits that does not wrap for two years: 16.8 ms each. */
#define GUARD_TICK_SHIFT 24

/* Nearly a second, in which a limited number of refusals is told. */
#define GUARD_SECOND_SHIFT 30

/* Units of 8 bytes in the longest datagram, and words of as many bits. */
#define GUARD_UNIT  8u
#define GUARD_UNITS 8192u
#define GUARD_WORDS (GUARD_UNITS / 64u)

#define GUARD_REASON_SLOTS 32 /* room for reasons, so that more of them don't change a layout */

#define GUARD_STANDING_MAX 4096u

/* Source, destination, identification, and what else the kernel tells datagrams apart by. */
struct guard_key {
	__u64 word[6];
};

struct guard_config {
	__u64 secret[2];                   /* of the hash of datagrams */
	__u64 source_secret[5];            /* of sources, see guard_hash_source() */
	__u64 memory[GUARD_FAMILIES];      /* bytes that the kernel may hold, as the guard counts */
	__u64 timeout[GUARD_FAMILIES];     /* ns from the first fragment on */
	__u64 forget;                      /* ns after which standing counts no more */
	__u64 prefix[GUARD_FAMILIES][2];   /* address bits that make a source, network order */
	__u32 slot_charge[GUARD_FAMILIES]; /* bytes that a datagram is charged at least */
	__u32 queue_charge[GUARD_FAMILIES]; /* bytes of the kernel's own record of a datagram */
	__u32 floor;                        /* bytes that a source may hold in any case */
	__u32 share;                        /* percent of what is left that one source may hold */
	__u32 small_after;                  /* fragments from which on their mean size counts */
	__u32 small_mean;                   /* bytes */
	__u32 least_charge;  /* bytes a fragment is charged where truesize is unknown */
	__u32 off;           /* reasons switched off, 1 << enum unfrag_reason */
	__u32 datagram_mask; /* sets of datagrams of one family, less 1 */
	__u32 source_mask;   /* sets of sources, less 1 */
	__u32 events;        /* told a second at most */
	__u32 glance;        /* second from which on there are glances, see glance.h; 0: never */
};

_Static_assert(sizeof(struct guard_config) == 184, "shared through a map");

struct guard_state {
	__s64 used[GUARD_FAMILIES]; /* bytes charged; below 0 for moments, as CPUs cross */
	__u64 clock;                /* ns; tests set it */
	__u64 second;               /* that events are counted in */
	__u64 told;                 /* events in it */
	__u64 swept;                /* ns, when sets were last looked through for what is over */
	__u64 moment;               /* in which that was last thought of, see glance.h */
	__u32 moment_second;        /* `second` in that moment, its low bits */
	__u32 hand;                 /* the set to look at next */
};

_Static_assert(sizeof(struct guard_state) == 64, "shared through a map");

enum guard_datagram_state {
	GUARD_OPEN = 1,
	GUARD_REFUSED, /* given up: what still comes is dropped until its time is over */
};

struct guard_datagram {
	struct guard_key key;
	__u32 end; /* bytes of the fragmentable part; 0: no last fragment yet */
	__u32 top; /* highest end seen */
	__u32 bytes;
	__u32 fragments;
	__u8 state;  /* enum guard_datagram_state */
	__u8 good;   /* sheltered by its source's standing */
	__u8 ecn;    /* 1 << codepoint: seen */
	__u8 unsure; /* may not be whole when all has come: charged until its time is over */
	__u64 held[GUARD_WORDS];   /* units */
	__u64 starts[GUARD_WORDS]; /* units at which a fragment starts */
};

_Static_assert(sizeof(struct guard_datagram) == 2120, "shared through a map");

struct guard_index {
	struct bpf_spin_lock lock;
	__u32 used;      /* by way */
	__u32 strangers; /* of those, the ones without shelter */
	__u32 refused;   /* of those, the ones that were given up */
	__u32 pad[12];
	__u16 tags[GUARD_WAYS];    /* a part of the hash; 0: free */
	__u32 since[GUARD_WAYS];   /* ticks, when the first fragment came */
	__u32 account[GUARD_WAYS]; /* of the source: set << 8 | way */
	__u32 charge[GUARD_WAYS];  /* bytes that the kernel holds of it, as charged to its source */
};

_Static_assert(sizeof(struct guard_index) == 512, "shared through a map");

struct guard_source {
	__u64 key[2];
	__s64 used;    /* bytes charged; below 0 for moments, as CPUs cross */
	__u64 refused; /* fragments, for want of memory or share */
	__u64 seen;    /* ns, when it last completed a datagram */
	__u32 open;    /* datagrams */
	__u32 standing;
	__u8 family;
	__u8 pad[7];
};

_Static_assert(sizeof(struct guard_source) == 56, "shared through a map");

/* Way GUARD_WAYS is the common account, of sources that found no place. */
struct guard_sources {
	struct bpf_spin_lock lock;
	__u32 busy;  /* by way: have something open */
	__u32 good;  /* by way: have standing */
	__u32 crowd; /* datagrams open in the common account */
	__u32 pad[12];
	__u16 tags[GUARD_WAYS];
	struct guard_source s[GUARD_WAYS + 1];
};

_Static_assert(sizeof(struct guard_sources) == 128 + 33 * 56, "shared through a map");

struct guard_counters {
	__u64 fragments; /* all that came; atomic ones are counted apart */
	__u64 passed;
	__u64 atomic;
	__u64 opened;
	__u64 completed;
	__u64 timed_out;
	__u64 dont_fragment; /* fragments with the IPv4 flag that forbids them */
	__u64 spare;
	__u64 reasons[GUARD_REASON_SLOTS]; /* refused fragments, by enum unfrag_reason */
};

_Static_assert(sizeof(struct guard_counters) == 320, "shared through a map");

struct guard_event {
	__u64 time; /* ns, as bpf_ktime_get_ns(), at tc and XDP to a jiffy */
	__u32 id;
	__u16 off;
	__u16 len;
	__u8 family; /* enum unfrag_family */
	__u8 reason;
	__u8 proto;
	__u8 more;
	__u8 pad[4];
	__u64 address
		[4]; /* IPv6: source and destination; IPv4: source << 32 | destination, as read */
};

_Static_assert(sizeof(struct guard_event) == 56, "shared through a ring buffer");
