/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of a set as people write them:
 *
 *	10.0.0.1, 10.1.0.0/16, 10.2.0.0-10.2.0.9     # addresses, prefixes, ranges
 *	2001:db8::1 . tcp . 8000-8100                # a concatenation
 *	0x10-0x1f   eth0   ppp*                      # marks, names of devices
 *
 * One a line or several with commas, blank lines and comments between them.
 */
#pragma once

#include "complaint.h"
#include "region.h"
#include "spell.h"

struct elements {
	struct regions all;
	uint32_t *lines; /* of each, from 1 on */
};

/*
 * All elements of a text, which the key of the set says how to read. `where` is what the text is
 * called in complaints, NULL: lines are not named. -EINVAL, with line and word; -ENOMEM.
 */
int elements_parse(struct elements *out, const struct set *s, const char *text, size_t len,
		   const char *where, struct complaint *c);
void elements_release(struct elements *e);

/* As it may be written; of a map without its verdict. */
struct spelling elements_spell(const struct set *s, const struct element *e);
