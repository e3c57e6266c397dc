// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzing of the guard's decision, natively: an input is a configuration, then fragments and times.
 *
 * Two guards see the same, one of them with the glance, and must say the same. After each fragment
 * the account must hold: all memory charged is that of datagrams in the table, and the same of each
 * source; no source has more than it may; memory never passes its limit; counters add up.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unfrag/guard.h>
#include <unfrag/packet.h>

#include "../../src/guard/native.h"
#include "fuzz.h"

#define SETS   1u /* of datagrams, of each family */
#define SOURCE 2u
#define SLOTS  (2 * SETS * GUARD_WAYS)
#define STEP   8  /* bytes of input a fragment */
#define CHECK  16 /* fragments between two looks at all tables */

/* ---- a guard in memory of its own */

struct tables {
	struct guard_index index[2 * SETS];
	struct guard_datagram datagrams[SLOTS];
	struct guard_sources sources[SOURCE];
};

struct side {
	struct guard_native guard;
	struct tables tables;
};

static void side_init(struct side *s, const struct guard_config *c)
{
	memset(s, 0, sizeof(*s));
	s->guard.config = *c;
	s->guard.index = s->tables.index;
	s->guard.datagrams = s->tables.datagrams;
	s->guard.sources = s->tables.sources;
}

static const struct guard_config plain = {
	.secret = { 1, 2 },
	.source_secret = { 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
			   0xd6e8feb86659fd93, 0xa0761d6478bd642f },
	.timeout = { 3000000000, 2000000000 },
	.forget = 60000000000,
	.prefix = { { UINT32_MAX, 0 }, { UINT64_MAX, 0 } },
	.queue_charge = { 256, 256 },
	.datagram_mask = SETS - 1,
	.source_mask = SOURCE - 1,
};

/* From four bytes: limits between next to nothing and plenty; a rule may be switched off. */
static void configure(struct guard_config *c, const uint8_t *in)
{
	int i;

	*c = plain;
	c->share = 1 + in[0] % 100;
	c->least_charge = 256u + in[1] * 32u;
	c->floor = 1024u * (in[1] % 8u);
	c->small_after = in[2] % 16;
	c->small_mean = 8u + in[2];
	if (in[3] & 0x80)
		c->off = (1u << (in[3] & 31u)) & UNFRAG_GUARD_RULES;
	for (i = 0; i < 2; i++) {
		c->memory[i] = 16384u << (in[3] >> 5 & 3);
		c->slot_charge[i] = (uint32_t)(c->memory[i] / (SETS * GUARD_WAYS));
	}
}

/* ---- fragments */

