/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The guard's decision on one fragment, from its datagram and its source.
 *
 *	      datagram's set             source's set              datagram's set
 *	   .---- lock ----.           .---- lock ----.          .---- lock ----.
 *	   | fits? mark it|-- more -->| may it? count|-- no --->| give it up   |
 *	   '--------------'-- new --->|              |-- yes -->| make it      |
 *	           '-- whole, over -->| give back    |          '--------------'
 *
 * No two locks are held at once, as BPF can't, so a step may find that another CPU was faster; then
 * it starts again, once. Nothing runs by itself: datagrams whose time is over end when a fragment
 * comes to their set, and each fragment that begins a datagram looks at others in turn.
 *
 * Who includes this says first where things are:
 *   guard_datagrams_at(i), guard_sources_at(i)  sets, NULL beyond the table
 *   guard_config_get(), guard_state_get(), guard_counters_get(family)
 *   guard_lock(p), guard_unlock(p)
 *   GUARD_STEP                                  how a step is declared: in BPF as a function of
 *                                               its own, verified once, with its own stack frame
 */
#pragma once

#include "../packet/siphash.h"
#include "account.h"

#define GUARD_SWEEPS 16 /* sets that one fragment may look at beside its own */

/* First step: what its datagram says, if there is one; and what is over ends. */
GUARD_INLINE __u32 guard_consult(struct guard_try *t, struct guard_fragment *f,
				 struct guard_gone *gone)
{
	struct guard_datagrams *set = guard_set_of(t, f->family, (__u32)f->hash);
	__u32 way, answer = DATAGRAM_ABSENT;
	struct guard_datagram *d;

	if (!set)
		return UNFRAG_REASON_TABLE;
	guard_lock(&set->lock);
	datagrams_reap(set, guard_deadline(t->config, f), gone);
	way = datagrams_find(set, f);
	if (way < GUARD_WAYS) {
		d = &set->d[way & (GUARD_WAYS - 1)];
		f->account = d->source;
		f->good = d->good;
		answer = datagram_judge(d, f, t->config);
		if (answer == DATAGRAM_WHOLE) {
			/* The kernel holds this last one for no time, so it was not counted. */
			d->charge -= f->charge;
			datagram_end(set, way, &gone[GUARD_REAP], 1);
		}
	}
	guard_unlock(&set->lock);
	return answer;
}

/* There is no room for a fragment that was taken in: its datagram can't become whole any more. */
GUARD_INLINE void guard_give_up(struct guard_try *t, struct guard_fragment *f)
{
	struct guard_datagrams *set = guard_set_of(t, f->family, (__u32)f->hash);
	__u32 way;

	if (!set)
		return;
	guard_lock(&set->lock);
	way = datagrams_find(set, f);
	if (way < GUARD_WAYS) {
		set->d[way & (GUARD_WAYS - 1)].state = GUARD_REFUSED;
		set->d[way & (GUARD_WAYS - 1)].charge -= f->charge;
	}
	guard_unlock(&set->lock);
}

/* Ends what is over in one more set, in turn. Returns whether there was any. */
GUARD_STEP int guard_sweep(struct guard_fragment *f)
{
	struct guard_gone gone[GUARD_REAP] = { 0 };
	struct guard_try t = { 0 };
	struct guard_datagrams *set;
	__u32 i;

	if (!f || !guard_try_init(&t, f))
		return 0;
	set = guard_set_of(&t, f->family, guard_count(t.state->hand, 1));
	if (!set)
		return 0;
	guard_lock(&set->lock);
	datagrams_reap(set, guard_deadline(t.config, f), gone);
	guard_unlock(&set->lock);
	for (i = 0; i < GUARD_REAP; i++)
		guard_give_back(&t, f, &gone[i]);
	return gone[0].valid;
}

/* The first fragment to come of a datagram: may its source hold it? NONE, or why not. */
GUARD_STEP int guard_admit(struct guard_fragment *f)
{
	struct guard_try t = { 0 };

	if (!f || !guard_try_init(&t, f))
		return UNFRAG_REASON_TABLE;
	/* At least what a slot of the table is worth: so memory and slots run short together. */
	f->opening = f->charge + t.config->queue_charge[f->family & 1];
	if (f->opening < t.config->slot_charge[f->family & 1])
		f->opening = t.config->slot_charge[f->family & 1];
	return (int)guard_reserve(&t, f, f->opening, 1);
}

