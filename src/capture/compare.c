// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One engine a policy, all fed alike. What is covered does not depend on who wins an overlap, so a
 * datagram becomes whole in all of them with the same fragment, and then they are laid side by
 * side. An engine that gives nothing at that moment, its memory being short, has no say.
 */
#include "compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "track.h"

#define POLICY(i) ((i) + UNFRAG_REASM_FIRST)

struct version {
	struct unfrag_reasm *engine;
	struct unfrag_reasm_result res;
	uint8_t packet[UNFRAG_DATAGRAM_MAX + UNFRAG_IPV6_HLEN];
};

struct compare {
	struct version versions[READINGS_MAX];
	compare_tell_fn *tell;
	void *arg;
	uint8_t secret[16];
};

int compare_new(struct compare **out, const struct unfrag_reasm_opts *like, compare_tell_fn *tell,
		void *arg)
{
	struct unfrag_reasm_opts opts = *like;
	struct compare *c = calloc(1, sizeof(*c));
	int i, r = 0;

	if (!c)
		return -ENOMEM;
	c->tell = tell;
	c->arg = arg;
	if (getrandom(c->secret, sizeof(c->secret), 0) != sizeof(c->secret))
		r = -EIO;
	opts.fates = false;
	opts.hash_secret = c->secret;
	for (i = 0; i < READINGS_MAX && !r; i++) {
		opts.policy = (uint32_t)POLICY(i);
		r = unfrag_reasm_new(&c->versions[i].engine, &opts);
	}
	if (r) {
		compare_free(c);
		return r;
	}
	*out = c;
	return 0;
}

void compare_free(struct compare *c)
{
	int i;

	if (!c)
		return;
	for (i = 0; i < READINGS_MAX; i++)
		unfrag_reasm_free(c->versions[i].engine);
	free(c);
}

/* From the first byte that differs between the two to the last, added to what differs already. */
static void widen(struct difference *d, const struct version *a, const struct version *b)
{
	uint32_t from = 0, to = a->res.len, end = d->at + d->size;

	while (from < to && a->packet[from] == b->packet[from])
		from++;
	while (to > from && a->packet[to - 1] == b->packet[to - 1])
		to--;
	if (from == to)
		return;
	if (!d->size || from < d->at)
		d->at = from;
	if (to > end)
		end = to;
	d->size = end - d->at;
}

static void add_reading(struct difference *d, const struct version *v, int i)
{
	struct reading *r;
	uint32_t n = d->size < READING_BYTES ? d->size : READING_BYTES, k;

	for (k = 0; k < d->n; k++) {
		const struct version *other = v - i + __builtin_ctz(d->readings[k].policies) -
					      UNFRAG_REASM_FIRST;

		if (!memcmp(other->packet, v->packet, v->res.len))
			break;
	}
	r = &d->readings[k];
	if (k == d->n) {
		d->n++;
		memcpy(r->bytes, v->packet + d->at, n);
		r->n = n;
	}
	r->policies |= 1u << POLICY(i);
}

static bool lay_side_by_side(struct compare *c, struct difference *d)
{
	const struct version *v = c->versions, *known = NULL;
	int i;

	for (i = 0; i < READINGS_MAX; i++) {
		if (v[i].res.outcome != UNFRAG_REASM_COMPLETE)
			continue;
		if (known && known->res.len == v[i].res.len)
			widen(d, known, &v[i]);
		else
			known = &v[i];
	}
	if (!d->size)
		return false;
	d->len = known->res.len;
	for (i = 0; i < READINGS_MAX; i++)
		if (v[i].res.outcome == UNFRAG_REASM_COMPLETE && v[i].res.len == d->len)
			add_reading(d, &v[i], i);
	return true;
}

static void read_key(struct datagram_key *key, const struct unfrag_reasm_packet *packet,
		     const struct place *place)
{
	struct unfrag_facts facts;

	memset(key, 0, sizeof(*key));
	if (!unfrag_facts_read(&facts, packet->data, packet->size))
		key_of_packet(key, place, &facts, packet->data);
}

bool compare_push(struct compare *c, const struct unfrag_reasm_packet *packet, uint64_t now,
		  const struct place *place)
{
	struct difference d = { .time = now };
	bool overlaps = false;
	struct version *v;
	int i;

	for (i = 0; i < READINGS_MAX; i++) {
		v = &c->versions[i];
		unfrag_reasm_push(v->engine, packet, now, &v->res);
		if (v->res.outcome == UNFRAG_REASM_COMPLETE)
			overlaps |= v->res.overlaps > 0;
	}
	if (!overlaps)
		return false;
	for (i = 0; i < READINGS_MAX; i++) {
		v = &c->versions[i];
		if (v->res.outcome == UNFRAG_REASM_COMPLETE)
			unfrag_reasm_copy(v->engine, &v->res, v->packet, sizeof(v->packet));
	}
	if (!lay_side_by_side(c, &d))
		return false;
	read_key(&d.key, packet, place);
	c->tell(&d, c->arg);
	return true;
}
