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
 * comes to their set, and once a millisecond one that may begin a datagram looks at others in turn.
 *
 * Who includes this says first where things are:
 *   guard_index_at(i), guard_sources_at(i)      sets, NULL beyond the table
 *   guard_datagram_at(i)                        of way i % GUARD_WAYS of set i / GUARD_WAYS
 *   guard_config_get(), guard_state_get(), guard_counters_get(family)
 *   guard_lock(p), guard_unlock(p)
 *   guard_moment(s)                             see glance.h
 *   GUARD_STEP                                  how a step is declared: in BPF as a function of
 *                                               its own, verified once, with its own stack frame
 */
#pragma once

#include "../packet/siphash.h"
#include "admit.h"
#include "ask.h"
#include "expire.h"

/* First of all, once the rest is filled in. */
GUARD_STEP int guard_hash(struct guard_fragment *f)
{
	const struct guard_config *c = guard_config_get();
	struct hash_secret secret;
	__u64 rest;

	if (!f || !c)
		return 0;
	secret.word[0] = c->secret[0];
	secret.word[1] = c->secret[1];
	if (!f->family) {
		const uint64_t key[2] = { f->key.word[0], f->key.word[2] };

		f->hash = siphash(&secret, key, 2);
		rest = guard_rest_ipv4(key[0], key[1]);
	} else {
		const uint64_t key[6] = { f->key.word[0], f->key.word[1], f->key.word[2],
					  f->key.word[3], f->key.word[4], f->key.word[5] };

		f->hash = siphash(&secret, key, 6);
		rest = guard_rest_ipv6(key[1], key[2], key[3], key[5]);
	}
	f->source_hash = guard_hash_source(c, f->source, f->family);
	f->lot = guard_lot(c, f->family, f->source_hash, rest);
	return 0;
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
