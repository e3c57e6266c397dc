/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Datagrams whose time is over, ended as fragments come: nothing runs by itself.
 */
#pragma once

#include "account.h"

/* How often sets are looked through for what is over, and how many at a time. */
#define GUARD_SWEEP_EVERY 1000000u /* ns */
#define GUARD_SWEEP_SETS  16u

/* Ends what is over in one set. Returns whether there was any. */
GUARD_STEP int guard_sweep(struct guard_fragment *f, __u32 number)
{
	struct guard_gone gone[GUARD_REAP] = { 0 };
	struct guard_try t = { 0 };
	struct guard_index *set;
	__u32 i;

	if (!f || !guard_try_init(&t, f))
		return 0;
	set = guard_index_at(guard_set_of(&t, f->family, number));
	if (!set || !index_over(set, guard_deadline(t.config, f)))
		return 0;
	guard_lock(&set->lock);
	index_reap(set, guard_deadline(t.config, f), gone);
	guard_unlock(&set->lock);
	for (i = 0; i < GUARD_REAP; i++)
		guard_give_back(&t, f, &gone[i]);
	return gone[0].valid;
}

/* Looks through some sets in turn, if it is a while since that was done. */
GUARD_STEP int guard_tidy(struct guard_fragment *f)
{
	struct guard_state *s = guard_state_get();
	__u32 i, hand;

	if (!f || !s)
		return 0;
	s->moment_second = (__u32)(f->now >> GUARD_SECOND_SHIFT);
	s->moment = guard_moment(s);
	if (f->now - s->swept < GUARD_SWEEP_EVERY)
		return 0;
	s->swept = f->now;
	hand = guard_count(s->hand, GUARD_SWEEP_SETS);
	for (i = 0; i < GUARD_SWEEP_SETS; i++)
		guard_sweep(f, hand + i);
	return 0;
}