GUARD_INLINE __u32 guard_make(struct guard_try *t, struct guard_fragment *f)
{
	struct guard_datagrams *set = guard_set_of(t, f->family, (__u32)f->hash);
	__u32 way, bit;

	if (!set)
		return UNFRAG_REASON_TABLE;
	guard_lock(&set->lock);
	f->again = datagrams_find(set, f) < GUARD_WAYS;
	way = f->again ? GUARD_WAYS : datagrams_place(set, f);
	if (way < GUARD_WAYS) {
		way &= GUARD_WAYS - 1;
		bit = 1u << way;
		datagram_begin(&set->d[way], f, f->account, f->opening, f->good);
		set->tags[way] = guard_tag(f->hash);
		set->since[way] = (__u32)(f->now >> GUARD_TICK_SHIFT);
		set->used |= bit;
		set->strangers = f->good ? set->strangers & ~bit : set->strangers | bit;
	}
	guard_unlock(&set->lock);
	return way < GUARD_WAYS ? UNFRAG_REASON_NONE : UNFRAG_REASON_TABLE;
}

/* Makes the datagram of a fragment that was admitted. NONE, or why not: then nothing is charged. */
GUARD_STEP int guard_insert(struct guard_fragment *f)
{
	struct guard_try t = { 0 };
	__u32 reason;

	if (!f || !guard_try_init(&t, f))
		return UNFRAG_REASON_TABLE;
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

/* What its datagram says of it: enum datagram_answer, or a reason. */
GUARD_STEP int guard_ask(struct guard_fragment *f)
{
	struct guard_gone gone[GUARD_REAP + 1] = { 0 };
	struct guard_try t = { 0 };
	__u32 answer, i;

	if (!f || !guard_try_init(&t, f))
		return UNFRAG_REASON_TABLE;
	answer = guard_consult(&t, f, gone);
	for (i = 0; i < GUARD_REAP + 1; i++)
		guard_give_back(&t, f, &gone[i]);
	return (int)answer;
}

/* First of all, once the rest is filled in. */
GUARD_STEP int guard_hash(struct guard_fragment *f)
{
	const struct guard_config *c = guard_config_get();

	if (!f || !c)
		return 0;
	{
		const struct hash_secret secret = { { c->secret[0], c->secret[1] } };
		const uint64_t key[6] = { f->key.word[0], f->key.word[1], f->key.word[2],
					  f->key.word[3], f->key.word[4], f->key.word[5] };
		const uint64_t source[3] = { f->source[0], f->source[1], f->family };

		f->hash = siphash(&secret, key, 6);
		f->source_hash = siphash(&secret, source, 3);
	}
	return 0;
}

/*
 * Before each fragment that may begin a datagram. While sets are found in which something was over it
 * goes on, up to a limit: so after a flood its memory is soon free, and in one that costs no more
 * than the datagrams that were begun.
 */
GUARD_INLINE void guard_tidy(struct guard_fragment *f)
{
	__u32 i;

	for (i = 0; i < GUARD_SWEEPS; i++)
		if (!guard_sweep(f))
			break;
}

GUARD_INLINE int guard_once(struct guard_fragment *f)
{
	int answer = guard_ask(f);

	switch (answer) {
	case DATAGRAM_ABSENT:
		guard_tidy(f);
		answer = guard_admit(f);
		return answer ? answer : guard_insert(f);
	case DATAGRAM_MORE:
		return guard_go_on(f);
	case DATAGRAM_WHOLE:
	case DATAGRAM_PASS:
		return UNFRAG_REASON_NONE;
	default:
		return answer;
	}
}

/* The verdict on a well-formed fragment: NONE, or the reason to drop it. */
GUARD_STEP int guard_judge(struct guard_fragment *f)
{
	int reason;

	if (!f)
		return UNFRAG_REASON_TABLE;
	f->again = 0;
	reason = guard_once(f);
	if (!f->again)
		return reason;
	f->again = 0;
	return guard_once(f);
}
