/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One ruleset, judged twice: rule by rule, and compiled by the gate's native build. Whatever packet
 * comes, verdict, counters and logs are the same, or the test fails.
 */
#pragma once

#include "image.h"
#include "rules.h"
#include "trial.h"

struct judged {
	struct ruleset rs; /* to be filled in */
	struct image *image;
	struct trial *trial;
	void *native;
	uint64_t now; /* ns, of the next packet */
};

/* Compiles what is in rs. */
void judged_start(struct judged *j);

/* GATE_ACCEPT or GATE_DROP. The family is 0 or 1. */
uint32_t judged_packet(struct judged *j, uint32_t family, uint32_t hook,
		       const struct gate_values *v);

/* The same in a chain of rules_base() at hook 1, for IPv4. */
bool judged_accepts(struct judged *j, const struct gate_values *v);

void judged_release(struct judged *j);
