/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rulesets of any size for the datagrams of link_wire.h, which all of them accept.
 */
#pragma once

#include <stdbool.h>

enum gate_place {
	GATE_PLACE_FIRST,
	GATE_PLACE_MIDDLE,
	GATE_PLACE_LAST,
	GATE_PLACE_NONE,
	GATE_PLACE_MAX,
};

const char *gate_place_name(enum gate_place place);

/* So many rules, of which the one at `place` accepts the datagrams. 0 or -errno, told in words. */
int gate_file_rules(const char *path, unsigned int rules, enum gate_place place);

/* One rule with a set of so many intervals, the datagrams' sender in one of them or not. */
int gate_file_set(const char *path, unsigned int elements, bool is_in);
