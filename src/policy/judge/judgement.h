/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a ruleset does with a packet at one hook after the other, by its rules and, to be sure, as
 * it is compiled.
 */
#pragma once

#include "image.h"
#include "native.h"
#include "told.h"
#include "trial.h"

struct judgement {
	const struct ruleset *rs;
	struct image *image;
	struct trial *trial; /* its steps and logs are of the last hook */
	struct native *native;
};

/* The ruleset must stay. As image_new(). */
int judgement_new(struct judgement **out, const struct ruleset *rs, struct complaint *c);
void judgement_free(struct judgement *j);

/*
 * The hooks with chains that the packet comes to, as bits: what its devices tell of its way, and
 * the chains that there are. -EINVAL: it might as well come to others.
 */
int judgement_hooks(const struct judgement *j, const struct told_packet *p);

/*
 * GATE_ACCEPT or GATE_DROP; -EUCLEAN: rules and compiled form disagree, which is a fault of ours;
 * -ENOMEM. now: ns.
 */
int judgement_at(struct judgement *j, const struct told_packet *p, uint32_t hook, uint64_t now);
