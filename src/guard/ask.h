/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The first question to a fragment: what does its datagram say, if there is one?
 */
#pragma once

#include "account.h"

/* Finds its datagram, without a lock: whoever changes it looks again. The way, or GUARD_WAYS. */
GUARD_STEP int guard_seek(struct guard_fragment *f)
{
	struct guard_try t = { 0 };
	const struct guard_datagram *d;
	const struct guard_index *set;
	__u32 number, match, way, i;

	if (!f || !guard_try_init(&t, f))
		return GUARD_WAYS;
	number = guard_set_of(&t, f->family, (__u32)f->hash);
	set = guard_index_at(number);
	if (!set)
		return GUARD_WAYS;
	f->others = 0;
	match = tags_match(set->tags, guard_tag(f->hash));
#pragma GCC unroll 2
	for (i = 0; i < GUARD_SAME_TAG; i++) {
		if (!match)
			break;
		way = bits_lowest(match);
		match &= match - 1;
		d = guard_datagram_at(number * GUARD_WAYS + way);
		if (d && key_is(&d->key, &f->key))
			return (int)way;
		f->others |= 1u << way;
	}
	return GUARD_WAYS;
}

/* Whether the way still has that datagram. Under the lock. */
GUARD_INLINE int guard_still(const struct guard_index *set, __u32 way,
			     const struct guard_datagram *d, const struct guard_fragment *f)
{
	return set->used >> (way & (GUARD_WAYS - 1)) & 1u && key_is(&d->key, &f->key);
}

/* What a datagram that is there says. Under the lock. */
GUARD_INLINE __u32 guard_hear(const struct guard_try *t, struct guard_index *set, __u32 way,
			      struct guard_datagram *d, struct guard_fragment *f,
			      struct guard_gone *gone)
{
	__u32 answer;

	way &= GUARD_WAYS - 1;
	if (bits_after(guard_deadline(t->config, f), set->since[way])) {
		index_end(set, way, gone, 0);
		return DATAGRAM_ABSENT;
	}
	f->account = set->account[way];
	f->good = d->good;
	answer = datagram_judge(d, f, t->config);
	/* The last one is held by the kernel for no time, so it is not counted. */
	if (answer == DATAGRAM_WHOLE)
		index_end(set, way, gone, 1);
	else if (answer == DATAGRAM_MORE)
		set->charge[way] += f->charge;
	else if (d->state == GUARD_REFUSED)
		set->refused |= 1u << way;
	return answer;
}

/* What its datagram says of it: enum datagram_answer, or a reason. */
GUARD_STEP int guard_ask(struct guard_fragment *f)
{
	struct guard_gone gone = { 0 };
	struct guard_try t = { 0 };
	struct guard_datagram *d;
	struct guard_index *set;
	__u32 number, way, answer = DATAGRAM_ABSENT;

	if (!f || !guard_try_init(&t, f))
		return UNFRAG_REASON_TABLE;
	way = (__u32)guard_seek(f);
	if (way >= GUARD_WAYS)
		return DATAGRAM_ABSENT;
	number = guard_set_of(&t, f->family, (__u32)f->hash);
	set = guard_index_at(number);
	d = guard_datagram_at(number * GUARD_WAYS + way);
	if (!set || !d)
		return UNFRAG_REASON_TABLE;
	guard_lock(&set->lock);
	if (guard_still(set, way, d, f))
		answer = guard_hear(&t, set, way, d, f, &gone);
	guard_unlock(&set->lock);
	guard_give_back(&t, f, &gone);
	return (int)answer;
}

/* There is no room for a fragment that was taken in: its datagram can't become whole any more. */
GUARD_INLINE void guard_give_up(struct guard_try *t, struct guard_fragment *f)
{
	__u32 number = guard_set_of(t, f->family, (__u32)f->hash), way = (__u32)guard_seek(f);
	struct guard_index *set = guard_index_at(number);
	struct guard_datagram *d;

	if (way >= GUARD_WAYS)
		return;
	guard_opaque(way);
	way &= GUARD_WAYS - 1;
	d = guard_datagram_at(number * GUARD_WAYS + way);

	if (!set || !d)
		return;
	guard_lock(&set->lock);
	if (guard_still(set, way, d, f)) {
		d->state = GUARD_REFUSED;
		set->refused |= 1u << way;
		set->charge[way] -= f->charge;
	}
	guard_unlock(&set->lock);
}
