/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of a set that is in force. All of the text is read and checked first; what comes is put
 * in force in one step, so that each packet meets the old content or the new one.
 */
#pragma once

#include "elements.h"
#include "instance.h"

enum change {
	CHANGE_ADD,
	CHANGE_DELETE, /* -ENOENT unless all of it is there */
	CHANGE_REPLACE,
};

/* The number of a named set; table NULL: any. -ENOENT, -EINVAL: several. */
int change_find(const struct ruleset *rs, const char *table, const char *name, uint32_t *set,
		struct complaint *c);

/*
 * Does it, with the attachment's lock held. `e` is joined on the way. where: of elements_parse().
 * *n is how many elements there are afterwards, neighbours counted as one.
 */
int change_set(struct instance *in, uint32_t set, enum change what, struct elements *e,
	       const char *where, size_t *n, struct complaint *c);
