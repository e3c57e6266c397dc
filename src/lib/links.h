/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The links of one attachment or hold: one for each family and hook, made together or not at all.
 */
#pragma once

#include "about.h"
#include "store.h"

#define LINKS_MAX     10 /* families times hooks */
#define LINKS_WHY_MAX 256

/* Descriptors in the order of families, then hooks; unused ones are -1. */
struct links {
	int fds[LINKS_MAX];
};

/*
 * Makes every link that `a` names, in the namespace (see netns_call()). On failure none is left,
 * `out` is untouched and `why`, of LINKS_WHY_MAX bytes, says why; nothing is logged.
 */
int links_make(struct links *out, const struct about *a, int netns_fd, int prog_fd, char *why);

/* Pins them. Logs the error. */
int links_pin(const struct links *l, const struct store *s, const struct about *a);

/* Takes them away at once, pinned or not, and closes them. */
void links_detach(struct links *l);

/* Closes them: those that are not pinned end. */
void links_close(struct links *l);

struct links_tally {
	uint32_t expected;
	uint32_t found;
	char missing[32]; /* the first that is not there */
	char dead[32];    /* the first that was detached behind our back: its place is free */
};

#define LINKS_NETNS_UNKNOWN (-3)

/*
 * Looks for the pins of every link that `a` names, and whether their places in the namespace are
 * taken (netns_call()'s fd, or LINKS_NETNS_UNKNOWN: not looked at): the kernel tells as much of a
 * link that was detached by force as of a live one. Returns 0, or why it could not be looked at.
 */
int links_count(const struct store *s, const struct about *a, int netns_fd,
		struct links_tally *tally);
