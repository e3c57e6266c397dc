/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Accounts: what the steps of a decision do to sources, each under the lock of the source's set.
 */
#pragma once

#include "datagram.h"
#include "set.h"
#include "source.h"

struct guard_try {
	const struct guard_config *config;
	struct guard_state *state;
	struct guard_counters *counters;
};

#define guard_count(field, n) __sync_fetch_and_add(&(field), (n))

/* Bytes that a datagram is charged at first: at least what a slot of the table is worth. */
GUARD_INLINE __u32 guard_opening(const struct guard_config *c, __u8 family, __u32 charge)
{
	__u32 opening = charge + c->queue_charge[family & 1], least = c->slot_charge[family & 1];

	return opening < least ? least : opening; /* so memory and slots run short together */
}

GUARD_INLINE __u32 guard_deadline(const struct guard_config *c, struct guard_fragment *f)
{
	return (__u32)((f->now - c->timeout[f->family & 1]) >> GUARD_TICK_SHIFT);
}

/* The number of a set of datagrams among those of all families. */
GUARD_INLINE __u32 guard_set_of(const struct guard_try *t, __u8 family, __u32 number)
{
	__u32 mask = t->config->datagram_mask;

	return (number & mask) + (family & 1) * (mask + 1);
}

GUARD_INLINE int guard_try_init(struct guard_try *t, struct guard_fragment *f)
{
	t->config = guard_config_get();
	t->state = guard_state_get();
	t->counters = guard_counters_get(f->family & 1);
	return t->config && t->state && t->counters;
}

/* An ended datagram's charge goes back to its source, with a word on how it ended. */
GUARD_INLINE void guard_give_back(struct guard_try *t, struct guard_fragment *f,
				  const struct guard_gone *gone)
{
	struct guard_sources *set;
	struct guard_source *s;

	if (!gone->valid)
		return;
	set = guard_sources_at(gone->account >> 8);
	if (!set)
		return;
	guard_lock(&set->lock);
	s = &set->s[source_way(gone->account)];
	s->used -= (__s64)gone->charge;
	s->open -= s->open > 0;
	source_hear(s, gone->praise, f->now);
	source_note(set, source_way(gone->account));
	guard_unlock(&set->lock);
	guard_count(t->state->used[f->family & 1], -(__s64)gone->charge);
	if (gone->praise)
		guard_count(t->counters->completed, 1);
	else
		guard_count(t->counters->timed_out, 1);
}

/* Counts a fragment to its source, if it may hold so much. first: it begins a datagram. */
GUARD_INLINE __u32 guard_reserve(struct guard_try *t, struct guard_fragment *f, __u64 charge,
				 __u8 first)
{
	const struct guard_config *c = t->config;
	struct guard_sources *set;
	struct guard_source *s;
	__u32 reason, way;
	__s64 used = t->state->used[f->family & 1];

	set = guard_sources_at(first ? (__u32)f->source_hash & c->source_mask : f->account >> 8);
	if (!set)
		return UNFRAG_REASON_TABLE;
	guard_lock(&set->lock);
	if (first) {
		way = source_find(set, f, c);
		f->account = source_ref((__u32)f->source_hash & c->source_mask, way);
	}
	way = source_way(f->account);
	s = &set->s[way];
	if (first)
		f->good = way < GUARD_WAYS && source_shelters(s, f, c);
	reason = source_may(c, f, first, used, s->used, (__s64)charge);
	if (reason && guard_is_off(c, reason))
		reason = UNFRAG_REASON_NONE;
	if (reason) {
		s->refused++;
	} else {
		s->used += (__s64)charge;
		s->open += first;
	}
	source_note(set, way);
	guard_unlock(&set->lock);
	if (!reason)
		guard_count(t->state->used[f->family & 1], (__s64)charge);
	return reason;
}
