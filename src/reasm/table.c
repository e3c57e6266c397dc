// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The table of datagrams, and time.
 *
 * All timers of a family run equally long, so the datagrams in order of their first fragments are
 * in order of their ends too: a list does what others need a wheel or a heap for.
 */
#include "table.h"

void table_insert(struct unfrag_reasm *r, uint32_t i)
{
	struct datagram *d = datagram_get(r, i);
	uint32_t *bucket = &r->buckets[d->hash & r->mask];

	d->chain = *bucket;
	*bucket = i;
	++*glance_at(&r->glance, &d->key);
}

void table_remove(struct unfrag_reasm *r, uint32_t i)
{
	const struct datagram *d = datagram_get(r, i);
	uint32_t *place = &r->buckets[d->hash & r->mask];

	while (*place != i)
		place = &r->datagrams[*place].chain;
	*place = d->chain;
	--*glance_at(&r->glance, &d->key);
}

/* Packets of one capture may be slightly out of order; only a large step is another clock. */
static bool is_other_clock(const struct unfrag_reasm *r, uint64_t behind)
{
	return behind > r->timeouts[FAMILY_IPV4] && behind > r->timeouts[FAMILY_IPV6];
}

void time_set(struct unfrag_reasm *r, uint64_t now)
{
	uint64_t t = now + r->shift;

	if (t >= r->now)
		r->now = t;
	else if (is_other_clock(r, r->now - t))
		r->shift += r->now - t;
}

static size_t expire_family(struct unfrag_reasm *r, int family, size_t max)
{
	size_t n;

	for (n = 0; n < max; n++) {
		if (!r->ages[family].first ||
		    !time_is_over(r, datagram_get(r, r->ages[family].first)))
			break;
		datagram_end(r, r->ages[family].first, UNFRAG_REASON_TIMEOUT);
	}
	return n;
}

size_t time_expire(struct unfrag_reasm *r, size_t max)
{
	size_t n = expire_family(r, FAMILY_IPV4, max);

	return n + expire_family(r, FAMILY_IPV6, max - n);
}
