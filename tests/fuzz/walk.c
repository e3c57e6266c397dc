// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzing of the header walk: an input is a packet, in memory of its own, so that reading beyond it
 * is found.
 *
 * Its facts must be those that a slow reader finds, which takes single bits and first lists the
 * headers. They come in a bounded number of steps, each forward, and depend on nothing but headers:
 * neither on the data behind them nor on what stands behind the datagram.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unfrag/packet.h>

#include "fuzz.h"

#define LENGTH_MAX (1 << 17)

/* ---- the slow reader */

struct header {
	uint8_t type;
	uint32_t at, off, more;
};

/* The extension headers that stand in the packet as a whole, and what comes behind them. */
struct chain {
	struct header of[UNFRAG_EXTHDR_MAX];
	int n;
	uint32_t at;  /* what comes behind */
	uint8_t type; /* of it */
	bool broken;  /* that is an extension header, but not whole, or one too many */
};

static bool is_part(const struct header *h)
{
	return h->type == 44 && (h->off || h->more);
}

static const struct header *part_in(const struct chain *c)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (is_part(&c->of[i]))
			return &c->of[i];
	return NULL;
}

/* The Fragment header that counts: the first of a real fragment, or else the last. */
static const struct header *fragment_in(const struct chain *c)
{
	const struct header *found = part_in(c);
	int i;

	for (i = 0; !found && i < c->n; i++)
		if (c->of[c->n - 1 - i].type == 44)
			found = &c->of[c->n - 1 - i];
	return found;
}

/* RFC 8200 4.3, 4.4, 4.5, 4.6, RFC 4302 2.2 */
static uint32_t header_bytes(const uint8_t *p, uint32_t at, uint8_t type)
{
	if (type == 44)
		return 8;
	if (type == 51)
		return (bits(p, 8 * at + 8, 8) + 2) * 4;
	return (bits(p, 8 * at + 8, 8) + 1) * 8;
}

static bool is_extension(uint8_t type)
{
	return type == 0 || type == 43 || type == 44 || type == 51 || type == 60;
}

/* What an offset above 0 promises is the middle of something: no header can be behind it. */
static bool ends_chain(const struct chain *c)
{
	const struct header *part = part_in(c);

	return !is_extension(c->type) || (part && (part->off || c->type == 44));
}

static void list_headers(struct chain *c, const uint8_t *p, uint32_t len)
{
	struct header *h;
	uint32_t bytes;

	memset(c, 0, sizeof(*c));
	c->at = 40;
	c->type = (uint8_t)bits(p, 48, 8);
	while (!ends_chain(c)) {
		h = &c->of[c->n];
		c->broken = c->n == UNFRAG_EXTHDR_MAX || c->at + 8 > len;
		bytes = c->broken ? 0 : header_bytes(p, c->at, c->type);
		c->broken = c->broken || c->at + bytes > len;
		if (c->broken)
			return;
		*h = (struct header){ c->type, c->at, 0, 0 };
		if (c->type == 44) {
			h->off = bits(p, 8 * c->at + 16, 13) * 8;
			h->more = bits(p, 8 * c->at + 31, 1);
		}
		c->n++;
		c->type = (uint8_t)bits(p, 8 * c->at, 8);
		c->at += bytes;
	}
	/* A Fragment header too many is looked at before it is seen to be data. */
	c->broken = is_extension(c->type) && part_in(c) && !part_in(c)->off &&
		    (c->n == UNFRAG_EXTHDR_MAX || c->at + 8 > len);
}

static enum unfrag_frag part_of(uint32_t off, uint32_t more)
{
	if (off)
		return more ? UNFRAG_FRAG_MIDDLE : UNFRAG_FRAG_LAST;
	return UNFRAG_FRAG_FIRST;
}

/* `rest`: bytes of the whole datagram that are not the fragmentable part, as they count. */
static enum unfrag_defect defect_of(const struct unfrag_facts *f, uint32_t rest)
{
	int64_t bytes = (int64_t)f->len - f->payload_off;

	if (bytes <= 0)
		return UNFRAG_DEFECT_EMPTY;
	if (rest + f->frag_off + bytes > 65535)
		return UNFRAG_DEFECT_OVERSIZE;
	if (f->more && bytes & 7)
		return UNFRAG_DEFECT_LENGTH;
	return UNFRAG_DEFECT_NONE;
}

static uint32_t least_header(uint8_t protocol)
{
	static const uint8_t least[256] = {
		[1] = 8, [6] = 20, [17] = 8, [33] = 12, [58] = 8, [132] = 12, [136] = 8,
	};

	return least[protocol] ? least[protocol] : 1;
}

static void set_upper(struct unfrag_facts *f, uint8_t protocol, uint32_t at)
{
	bool there = at + least_header(protocol) <= f->len;

	f->proto = protocol;
	f->l4_off = at;
	if (f->frag_off || protocol == 59 || protocol == 44)
		return;
	f->has_l4 = there;
	if (!there && f->frag == UNFRAG_FRAG_FIRST && f->defect == UNFRAG_DEFECT_NONE)
		f->defect = UNFRAG_DEFECT_CHAIN;
}

