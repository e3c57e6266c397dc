/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset's verdict on one packet, slow and obvious: rule by rule, statement by statement, with
 * nothing compiled. It tells the way, for explanations, and is what the gate is compared with.
 */
#pragma once

#include <stddef.h>

#include "rule.h"

enum trial_end {
	TRIAL_DONE,    /* all statements were done; verdict says what follows */
	TRIAL_FAILED,  /* the match `statement` does not hold */
	TRIAL_LIMITED, /* the limit `statement` says no */
	TRIAL_UNKNOWN, /* the verdict map `statement` has no element for the packet */
	TRIAL_POLICY,  /* no rule: end of or return from a base chain, whose policy it is */
	TRIAL_END_MAX,
};

/* What became of a packet in one rule. */
struct trial_step {
	uint32_t chain;
	uint32_t rule; /* unless TRIAL_POLICY */
	enum trial_end end;
	uint32_t statement; /* where it ended */
	uint32_t verdict;   /* GATE_VERDICT(), or GATE_VERDICT_CONTINUE */
	uint32_t depth;     /* jumps on the way here */
};

struct trial_log {
	uint32_t rule;
	uint32_t log;
};

struct trial_bucket {
	uint64_t tokens, max, last;
};

struct trial {
	const struct ruleset *rs;
	struct gate_counter *counters; /* from what the ruleset says they start with */
	struct trial_bucket *buckets;  /* of limits */

	/* Of the last packet. */
	struct trial_step *steps;
	struct trial_log *logs;
	size_t n_steps, n_logs, room_steps, room_logs;
	bool is_short; /* of memory */
};

/* The ruleset must stay, and be one that image_check_jumps() is content with. 0 or -ENOMEM. */
int trial_new(struct trial **out, const struct ruleset *rs);
void trial_free(struct trial *t);

/*
 * GATE_ACCEPT or GATE_DROP of all base chains at a hook, in their order; -ENOMEM. now: ns.
 * The family is 0 for IPv4, 1 for IPv6.
 */
int trial_packet(struct trial *t, uint32_t family, uint32_t hook, const struct gate_values *v,
		 uint64_t now);
