/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset in the kernel: the gate's programs with their maps filled. What loads one attaches it
 * or puts it in another's place by the library; what comes later finds it again by the pins of its
 * attachment alone, with all that people asked for.
 *
 * To load:    instance_load(), then unfrag_attachment_attach() with instance_object() and
 *             instance_programs().
 * To reload:  unfrag_attachment_lock(), instance_open() of what is in force, instance_load(),
 *             instance_inherit(), unfrag_attachment_replace(), instance_settle(),
 *             unfrag_attachment_unlock().
 *
 * No count is lost or doubled at a reload. What a counter shows is a base that only user space
 * touches plus what packets have added to the map that they count in. instance_inherit() sets the
 * bases of the new instance to what the old one shows, and packets go on counting in the old one.
 * After the switch, when no packet is inside the old programs any more, instance_settle() sets them
 * again, to what the old one shows at last; that adds what was counted in between. So what is shown
 * is behind for the moment between the two, and if the process is killed just then, it stays behind
 * by what came in that moment.
 */
#pragma once

#include "image.h"
#include "policy.h"

struct bpf_object;
struct bpf_program;
struct instance;
struct unfrag_attachment;

#define INSTANCE_PATH_MAX 4096u
#define INSTANCE_NAME_MAX 64u

/* What was asked for, kept in a map of the instance. */
struct instance_about {
	uint32_t version; /* of this layout; filled in, as are `since`, `takes` and `fixed` */
	uint32_t flags;   /* of the caller */
	int64_t since;    /* seconds since 1970 */
	uint64_t memory;  /* most that maps may take, bytes; 0: no limit */
	uint64_t takes;   /* what they take now; sets may have changed */
	uint64_t fixed;   /* of it, all but the elements of sets that can change */
	char name[INSTANCE_NAME_MAX];
	char path[INSTANCE_PATH_MAX]; /* of the file, so that it can be read again from anywhere */
	uint64_t reloads; /* how many led to it, without a gap; instance_inherit() counts */
	char spare[136];
};

struct instance_opts {
	const struct instance_about *about;   /* NULL: nothing is known */
	const struct policy_listing *listing; /* NULL: none; can't be opened again then */
};

/*
 * Loads the programs of all ranks that the image has, and fills their maps. The ruleset must stay
 * while the instance does. -EPERM, -ENOMEM, or what the kernel said.
 */
int instance_load(struct instance **out, const struct image *image, const struct ruleset *rs,
		  const struct instance_opts *opts, struct complaint *c);

/*
 * The one in force at an attachment. -ENOENT: there is none, or what is there is no ruleset;
 * -EINVAL: of another build, which can't be read; -EPERM, -ENOMEM.
 */
int instance_open(struct instance **out, struct unfrag_attachment *att, struct complaint *c);

/* The same, but only what was asked for, with `takes` as it was loaded. */
int instance_ask(struct instance_about *out, struct unfrag_attachment *att, struct complaint *c);

/* What is pinned or in force stays. NULL is allowed. */
void instance_free(struct instance *in);

/* Of one that was loaded: programs by rank, which is their number in struct gate_config.place. */
struct bpf_object *instance_object(const struct instance *in);
uint32_t instance_programs(const struct instance *in, struct bpf_program *out[GATE_RANKS_MAX]);

/*
 * Counters and tokens of limits of rules that both have: the same table, chain and text, and among
 * equals the same place in their order; named counters by table and name. See above when.
 */
int instance_inherit(struct instance *next, const struct instance *old, struct complaint *c);

/*
 * To be called after the switch, when it has returned, with the lock still held.
 */
int instance_settle(struct instance *next, const struct instance *old, struct complaint *c);

const struct instance_about *instance_about(const struct instance *in);

/* As it was loaded; sets may have changed since. */
const struct ruleset *instance_ruleset(const struct instance *in);

/* What it was read from, of one that was opened; else NULL. */
const struct policy_listing *instance_listing(const struct instance *in);

/* What all counters of the ruleset show now, by number. n must be the ruleset's. */
int instance_counters(const struct instance *in, struct gate_counter *out, size_t n,
		      struct complaint *c);

/* Logged packets that did not fit into the ring buffer; -errno. And its descriptor, the caller's
 * only to look at: struct gate_event.
 */
int instance_lost(const struct instance *in, uint64_t *lost);
int instance_events(const struct instance *in);

/* Elements that a set has now, sorted; to be given back with free(). A set of verdicts too. */
int instance_elements(const struct instance *in, uint32_t set, struct element **out, size_t *n,
		      struct complaint *c);

/*
 * Puts this content into a set, in one step. Elements are as struct set has them. -E2BIG: then maps
 * would take more than was allowed.
 */
int instance_put_elements(struct instance *in, uint32_t set, const struct element *elements,
			  size_t n, struct complaint *c);
