// SPDX-License-Identifier: GPL-2.0-or-later
#include "tuple_table.h"

#include <stdlib.h>
#include <string.h>

#define KEY_WORDS (sizeof(struct gate_tuple) / sizeof(uint32_t))

static uint64_t hash_key(const struct gate_tuple *key)
{
	uint32_t words[KEY_WORDS];
	uint64_t h = 0x9e3779b97f4a7c15;
	size_t i;

	memcpy(words, key, sizeof(words));
	for (i = 0; i < KEY_WORDS; i++) {
		h = (h ^ words[i]) * 0xff51afd7ed558ccd;
		h ^= h >> 32;
	}
	return h;
}

/* The slot of a key, or the free one where it belongs. */
static uint32_t *slot_of(const struct tuple_table *t, const struct gate_tuple *key)
{
	size_t i = hash_key(key) & (t->n_slots - 1);

	while (t->slots[i] && memcmp(&t->tuples[t->slots[i] - 1].key, key, sizeof(*key)) != 0)
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

static bool grow(struct tuple_table *t)
{
	size_t room = t->room ? 2 * t->room : 64, i;
	struct image_tuple *tuples = realloc(t->tuples, room * sizeof(*tuples));
	uint32_t *slots;

	if (!tuples)
		return false;
	t->tuples = tuples;
	slots = calloc(2 * room, sizeof(*slots));
	if (!slots)
		return false;
	free(t->slots);
	t->slots = slots;
	t->n_slots = 2 * room;
	t->room = room;
	for (i = 0; i < t->n; i++)
		*slot_of(t, &t->tuples[i].key) = (uint32_t)i + 1;
	return true;
}

union gate_tuple_value *tuple_table_put(struct tuple_table *t, const struct gate_tuple *key)
{
	uint32_t *slot;

	if (t->n == t->room && !grow(t))
		return NULL;
	slot = slot_of(t, key);
	if (!*slot) {
		t->tuples[t->n].key = *key;
		memset(&t->tuples[t->n].value, 0, sizeof(t->tuples[t->n].value));
		*slot = (uint32_t)++t->n;
	}
	return &t->tuples[*slot - 1].value;
}

const union gate_tuple_value *tuple_table_find(const struct tuple_table *t,
					       const struct gate_tuple *key)
{
	uint32_t *slot = t->n ? slot_of(t, key) : NULL;

	return slot && *slot ? &t->tuples[*slot - 1].value : NULL;
}

void tuple_table_clear(struct tuple_table *t)
{
	t->n = 0;
	if (t->slots)
		memset(t->slots, 0, t->n_slots * sizeof(*t->slots));
}

void tuple_table_release(struct tuple_table *t)
{
	free(t->tuples);
	free(t->slots);
}