struct shot {
	uint8_t packet[4096];
	uint32_t len;
	bool ipv6;
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void seal(uint8_t *hdr)
{
	uint32_t sum = 0, i;

	for (i = 0; i < 20; i += 2)
		sum += (uint32_t)hdr[i] << 8 | hdr[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(hdr + 10, ~(sum + (sum >> 16)) & 0xffff);
}

/*
 * in: flags, source, identification, protocol; offset and length of two bytes each. Few sources
 * and identifications, so that they meet.
 */
static void make(struct shot *s, const uint8_t *in)
{
	static const uint8_t protocols[] = { 17, 6, 58, 132, 44, 60, 59, 1 };
	uint32_t off = (uint32_t)(in[4] << 8 | in[5]), len = (uint32_t)(in[6] << 8 | in[7]) & 0x7ff;
	uint8_t proto = protocols[in[3] & 7];

	if (in[0] & 8)
		off &= 0xff; /* near each other */
	memset(s->packet, 0, sizeof(s->packet));
	s->ipv6 = in[0] & 1;
	if (s->ipv6) {
		s->packet[0] = 0x60;
		put16(s->packet + 4, 8 + len);
		s->packet[6] = 44;
		s->packet[15] = in[1];
		s->packet[40] = proto;
		put16(s->packet + 42, (off << 3 & 0xfff8) | (in[0] >> 1 & 1));
		s->packet[47] = in[2] & 15;
		s->packet[48] = in[3];
		s->len = 48 + len;
		return;
	}
	s->packet[0] = 0x45;
	s->packet[1] = in[0] >> 6;
	put16(s->packet + 2, 20 + len);
	s->packet[5] = in[2] & 15;
	put16(s->packet + 6,
	      (off & 0x1fff) | (uint32_t)(in[0] & 2) << 12 | (uint32_t)(in[0] & 4) << 12);
	s->packet[9] = proto;
	s->packet[15] = in[1];
	s->packet[20] = in[3];
	seal(s->packet);
	s->len = 20 + len;
}

/* What a program does around the decision. */
static bool see(struct side *side, const struct shot *s, uint64_t now)
{
	struct guard_fragment f = { .now = now, .charge = side->guard.config.least_charge };
	struct unfrag_facts facts = { 0 };
	int lies;

	guard_here = &side->guard;
	side->guard.moment = now;
	if (guard_glance(s->packet, s->len, s->ipv6))
		return false;
	lies = unfrag_facts_read(&facts, s->packet, s->len);
	f.family = s->ipv6;
	if (!lies && facts.frag == UNFRAG_FRAG_NONE)
		return true;
	if (!lies)
		fragment_fill(&f, &side->guard.config, &facts, s->packet, 1);
	return guard_sees(&f, &facts, facts.has_l4 && !lies ? s->packet[facts.l4_off] : 0, lies);
}

/* ---- what must hold */

struct sums {
	int64_t used[2];
	uint64_t open[2];
	int64_t of_source[SOURCE][GUARD_WAYS + 1];
};

/* From the table of datagrams. */
static void add_up(const struct side *s, struct sums *sums)
{
	const struct guard_index *set;
	uint32_t i, way;

	memset(sums, 0, sizeof(*sums));
	for (i = 0; i < 2 * SETS; i++) {
		set = &s->tables.index[i];
		must(!(set->strangers & ~set->used) && !(set->refused & ~set->used),
		     "only what is used has marks");
		for (way = 0; way < GUARD_WAYS; way++) {
			must(!(set->used >> way & 1) == !set->tags[way], "what is used has a tag");
			if (!(set->used >> way & 1))
				continue;
			sums->used[i / SETS] += set->charge[way];
			sums->open[i / SETS]++;
			sums->of_source[set->account[way] >> 8 & (SOURCE - 1)]
				       [set->account[way] & 63] += set->charge[way];
		}
	}
}

static void check_sources(const struct side *s, const struct sums *sums)
{
	const struct guard_sources *set;
	uint32_t i, way;

	for (i = 0; i < SOURCE; i++) {
		set = &s->tables.sources[i];
		must(set->crowd == set->s[GUARD_WAYS].open, "the crowd is counted");
		for (way = 0; way <= GUARD_WAYS; way++)
			must(set->s[way].used == sums->of_source[i][way],
			     "a source is charged what its datagrams are");
		for (way = 0; way < GUARD_WAYS; way++)
			must(!(set->busy >> way & 1) == !set->s[way].open, "who is busy is known");
	}
}

static void check_counters(const struct side *s, const struct sums *sums)
{
	const struct guard_counters *n;
	uint64_t refused;
	int i, k;

	for (i = 0; i < 2; i++) {
		n = &s->guard.counters[i];
		for (k = 0, refused = 0; k < GUARD_REASON_SLOTS; k++)
			refused += n->reasons[k];
		must(n->fragments == n->passed + refused, "what came passed or was refused");
		must(n->opened == n->completed + n->timed_out + sums->open[i],
		     "what was begun is whole, over or there");
	}
}

static void check(const struct side *s)
{
	const struct guard_config *c = &s->guard.config;
	bool limited = !(c->off >> UNFRAG_REASON_MEMORY & 1);
	struct sums sums;
	int i;

	add_up(s, &sums);
	for (i = 0; i < 2; i++) {
		must(s->guard.state.used[i] == sums.used[i], "memory is that of the datagrams");
		must(!limited || sums.used[i] <= (int64_t)c->memory[i], "memory has a limit");
	}
	check_sources(s, &sums);
	check_counters(s, &sums);
}

/* The share of all memory that any source may come to, whatever its standing. */
static void check_share(const struct side *s)
{
	const struct guard_config *c = &s->guard.config;
	int64_t most = (int64_t)(c->memory[0] / 100 * c->share);
	uint32_t i, way;

	if (c->off >> UNFRAG_REASON_SHARE & 1)
		return;
	if (most < (int64_t)c->floor)
		most = c->floor;
	for (i = 0; i < SOURCE; i++)
		for (way = 0; way < GUARD_WAYS; way++)
			must(s->tables.sources[i].s[way].used <= most, "a source has its share");
}

static void same(const struct side *a, const struct side *b)
{
	/* All bytes of both began as zeros, padding as well. NOLINTNEXTLINE(bugprone-*,cert-*) */
	must(!memcmp(&a->tables, &b->tables, sizeof(a->tables)), "a glance changes no table");
	must(!memcmp(&a->guard.state, &b->guard.state, sizeof(a->guard.state)),
	     "a glance changes no state");
	must(!memcmp(a->guard.counters, b->guard.counters, sizeof(a->guard.counters)),
	     "a glance counts the same");
}

static uint64_t later(const uint8_t *in)
{
	static const uint64_t ns[] = { 0, 0, 0, 100000, 1000000, 20000000, 500000000, 4000000000 };

	return ns[in[2] >> 5];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct side with, without;
	struct guard_config config;
	uint64_t now = 1000000000000;
	struct shot shot;
	uint32_t n = 0;

	if (size < 4 + STEP)
		return 0;
	configure(&config, data);
	side_init(&without, &config);
	config.glance = 1;
	side_init(&with, &config);
	for (data += 4, size -= 4; size >= STEP; data += STEP, size -= STEP) {
		now += later(data);
		make(&shot, data);
		must(see(&with, &shot, now) == see(&without, &shot, now), "a glance says the same");
		check_share(&with);
		if (n++ % CHECK == 0)
			check(&with);
	}
	check(&with);
	same(&with, &without);
	return 0;
}
