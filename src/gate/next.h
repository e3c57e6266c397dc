/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * From one field that a ruleset looks at to the next. To ask of each field whether it is wanted
 * would cost every packet some hundred loads and tests, as a verifier that knows the answer takes
 * away the branch and leaves what leads to it. So the next field that is wanted is kept as a
 * number: what compares it with others is taken away as a whole.
 */
#pragma once

#include "bits.h"
#include "layout.h"

/*
 * Whether the next field is this one; then it is the one after it from here on. from(i): the first
 * field from i on that is of interest.
 */
#define gate_is_next(next, name, from) \
	((next) == GATE_##name && ((next) = from(GATE_##name + 1), 1))

/* Once the rest of a configuration is there. */
GATE_INLINE void gate_config_finish(struct gate_config *c)
{
	__u32 i = GATE_FIELD_MAX;

	c->wanted[i] = GATE_FIELD_MAX;
	c->tabled[i] = GATE_FIELD_MAX;
	while (i--) {
		c->wanted[i] = c->fields >> i & 1u ? i : c->wanted[i + 1];
		c->tabled[i] = c->table[i].kind ? i : c->tabled[i + 1];
	}
}
