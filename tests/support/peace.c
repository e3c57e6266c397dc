// SPDX-License-Identifier: GPL-2.0-or-later
#include "peace.h"

#include <errno.h>
#include <frag.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unfrag/packet.h>

#include "../../src/guard/native.h"
#include "usual.h"

#define SETS      256u    /* of what `unfrag guard on` takes: 8,192 datagrams in 16 MiB */
#define PER_STEP  100000u /* ns: a thousand datagrams a second, at ten fragments each */
#define AT_A_TIME 16
#define PIECES    512
#define UDP       17

/* A datagram on its way. */
struct trip {
	uint8_t packet[2048]; /* headers, and zeroes behind them */
	bool ipv6, disturbed;
	uint32_t len, size; /* of the datagram and of a fragment, bytes */
	uint16_t order[2 * PIECES];
	uint32_t n, next;
};

struct road {
	struct guard_native guard;
	struct lab_random random;
	uint64_t now;
	uint32_t begun;
	struct trip trips[AT_A_TIME];
	struct peace *told;
};

static uint64_t below(struct road *r, uint64_t n)
{
	return lab_random_below(&r->random, n);
}

static void configure(struct guard_config *c, struct lab_random *random)
{
	uint64_t *words = (uint64_t *)c->secret;
	uint32_t i;

	usual_limits(c, SETS);
	for (i = 0; i < 7; i++)
		words[i] = lab_random_next(random);
	for (i = 0; i < GUARD_FAMILIES; i++)
		c->timeout[i] = 3625 * USUAL_SECOND / 1000;
}

static void guard_release(struct guard_native *g)
{
	free(g->index);
	free(g->datagrams);
	free(g->sources);
}

static int guard_init(struct guard_native *g)
{
	g->index = calloc(2 * SETS, sizeof(*g->index));
	g->datagrams = calloc((size_t)2 * SETS * GUARD_WAYS, sizeof(*g->datagrams));
	g->sources = calloc((size_t)2 * SETS, sizeof(*g->sources));
	return g->index && g->datagrams && g->sources ? 0 : -ENOMEM;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* Sizes: many small ones, some large ones; fragments as small as they may be if they are few. */
static void choose_sizes(struct road *r, struct trip *t)
{
	uint32_t least;

	t->len = 2 + (uint32_t)below(r, below(r, 8) ? 5000 : 40000);
	least = t->len / 32 < 8 ? 8 : 256;
	t->size = least + 8 * (uint32_t)below(r, (1448 - least) / 8 + 1);
	if (t->len <= t->size)
		t->len = t->size + 1 + (uint32_t)below(r, t->size);
	t->n = (t->len + t->size - 1) / t->size;
}

static void swap(uint16_t *a, uint16_t *b)
{
	uint16_t old = *a;

	*a = *b;
	*b = old;
}

/* The same places as they come: in order, reversed, every other one first, or by chance. */
static void choose_order(struct road *r, struct trip *t)
{
	uint32_t kind = (uint32_t)below(r, 4), once = t->n, i;
	bool twice = !below(r, 3);

	for (i = 0; i < once; i++)
		t->order[i] = (uint16_t)(kind == 1 ? once - 1 - i : i);
	for (i = 0; i < once && kind == 2; i++)
		t->order[i] = (uint16_t)(i < (once + 1) / 2 ? 2 * i : 2 * (i - (once + 1) / 2) + 1);
	for (i = once; i > 1 && kind == 3; i--)
		swap(&t->order[i - 1], &t->order[below(r, i)]);
	if (!twice)
		return;
	for (i = once; i-- > 0;)
		t->order[2 * i] = t->order[2 * i + 1] = t->order[i];
	t->n = 2 * once;
}

static void trip_begin(struct road *r, struct trip *t)
{
	uint32_t source = ++r->begun;

	t->disturbed = false;
	t->next = 0;
	t->ipv6 = below(r, 2);
	memset(t->packet, 0, 64);
	t->packet[0] = t->ipv6 ? 0x60 : 0x45;
	t->packet[t->ipv6 ? 40 : 9] = UDP;
	put32(t->packet + 12, source);
	if (t->ipv6) {
		t->packet[6] = UNFRAG_PROTO_FRAGMENT;
		t->packet[8] = t->packet[24] = 0x20;
		put32(t->packet + 44, (uint32_t)lab_random_next(&r->random));
	} else {
		put16(t->packet + 4, (uint32_t)lab_random_next(&r->random) & 0xffff);
		put32(t->packet + 16, 0x0a000001);
	}
	choose_sizes(r, t);
	choose_order(r, t);
}

/* Its next fragment. Returns the length of the packet. */
static uint32_t trip_write(struct trip *t)
{
	uint32_t off = t->order[t->next++] * t->size;
	uint32_t len = t->len - off < t->size ? t->len - off : t->size;
	bool more = off + len < t->len;

	if (t->ipv6) {
		put16(t->packet + 4, 8 + len);
		put16(t->packet + 42, off | more);
		return 48 + len;
	}
	put16(t->packet + 2, 20 + len);
	put16(t->packet + 6, off / 8 | (uint32_t)more << 13);
	return 20 + len;
}

/* The reason it was refused for, or NONE. */
static uint32_t see(struct road *r, const struct trip *t, uint32_t len)
{
	struct guard_fragment f = { .now = r->now, .charge = 2304, .family = t->ipv6 };
	const struct guard_counters *n = &r->guard.counters[t->ipv6];
	struct guard_counters before = *n;
	struct unfrag_facts facts;
	uint32_t i;

	if (unfrag_facts_read(&facts, t->packet, len))
		return UNFRAG_REASON_UNREADABLE;
	fragment_fill(&f, &r->guard.config, &facts, t->packet, 1);
	if (guard_sees(&f, &facts, 0, 0))
		return UNFRAG_REASON_NONE;
	for (i = 1; i < UNFRAG_REASON_MAX - 1; i++)
		if (n->reasons[i] != before.reasons[i])
			break;
	return i;
}

static void step(struct road *r, struct trip *t)
{
	uint32_t reason;

	r->now += PER_STEP;
	r->guard.moment = r->now;
	r->told->fragments++;
	reason = see(r, t, trip_write(t));
	r->told->reasons[reason] += reason != UNFRAG_REASON_NONE;
	r->told->twice += reason == UNFRAG_REASON_DUPLICATE;
	t->disturbed |= reason != UNFRAG_REASON_NONE && reason != UNFRAG_REASON_DUPLICATE;
	if (r->guard.state.used[t->ipv6] > r->told->memory)
		r->told->memory = r->guard.state.used[t->ipv6];
	if (t->next < t->n)
		return;
	r->told->datagrams++;
	r->told->disturbed += t->disturbed;
	trip_begin(r, t);
}

int peace_run(struct peace *out, uint32_t datagrams, uint64_t seed)
{
	struct road *r = calloc(1, sizeof(*r));
	int i, err;

	if (!r)
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	r->told = out;
	r->random.state = seed;
	r->now = 1000 * USUAL_SECOND;
	configure(&r->guard.config, &r->random);
	err = guard_init(&r->guard);
	guard_here = &r->guard;
	for (i = 0; i < AT_A_TIME && !err; i++)
		trip_begin(r, &r->trips[i]);
	while (!err && out->datagrams < datagrams)
		step(r, &r->trips[below(r, AT_A_TIME)]);
	guard_release(&r->guard);
	free(r);
	return err;
}
