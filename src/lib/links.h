/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The links of one attachment or hold: one for each place, made together or not at all.
 */
#pragma once

#include "../bpf/layout.h"
#include "about.h"
#include "store.h"

#define LINKS_MAX     FRONT_SEATS
#define LINKS_WHY_MAX 256

/* Descriptors by seat; unused ones are -1. */
struct links {
	int fds[LINKS_MAX];
};

/* What links_make() makes. */
struct links_plan {
	const struct about *about;
	unsigned int halves; /* links that are in these halves and no other, see places.h */
	const int *prog_fds; /* by place, or one for all if the attachment has none */
	int netns_fd;        /* see netns_call() */
};

/*
 * Makes every link of a plan. On failure none is left, `out` is untouched and `why`, of
 * LINKS_WHY_MAX bytes, says why; nothing is logged.
 */
int links_make(struct links *out, const struct links_plan *plan, char *why);

/* Pins them. Logs the error. */
int links_pin(const struct links *l, const struct store *s, const struct about *a);

/* Takes away every pinned link that is in none of these halves. */
int links_keep_only(const struct store *s, const struct about *a, unsigned int halves);

/* Takes them away at once, pinned or not, and closes them. */
void links_detach(struct links *l);

/* Closes them: those that are not pinned end. */
void links_close(struct links *l);

struct links_tally {
	uint32_t expected;
	uint32_t found;
	char missing[40]; /* the first that is not there */
	char dead[40];    /* the first that was detached behind our back: its place is free */
};

#define LINKS_NETNS_UNKNOWN (-3)

/*
 * Looks for the pins of every link that `a` names in a half, and whether their places in the
 * namespace are taken (netns_call()'s fd, or LINKS_NETNS_UNKNOWN: not looked at): the kernel tells
 * as much of a link that was detached by force as of a live one. Returns 0, or why it could not be
 * looked at.
 */
int links_count(const struct store *s, const struct about *a, unsigned int half, int netns_fd,
		struct links_tally *tally);
