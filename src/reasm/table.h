/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Finding datagrams by their keys. The hash of a key is computed when it is needed, and once.
 */
#pragma once

#include "engine.h"

/* The hash of an arrival's key. */
static inline uint64_t arrival_hash(const struct unfrag_reasm *r, const struct arrival *a)
{
	struct arrival *head = a->head;

	if (!head->hash)
		head->hash = key_hash(&head->key, head->facts.family, &r->secret);
	return head->hash;
}

/*
 * The same of one that comes alone. Fragments come in trains: it often is that of the last one. The
 * key is read from the packet again, as to copy what was just written in parts takes long.
 */
static inline void arrival_hash_alone(struct unfrag_reasm *r, struct arrival *a)
{
	if (a->facts.family != r->last_family || !key_equal(&a->key, &r->last_key)) {
		key_of(&r->last_key, &a->facts, a->packet->data, a->packet->scope);
		r->last_family = a->facts.family;
		r->last_hash = key_hash(&r->last_key, r->last_family, &r->secret);
	}
	a->hash = r->last_hash;
}

/* The number of the datagram of an arrival's key, 0: none. */
static inline uint32_t table_find(struct unfrag_reasm *r, const struct arrival *a)
{
	uint64_t hash = arrival_hash(r, a);
	const struct datagram *d;
	uint32_t i;

	for (i = r->buckets[hash & r->mask]; i; i = d->chain) {
		d = &r->datagrams[i];
		if (d->hash == (uint32_t)hash && key_equal(&d->key, &a->head->key))
			return i;
	}
	return 0;
}

/* Whether there surely is none. */
static inline bool table_lacks(struct unfrag_reasm *r, const struct arrival *a)
{
	return !*glance_at(&r->glance, &a->head->key);
}

void table_insert(struct unfrag_reasm *r, uint32_t i);
void table_remove(struct unfrag_reasm *r, uint32_t i);
