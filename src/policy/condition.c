// SPDX-License-Identifier: GPL-2.0-or-later
#include "condition.h"

#include <errno.h>
#include <stdlib.h>

#include "fields.h"

/* A mask with so many free bits above its lowest one is 256 spans. */
#define MASK_FREE_MAX 8u

static uint32_t lowest_bit(value x)
{
	uint32_t n = 0;

	while (n < 128 && !(x >> n & 1))
		n++;
	return n;
}

static uint32_t free_bits(value mask, uint32_t bits)
{
	uint32_t i, n = 0;

	for (i = lowest_bit(mask); i < bits; i++)
		n += !(mask >> i & 1);
	return n;
}

bool match_is_condition(const struct ruleset *rs, const struct match *m)
{
	switch (m->kind) {
	case MATCH_SPANS:
		return true;
	case MATCH_MASK:
		return free_bits(m->mask, fields_bits(m->key.field[0])) <= MASK_FREE_MAX;
	case MATCH_SET:
		return m->key.n == 1 && !rs->sets[m->set].is_named;
	}
	return false;
}

bool spans_are_sound(const struct span *spans, size_t n, uint32_t bits)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (spans[i].from > spans[i].to || spans[i].to > fields_max(bits) ||
		    (i && spans[i].from <= spans[i - 1].to))
			return false;
	return true;
}

/* Puts the bits of a number where the mask has none. */
static value scatter(uint32_t number, value mask, uint32_t bits)
{
	uint32_t i;
	value x = 0;

	for (i = lowest_bit(mask); i < bits; i++) {
		if (mask >> i & 1)
			continue;
		x |= (value)(number & 1) << i;
		number >>= 1;
	}
	return x;
}

static int spans_of_mask(struct condition *out, const struct match *m)
{
	uint32_t bits = fields_bits(m->key.field[0]), low = lowest_bit(m->mask), i;
	size_t n = (size_t)1 << free_bits(m->mask, bits);

	if (low > bits)
		low = bits;
	out->owned = malloc(n * sizeof(*out->owned));
	if (!out->owned)
		return -ENOMEM;
	out->n = m->value & ~(m->mask & fields_max(bits)) ? 0 : n;
	for (i = 0; i < out->n; i++) {
		out->owned[i].from = m->value | scatter(i, m->mask, bits);
		out->owned[i].to = out->owned[i].from | fields_max(low);
	}
	out->spans = out->owned;
	return 0;
}

static int spans_of_set(struct condition *out, const struct set *s)
{
	size_t i;

	out->owned = malloc((s->n_elements + 1) * sizeof(*out->owned));
	if (!out->owned)
		return -ENOMEM;
	for (i = 0; i < s->n_elements; i++)
		out->owned[i] = s->elements[i].span[0];
	out->n = s->n_elements;
	out->spans = out->owned;
	return 0;
}

/* All values but those. */
static int invert(struct condition *c)
{
	struct span *spans = malloc((c->n + 1) * sizeof(*spans));
	value max = fields_max(fields_bits(c->field)), from = 0;
	size_t i, n = 0;

	if (!spans)
		return -ENOMEM;
	for (i = 0; i < c->n; i++) {
		if (c->spans[i].from > from)
			spans[n++] = (struct span){ from, c->spans[i].from - 1 };
		if (c->spans[i].to == max)
			break;
		from = c->spans[i].to + 1;
	}
	if (i == c->n)
		spans[n++] = (struct span){ from, max };
	free(c->owned);
	c->owned = spans;
	c->spans = spans;
	c->n = n;
	return 0;
}

int condition_of(struct condition *out, const struct ruleset *rs, const struct match *m)
{
	struct condition c = { .field = m->key.field[0] };
	int err = 0;

	if (m->kind == MATCH_MASK) {
		err = spans_of_mask(&c, m);
	} else if (m->kind == MATCH_SET) {
		err = spans_of_set(&c, &rs->sets[m->set]);
	} else {
		c.spans = m->spans;
		c.n = m->n_spans;
	}
	if (!err && m->negate)
		err = invert(&c);
	if (err)
		condition_release(&c);
	else
		*out = c;
	return err;
}

void condition_release(struct condition *c)
{
	free(c->owned);
	c->owned = NULL;
}
