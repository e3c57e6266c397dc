// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The table of sources: a hash of chains, and a list of those that are idle.
 */
#include "source.h"

static uint32_t *bucket_of(struct sources *sources, uint64_t id)
{
	return &sources->buckets[id & sources->mask];
}

static void idle_append(struct sources *sources, uint32_t number)
{
	struct source *source = &sources->all[number];

	source->idle.prev = sources->idle.last;
	source->idle.next = 0;
	if (sources->idle.last)
		sources->all[sources->idle.last].idle.next = number;
	else
		sources->idle.first = number;
	sources->idle.last = number;
}

static void idle_remove(struct sources *sources, uint32_t number)
{
	const struct source *source = &sources->all[number];

	if (source->idle.prev)
		sources->all[source->idle.prev].idle.next = source->idle.next;
	else
		sources->idle.first = source->idle.next;
	if (source->idle.next)
		sources->all[source->idle.next].idle.prev = source->idle.prev;
	else
		sources->idle.last = source->idle.prev;
}

void source_wake(struct sources *sources, uint32_t number)
{
	if (sources->resting == number)
		sources->resting = 0;
	else
		idle_remove(sources, number);
}

static void forget(struct sources *sources, uint32_t number)
{
	struct source *source = &sources->all[number];
	uint32_t *place = bucket_of(sources, source->id);

	while (*place != number)
		place = &sources->all[*place].chain;
	*place = source->chain;
	source->chain = sources->free;
	sources->free = number;
	sources->known--;
	if (sources->last == number)
		sources->last = 0;
}

static uint32_t take(struct sources *sources)
{
	uint32_t number;

	if (!sources->free && sources->fresh <= sources->n)
		return sources->fresh++;
	if (!sources->free) {
		number = sources->idle.first;
		idle_remove(sources, number);
		forget(sources, number);
	}
	number = sources->free;
	sources->free = sources->all[number].chain;
	return number;
}

static uint32_t find(const struct sources *sources, uint64_t id)
{
	uint32_t number = sources->buckets[id & sources->mask];

	while (number && sources->all[number].id != id)
		number = sources->all[number].chain;
	return number;
}

static uint32_t learn(struct sources *sources, uint64_t id)
{
	uint32_t number = take(sources), *bucket = bucket_of(sources, id);
	struct source *source;

	source = &sources->all[number];
	memset(source, 0, sizeof(*source));
	source->id = id;
	source->chain = *bucket;
	*bucket = number;
	sources->known++;
	return number;
}

uint32_t source_get(struct sources *sources, uint64_t id)
{
	uint32_t number = find(sources, id);

	if (!number)
		number = learn(sources, id);
	else if (!sources->all[number].open)
		source_wake(sources, number);
	sources->last = number;
	return number;
}

void source_rest(struct sources *sources, uint32_t number)
{
	if (!sources->all[number].standing) {
		forget(sources, number);
		return;
	}
	if (sources->resting)
		idle_append(sources, sources->resting);
	sources->resting = number;
}
