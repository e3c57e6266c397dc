/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What attachments and holds have in common when they are looked at: a description, links, a
 * namespace, and what may be wrong with them.
 */
#pragma once

#include <stdbool.h>

#include "about.h"
#include "store.h"

#include <unfrag/unfrag.h>

struct description {
	bool known;   /* `about` could be read */
	bool at_rest; /* nobody changes it while it is being looked at */
	struct about about;
	uint64_t turn; /* with places, what is in force; else 0 */
	uint32_t links;
	enum unfrag_state state;
	char problem[128];
	char netns[256];
};

/*
 * Looks at a store. try_places: also whether its links' places are really taken, see links_count().
 * 0, then to be followed by description_finish(); -ENOENT when it is gone, or why it could not be
 * looked at, which says nothing of the store.
 */
int describe(struct description *d, struct store *s, bool try_places);

/* The same but for the namespace, by who holds the lock; netns_fd as for links_count(). */
int describe_locked(struct description *d, const struct store *s, int netns_fd);

/*
 * The namespace that `about` speaks of, as netns_call() takes it, or LINKS_NETNS_UNKNOWN; its name,
 * and the state if no path leads to it any more.
 */
int description_netns(struct description *d);

/* Notes what is wrong; the first problem stays. */
__attribute__((format(printf, 2, 3))) void description_problem(struct description *d,
							       const char *fmt, ...);

/* Settles the state from what was noted, and lets others change it again. */
void description_finish(struct description *d, struct store *s);
