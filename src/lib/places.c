// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "places.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "log.h"
#include "names.h"

_Static_assert(FRONT_PLACES == ABOUT_PLACES && FRONT_FAMILIES == FAMILY_MAX,
	       "a seat for each link");
_Static_assert(UNFRAG_PLACES_MAX == FRONT_SEATS, "a place may be for one family");
_Static_assert(UNFRAG_PROGRAMS_MAX < 16, "program numbers + 1 take four bits");

int place_program(const struct about *a, unsigned int half, unsigned int seat)
{
	const struct about_place *p = &a->places[seat / FAMILY_MAX];

	return (p->seats[half] >> seat % FAMILY_MAX * 4 & 15) - 1;
}

bool place_at(const struct about *a, unsigned int seat, struct place *out)
{
	const struct about_place *p = &a->places[seat / FAMILY_MAX];
	unsigned int half;

	*out = (struct place){
		.family = seat % FAMILY_MAX,
		.hook = p->hook,
		.priority = p->priority,
		.seat = seat,
	};
	for (half = 0; half < 2; half++)
		if (place_program(a, half, seat) >= 0)
			out->halves |= PLACES_HALF(half);
	return out->halves && p->hook < UNFRAG_HOOK_MAX;
}

/* Families, then hooks. */
static bool cross(const struct about *a, unsigned int n, struct place *out)
{
	*out = (struct place){
		.family = n / UNFRAG_HOOK_MAX,
		.hook = n % UNFRAG_HOOK_MAX,
		.priority = a->priority,
		.seat = n,
		.halves = PLACES_BOTH,
	};
	return out->family < FAMILY_MAX && a->families & 1u << out->family &&
	       a->hooks & 1u << out->hook;
}

int each_place(const struct about *a, unsigned int halves, int (*fn)(struct place p, void *arg),
	       void *arg)
{
	struct place p;
	unsigned int n;
	int r = 0;

	for (n = 0; n < FRONT_SEATS && !r; n++)
		if ((a->is_placed ? place_at(a, n, &p) : cross(a, n, &p)) && p.halves & halves)
			r = fn(p, arg);
	return r;
}

static int add_seat(struct place p, void *arg)
{
	uint32_t *seats = arg;

	*seats |= 1u << p.seat;
	return 0;
}

uint32_t places_seats(const struct about *a, unsigned int halves)
{
	uint32_t seats = 0;

	each_place(a, halves, add_seat, &seats);
	return seats;
}

static bool has_place(const struct about *a, const struct unfrag_place *want)
{
	uint32_t families = 0;
	unsigned int seat;
	struct place p;

	for (seat = 0; seat < FRONT_SEATS; seat++)
		if (place_at(a, seat, &p) && p.hook == want->hook && p.priority == want->priority)
			families |= 1u << p.family;
	return !(want->families & ~families);
}

bool places_have(const struct about *a, const struct unfrag_place *places, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!has_place(a, &places[i]))
			return false;
	return true;
}

int places_first(const struct about *a, unsigned int half)
{
	unsigned int seat;

	for (seat = 0; seat < FRONT_SEATS; seat++)
		if (place_program(a, half, seat) >= 0)
			return (int)seat;
	return -1;
}

static int check_place(const struct unfrag_place *p, uint32_t n_programs)
{
	if (!p->families || p->families & ~UNFRAG_FAMILIES_BOTH)
		return log_error(-EINVAL, "families 0x%x of a place are not known", p->families);
	if (p->hook >= UNFRAG_HOOK_MAX)
		return log_error(-EINVAL, "hook %u of a place is not known", p->hook);
	if (p->program >= n_programs)
		return log_error(-EINVAL,
				 "the place at %s, priority %d, names program %u of %u; they are "
				 "counted from 0",
				 unfrag_hook_name((enum unfrag_hook)p->hook), p->priority,
				 p->program, n_programs);
	return 0;
}

static bool overlap(const struct unfrag_place *a, const struct unfrag_place *b)
{
	return a->hook == b->hook && a->priority == b->priority && a->families & b->families;
}

