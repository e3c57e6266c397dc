/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image on its way, and the steps that make it, in the order in which they are taken.
 */
#pragma once

#include "condition.h"
#include "image.h"

struct draft {
	const struct ruleset *rs;
	struct image *image;
	struct complaint *complaint;
	struct condition *conditions;
	size_t n_conditions;
	size_t room_entries, room_checks, room_conditions, room_direct, room_lines;
};

/* Room for one more of what `array` is of; returns NULL without memory. */
void *draft_grow(void *array, size_t n, size_t *room, size_t size);
int draft_no_memory(struct draft *d);

/* Whether numbers are in bounds, spans are sound, keys fit their sets. */
int draft_check(const struct ruleset *rs, struct complaint *c);
int draft_rules(struct draft *d);  /* entries, checks and conditions */
int draft_tables(struct draft *d); /* conditions to tables and vectors */
int draft_sets(struct draft *d);
int draft_places(struct draft *d);
int draft_state(struct draft *d); /* limits, counters, logs */
