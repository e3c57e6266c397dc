/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Where the links of an attachment stand: at every family and hook at one priority, or at places of
 * their own, as it is described in struct about.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../bpf/layout.h"
#include "about.h"

#include <unfrag/unfrag.h>

/* Halves of the slot are bits: 1 and 2. */
#define PLACES_HALF(half) (1u << (half))
#define PLACES_BOTH       3u

/* One link. */
struct place {
	unsigned int family; /* 0 or 1 */
	unsigned int hook;
	int32_t priority;
	unsigned int seat;   /* less than FRONT_SEATS; without places it tells links apart */
	unsigned int halves; /* in which it is; without places both */
};

/* Calls fn for each link that is in any of these halves until it returns other than 0. */
int each_place(const struct about *a, unsigned int halves, int (*fn)(struct place p, void *arg),
	       void *arg);

/* The same for those with places, without a call: whether this seat is taken, and by what. */
bool place_at(const struct about *a, unsigned int seat, struct place *out);

/* Number of the program of a seat in a half; -1: none. */
int place_program(const struct about *a, unsigned int half, unsigned int seat);

/* Seats that are in any of these halves, as bits. */
uint32_t places_seats(const struct about *a, unsigned int halves);

/* Whether all of these places have their seats, in whatever half. */
bool places_have(const struct about *a, const struct unfrag_place *places, uint32_t n);

/* The first seat of a half, whose program stands for all of them; -1: none. */
int places_first(const struct about *a, unsigned int half);

/* Whether places are such as can be attached to. Logs why not. */
int places_check(const struct unfrag_place *places, uint32_t n, uint32_t n_programs);

/*
 * Describes another content of one half; places that the other half has too keep their seats.
 * -E2BIG, logged, when there are more in both than fit.
 */
int places_put(struct about *a, unsigned int half, const struct unfrag_place *places, uint32_t n);

/* Forgets one half. */
void places_clear(struct about *a, unsigned int half);

/* `families`, `hooks` and `priority`, which tell of all places in short. */
void places_sum_up(struct about *a, unsigned int half);

/* What to write into the map "turn" so that this half is in force. */
uint64_t places_turn(const struct about *a, unsigned int half);

/* Places of a half as callers know them: how many. */
uint32_t places_list(const struct about *a, unsigned int half,
		     struct unfrag_place out[UNFRAG_PLACES_MAX]);