int places_check(const struct unfrag_place *places, uint32_t n, uint32_t n_programs)
{
	uint32_t i, j;
	int r;

	if (n < 1 || n > UNFRAG_PLACES_MAX)
		return log_error(-EINVAL, "%u places are not possible; 1 to %u are", n,
				 UNFRAG_PLACES_MAX);
	for (i = 0; i < n; i++) {
		r = check_place(&places[i], n_programs);
		if (r)
			return r;
		for (j = 0; j < i; j++)
			if (overlap(&places[i], &places[j]))
				return log_error(-EINVAL,
						 "two places are at %s, priority %d; one program "
						 "each",
						 unfrag_hook_name((enum unfrag_hook)places[i].hook),
						 places[i].priority);
	}
	return 0;
}

static bool is_free(const struct about_place *p)
{
	return !p->seats[0] && !p->seats[1];
}

static struct about_place *find(struct about *a, const struct unfrag_place *want)
{
	struct about_place *p, *found = NULL;

	for (p = a->places; p < a->places + ABOUT_PLACES; p++) {
		if (is_free(p))
			found = found ? found : p;
		else if (p->hook == want->hook && p->priority == want->priority)
			return p;
	}
	return found;
}

int places_put(struct about *a, unsigned int half, const struct unfrag_place *places, uint32_t n)
{
	struct about_place *p;
	unsigned int family;
	uint32_t i;

	a->is_placed = 1;
	places_clear(a, half);
	for (i = 0; i < n; i++) {
		p = find(a, &places[i]);
		if (!p)
			return log_error(-E2BIG,
					 "more than %d pairs of hook and priority, those in force "
					 "till now among them",
					 ABOUT_PLACES);
		p->hook = (__u8)places[i].hook;
		p->priority = places[i].priority;
		for (family = 0; family < FAMILY_MAX; family++)
			if (places[i].families & 1u << family)
				p->seats[half] |= (__u8)((places[i].program + 1) << family * 4);
	}
	return 0;
}

void places_clear(struct about *a, unsigned int half)
{
	struct about_place *p;

	for (p = a->places; p < a->places + ABOUT_PLACES; p++) {
		p->seats[half] = 0;
		if (is_free(p))
			*p = (struct about_place){ 0 };
	}
}

static int sum_up(struct place p, void *arg)
{
	struct about *a = arg;

	a->families |= 1u << p.family;
	a->hooks |= 1u << p.hook;
	if (p.priority < a->priority)
		a->priority = p.priority;
	return 0;
}

void places_sum_up(struct about *a, unsigned int half)
{
	a->families = 0;
	a->hooks = 0;
	a->priority = INT_MAX;
	each_place(a, PLACES_HALF(half), sum_up, a);
}

struct first {
	struct place p;
	bool is_first;
};

static int compare(struct place p, void *arg)
{
	struct first *f = arg;

	if (p.family == f->p.family && p.hook == f->p.hook && p.priority < f->p.priority)
		f->is_first = false;
	return 0;
}

uint64_t places_turn(const struct about *a, unsigned int half)
{
	uint64_t turn = half;
	unsigned int seat;
	struct first f;

	for (seat = 0; seat < FRONT_SEATS; seat++) {
		f.is_first = place_at(a, seat, &f.p) && f.p.halves & PLACES_HALF(half);
		each_place(a, PLACES_HALF(half), compare, &f);
		if (f.is_first)
			turn |= 1ull << (1 + seat);
	}
	return turn;
}

/* Without places: one for each hook. */
static uint32_t list_hooks(const struct about *a, struct unfrag_place *out)
{
	uint32_t hook, n = 0;

	for (hook = 0; hook < UNFRAG_HOOK_MAX; hook++)
		if (a->hooks & 1u << hook)
			out[n++] = (struct unfrag_place){ a->families, hook, a->priority, 0 };
	return n;
}

uint32_t places_list(const struct about *a, unsigned int half,
		     struct unfrag_place out[UNFRAG_PLACES_MAX])
{
	struct place p;
	unsigned int seat;
	uint32_t n = 0;
	int program;

	if (!a->is_placed)
		return list_hooks(a, out);
	for (seat = 0; seat < FRONT_SEATS; seat++) {
		program = place_at(a, seat, &p) ? place_program(a, half, seat) : -1;
		if (program < 0)
			continue;
		if (n && seat % FAMILY_MAX && out[n - 1].hook == p.hook &&
		    out[n - 1].priority == p.priority && out[n - 1].program == (uint32_t)program)
			out[n - 1].families |= 1u << p.family;
		else
			out[n++] = (struct unfrag_place){ 1u << p.family, p.hook, p.priority,
							  (uint32_t)program };
	}
	return n;
}
