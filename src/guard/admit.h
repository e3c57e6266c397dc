/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Room for a fragment: for the first of a datagram to come, and for later ones.
 */
#pragma once

#include "ask.h"
#include "expire.h"

/* Nobody knows its source, and strangers have used all they may: so in the worst of floods. */
GUARD_INLINE int guard_is_hopeless(const struct guard_try *t, const struct guard_fragment *f)
{
	const struct guard_sources *set = guard_sources_at((__u32)f->source_hash &
							   t->config->source_mask);

	if (guard_is_off(t->config, UNFRAG_REASON_MEMORY) || !set)
		return 0;
	return !tags_match(set->tags, guard_tag(f->source_hash)) &&
	       t->state->used[f->family & 1] + f->opening > source_lot(t->config, f, 1);
}

/* The first fragment to come of a datagram: may its source hold it? NONE, or why not. */
GUARD_STEP int guard_admit(struct guard_fragment *f)
{
	struct guard_try t = { 0 };

	if (!f || !guard_try_init(&t, f))
		return UNFRAG_REASON_TABLE;
	f->opening = guard_opening(t.config, f->family, f->charge);
	f->good = 0;
	if (guard_is_hopeless(&t, f))
		return UNFRAG_REASON_MEMORY;
	return (int)guard_reserve(&t, f, f->opening, 1);
}

/* Takes back what was reserved for a datagram that was not made. */
GUARD_INLINE void guard_take_back(struct guard_try *t, struct guard_fragment *f)
{
	struct guard_sources *set = guard_sources_at(f->account >> 8);
	struct guard_source *s;

	if (!set)
		return;
	guard_lock(&set->lock);
	s = &set->s[source_way(f->account)];
	s->used -= f->opening;
	s->open -= s->open > 0;
	s->refused += !f->again;
	source_note(set, source_way(f->account));
	guard_unlock(&set->lock);
	guard_count(t->state->used[f->family & 1], -(__s64)f->opening);
}

GUARD_INLINE __u32 guard_make(struct guard_try *t, struct guard_fragment *f)
{
	__u32 number = guard_set_of(t, f->family, (__u32)f->hash), way, made = 0;
	struct guard_index *set = guard_index_at(number);
	struct guard_datagram *d;

	if (!set || !index_has_room(set, f->good))
		return UNFRAG_REASON_TABLE;
	way = bits_lowest(~set->used);
	d = guard_datagram_at(number * GUARD_WAYS + way);
	if (!d)
		return UNFRAG_REASON_TABLE;
	guard_lock(&set->lock);
	f->again = set->used >> way & 1u ||
		   tags_match(set->tags, guard_tag(f->hash)) & set->used & ~f->others;
	if (!f->again) {
		datagram_begin(d, f);
		index_begin(set, way, f);
		made = 1;
	}
	guard_unlock(&set->lock);
	return made ? UNFRAG_REASON_NONE : UNFRAG_REASON_TABLE;
}

/* Makes the datagram of a fragment that was admitted. NONE, or why not: then nothing is charged. */
GUARD_STEP int guard_insert(struct guard_fragment *f)
{
	struct guard_try t = { 0 };
	__u32 reason;

	if (!f || !guard_try_init(&t, f))
		return UNFRAG_REASON_TABLE;
	guard_sweep(f, (__u32)f->hash);
	reason = guard_make(&t, f);
	if (reason)
		guard_take_back(&t, f);
	else
		guard_count(t.counters->opened, 1);
	return (int)reason;
}

/* One more of a datagram, that fits. NONE, or why not: then its datagram is given up. */
GUARD_STEP int guard_go_on(struct guard_fragment *f)
{
	struct guard_try t = { 0 };
	__u32 reason;

	if (!f || !guard_try_init(&t, f))
		return UNFRAG_REASON_TABLE;
	reason = guard_reserve(&t, f, f->charge, 0);
	if (reason)
		guard_give_up(&t, f);
	return (int)reason;
}