static bool slow_ipv4(struct unfrag_facts *f, const uint8_t *p, size_t size)
{
	uint32_t header = bits(p, 4, 4) * 4;

	f->family = UNFRAG_IPV4;
	f->len = bits(p, 16, 16);
	if (header < 20 || f->len < header || f->len > size)
		return false;
	f->payload_off = header;
	f->id = bits(p, 32, 16);
	f->df = (uint8_t)bits(p, 49, 1);
	f->more = (uint8_t)bits(p, 50, 1);
	f->frag_off = (uint16_t)(bits(p, 51, 13) * 8);
	if (f->frag_off || f->more) {
		f->frag = (uint8_t)part_of(f->frag_off, f->more);
		f->defect = (uint8_t)defect_of(f, header);
	}
	set_upper(f, (uint8_t)bits(p, 72, 8), header);
	return true;
}

static bool slow_ipv6(struct unfrag_facts *f, const uint8_t *p, size_t size, struct chain *chain)
{
	const struct header *h;

	f->family = UNFRAG_IPV6;
	f->payload_off = 40;
	f->len = size < 40 ? 0 : 40 + bits(p, 32, 16);
	if (f->len > size || !f->len)
		return false;
	list_headers(chain, p, f->len);
	h = fragment_in(chain);
	if (h) {
		f->frag_hdr = (uint16_t)h->at;
		f->id = bits(p, 8 * h->at + 32, 32);
		f->frag_off = (uint16_t)h->off;
		f->more = (uint8_t)h->more;
		f->frag = UNFRAG_FRAG_ATOMIC;
		f->payload_off = h->at + 8;
	}
	if (h && is_part(h)) {
		f->frag = (uint8_t)part_of(h->off, h->more);
		f->defect = (uint8_t)defect_of(f, h->at - 40);
	}
	if (!chain->broken) {
		set_upper(f, chain->type, chain->at);
		return true;
	}
	f->proto = chain->type;
	f->l4_off = chain->at;
	if (!f->defect)
		f->defect = UNFRAG_DEFECT_CHAIN;
	return f->frag == UNFRAG_FRAG_FIRST;
}

/* ---- the properties */

static int walk(struct unfrag_facts *f, const uint8_t *data, size_t size)
{
	uint8_t *alone = malloc(size ? size : 1);
	int r;

	must(alone, "memory for a packet");
	if (size)
		memcpy(alone, data, size);
	memset(f, 0xa5, sizeof(*f));
	r = unfrag_facts_read(f, alone, (uint32_t)size);
	free(alone);
	return r;
}

static void check_steps(const struct unfrag_facts *want, const uint8_t *p)
{
	struct unfrag_facts f;
	uint32_t before, id;
	int steps = 0;

	must(!unfrag_ipv6_facts(&f, p[0], want->len, p[6]), "a start");
	while (f.walking) {
		before = f.l4_off;
		if (steps == UNFRAG_EXTHDR_MAX || before + 8 > f.len) {
			must(!unfrag_ipv6_cut(&f) && !f.walking, "a cut is the end");
			break;
		}
		id = bits(p, 8 * before + 32, 32);
		must(!unfrag_ipv6_step(&f, p[before], p[before + 1],
				       (uint16_t)bits(p, 8 * before + 16, 16), id),
		     "steps as the walk goes");
		must(f.l4_off >= before + 8 || !f.walking, "a step forward");
		must(f.l4_off <= f.len, "a step inside");
		steps++;
	}
	must(!memcmp(&f, want, sizeof(f)), "facts step by step");
}

/* The same packet with other data behind its headers, and with something behind its end. */
static void check_rest(const struct unfrag_facts *want, const uint8_t *p, bool data_too)
{
	static uint8_t other[LENGTH_MAX];
	struct unfrag_facts f;
	uint32_t i;

	memcpy(other, p, want->len);
	memset(other + want->len, 0x2c, 16);
	must(!walk(&f, other, want->len + 16) && !memcmp(&f, want, sizeof(f)), "padding");
	must(walk(&f, other, want->len - 1), "one byte less is not the packet");
	for (i = want->l4_off; data_too && i < want->len; i++)
		other[i] ^= 0xff;
	must(!walk(&f, other, want->len) && !memcmp(&f, want, sizeof(f)), "other data");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unfrag_facts want = { 0 }, f;
	struct chain chain = { 0 };
	uint32_t version = size ? bits(data, 0, 4) : 0;
	bool readable = false;

	if (size > LENGTH_MAX / 2)
		return 0;
	if (version == 4 && size >= 20)
		readable = slow_ipv4(&want, data, size);
	else if (version == 6)
		readable = slow_ipv6(&want, data, size, &chain);
	must(walk(&f, data, size) == (readable ? 0 : -1), "readable or not");
	if (!readable)
		return 0;
	must(!memcmp(&f, &want, sizeof(f)), "the facts");
	if (version == 6)
		check_steps(&want, data);
	check_rest(&want, data, !chain.broken);
	return 0;
}
