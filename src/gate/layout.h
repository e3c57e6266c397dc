/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A compiled ruleset, as the compiler writes it and the gate reads it, in BPF and natively.
 *
 * All rules of all chains stand in one row of *entries*; a chain is a run of them. For each field
 * that conditions look at, a *table* maps every value to a class, and a class has a *vector*: one
 * bit for each entry, set unless an entry's conditions on that field fail. The bits that are set in
 * the vectors of all fields are the entries worth looking at; a second, short vector tells the
 * words that have any bit set.
 *
 *      value of field ──table──▶ vector   1 0 1 1 0 0 1 ...
 *      value of field ──table──▶ vector   1 1 1 0 0 0 1 ...     and
 *                                         1 0 1 0 0 0 1 ...  =  entries to be looked at, in order
 *
 * What does not fit a table (named sets, concatenations, masks) is a *check* of an entry that is
 * met: layout_sets.h, where trees are, too.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/bpf.h>
#endif

#include "field.h"
#include "layout_sets.h"

#define GATE_ENTRIES_MAX   16384u
#define GATE_VECTOR_WORDS  (GATE_ENTRIES_MAX / 64u)
#define GATE_SUMMARY_WORDS (GATE_VECTOR_WORDS / 64u)
#define GATE_JUMPS_MAX     16u /* NFT_JUMP_STACK_SIZE */
#define GATE_RANKS_MAX     8u  /* priorities at one hook */
#define GATE_HOOKS         5u
#define GATE_FAMILIES      2u /* IPv4, IPv6 */
#define GATE_SETS_MAX      4096u
#define GATE_LOG_PREFIX    128u       /* NF_LOG_PREFIXLEN */
#define GATE_STEPS_MAX     (1u << 20) /* words and entries that one packet may cost */

/* How a field's value leads to a vector. */
enum gate_table_kind {
	GATE_TABLE_NONE,   /* no condition looks at the field */
	GATE_TABLE_DIRECT, /* `base` + value in the direct map: fields of up to 16 bits */
	GATE_TABLE_TREE,   /* tree whose header is line `base`; values are numbers of vectors */
	GATE_TABLE_FEW,    /* intervals that stand here; fields of up to 32 bits */
};

#define GATE_FEW 4u /* intervals */

struct gate_table {
	__u32 kind;
	__u32 base;
	__u32 absent;           /* vector for packets without the field */
	__u32 start[GATE_FEW];  /* of intervals; the first is 0, unused ones are all ones */
	__u32 vector[GATE_FEW]; /* unused ones are as the last */
};

/* A base chain at one place, or a user chain: a run of entries. */
struct gate_chain {
	__u32 first;
	__u32 end;
	__u32 policy; /* enum gate_action of a base chain: accept or drop */
	__u32 pad;
};

/* Base chains at one family, hook and rank (order of priorities there): chains first..first+n-1. */
struct gate_place {
	__u32 first;
	__u32 n;
};

/* Known when the program is loaded, so that what a ruleset does not use costs nothing. */
struct gate_config {
	__u32 words;     /* of a vector's long part */
	__u32 summaries; /* of its short part, which stands in front */
	__u32 fields;    /* bit i: a table, a check or a set looks at field i, so it must be read */
	__u32 features;  /* GATE_HAS_... */
	__u32 wanted[GATE_FIELD_MAX + 1]; /* the first from field i on that must be read: next.h */
	__u32 tabled[GATE_FIELD_MAX + 1]; /* likewise, that has a table */
	struct gate_table table[GATE_FIELD_MAX];
	struct gate_place place[GATE_FAMILIES][GATE_HOOKS][GATE_RANKS_MAX];
};

#define GATE_HAS_CHECKS 0x1u
#define GATE_HAS_TREES  0x2u /* sets in trees */
#define GATE_HAS_TUPLES 0x4u /* sets of concatenations */
#define GATE_HAS_LIMITS 0x8u
#define GATE_HAS_LOG    0x10u
#define GATE_HAS_JUMPS  0x20u /* user chains */
#define GATE_HAS_VMAPS  0x40u
/*
 * Few fields and none of the above: a packet is judged without a call, as each return costs what
 * many instructions do. With more than that it would take a verifier too long. As it is it takes
 * three times as long, so the compiler wants short vectors, too.
 */
#define GATE_IS_PLAIN     0x80u
#define GATE_PLAIN_FIELDS 6u
#define GATE_PLAIN_WORDS  1u

enum gate_action {
	GATE_NEXT, /* go on with the next entry */
	GATE_ACCEPT,
	GATE_DROP,
	GATE_JUMP, /* to chain `target` */
	GATE_GOTO, /* likewise */
	GATE_RETURN,
	GATE_VMAP, /* as check `target` finds in its set; nothing found: the rule does not match */
	GATE_ACTION_MAX,
};

/*
 * One step of a rule: checks, then limit, counter, log, then the action. A rule in which they stand
 * in another order has several entries; each has the conditions of those before it.
 */
struct gate_entry {
	__u16 checks;      /* how many */
	__u16 action;      /* enum gate_action */
	__u32 first_check; /* index */
	__u32 target;      /* see enum gate_action */
	__u32 counter;     /* index + 1; 0: none. Likewise the next two */
	__u32 limit;
	__u32 log;
	__u32 next; /* the chain's next rule: what follows when a check fails or a limit says no */
	__u32 rule; /* number of the rule, for people */
};

/*
 * "limit rate", as nft_limit.c counts: tokens are nanoseconds; a packet costs `cost`, or, if the
 * limit is of bytes, `second` (the time that `rate` is for) * length / rate.
 */
struct gate_limit {
	struct bpf_spin_lock lock;
	__u32 flags;
	__u64 tokens;
	__u64 max; /* tokens at most: those of the burst */
	__u64 last;
	__u64 rate;
	__u64 second; /* ns */
	__u64 cost;
};

#define GATE_LIMIT_BYTES 1u
#define GATE_LIMIT_OVER  2u /* matches above the rate */

/* Per CPU. */
struct gate_counter {
	__u64 packets;
	__u64 bytes;
};

/* A logged packet, told through a ring buffer. `lost` counts what did not fit. */
struct gate_event {
	__u64 time; /* ns, CLOCK_MONOTONIC */
	__u32 rule;
	__u32 log; /* number of the log statement, from 0 */
	__u32 hook;
	__u32 reserved;
	struct gate_values values;
};

_Static_assert(sizeof(struct gate_entry) == 32, "layout of a map");
_Static_assert(sizeof(struct gate_limit) == 56, "layout of a map");
