// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "tables_random.h"

static uint8_t one_of(struct lab_random *random, const uint8_t *list, size_t n)
{
	return list[lab_random_below(random, n)];
}

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* The upper layer: a few values in its first bytes, so that rules meet them. */
static uint32_t put_l4(uint8_t *at, struct lab_random *random)
{
	static const uint8_t bytes[] = { 0, 1, 8, 128, 255 };
	uint32_t len = (uint32_t)lab_random_below(random, 6) ? 20 : 0, i;

	len += (uint32_t)lab_random_below(random, 20);
	for (i = 0; i < len; i++)
		at[i] = one_of(random, bytes, sizeof(bytes));
	return len;
}

static uint32_t put_ipv4(uint8_t *at, struct lab_random *random)
{
	static const uint8_t protocols[] = { 1, 6, 17, 50, 51, 132, 0, 255 };
	uint32_t hlen = lab_random_below(random, 5) ? 20 : 20 + 4 * lab_random_below(random, 11);
	uint32_t len = hlen + put_l4(at + hlen, random);

	at[0] = (uint8_t)(0x40 | hlen / 4);
	at[1] = (uint8_t)lab_random_next(random);
	put16(at + 2, len);
	put16(at + 6, lab_random_below(random, 10) ? 0x4000 * lab_random_below(random, 2) :
						     lab_random_next(random));
	at[8] = (uint8_t)(lab_random_below(random, 3) * 127);
	at[9] = one_of(random, protocols, sizeof(protocols));
	put16(at + 12, 0x0a00);
	put16(at + 14, (uint32_t)lab_random_below(random, 4));
	put16(at + 16, (uint32_t)lab_random_below(random, 2) * 0xffff);
	put16(at + 18, (uint32_t)lab_random_below(random, 2) * 0xffff);
	return len;
}

/* Extension headers from `at` on, and what follows them. */
static uint32_t put_chain(uint8_t *at, uint8_t *next, struct lab_random *random)
{
	static const uint8_t protocols[] = { 6, 17, 58, 51, 59, 132, 0, 255 };
	static const uint8_t headers[] = { 0, 43, 44, 60, 60, 51 };
	uint32_t n = lab_random_below(random, 3) ? 0 : (uint32_t)lab_random_below(random, 18);
	uint32_t len = 0;

	for (; n && len < 120; n--) {
		*next = one_of(random, headers, sizeof(headers));
		memset(at + len, 0, 8);
		next = at + len;
		at[len + 1] = (uint8_t)!lab_random_below(random, 8);
		if (!lab_random_below(random, 4))
			put16(at + len + 2, (uint32_t)lab_random_next(random));
		len += 8 + 8u * at[len + 1];
	}
	*next = one_of(random, protocols, sizeof(protocols));
	return len + put_l4(at + len, random);
}

static uint32_t put_ipv6(uint8_t *at, struct lab_random *random)
{
	uint32_t len = put_chain(at + 40, &at[6], random);

	put16(at, 0x6000 | (lab_random_next(random) & 0xfff));
	put16(at + 4, len);
	at[7] = (uint8_t)(lab_random_below(random, 3) * 127);
	at[8] = 0x20;
	at[8 + 15] = (uint8_t)lab_random_below(random, 4);
	memset(at + 24, lab_random_below(random, 2) ? 0xff : 0, 16);
	at[24 + lab_random_below(random, 16)] ^= (uint8_t)lab_random_below(random, 2);
	return 40 + len;
}

void random_packet(struct random_packet *p, struct lab_random *random)
{
	memset(p, 0, sizeof(*p));
	p->len = lab_random_below(random, 2) ? put_ipv4(p->data, random) :
					       put_ipv6(p->data, random);
	/* Other than at output, a test run takes no less. */
	if (p->len < 40)
		p->len = 40;
	if (p->len > 48 && !lab_random_below(random, 10))
		p->len -= (uint32_t)lab_random_below(random, p->len - 48);
}
