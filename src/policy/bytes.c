// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets by their bytes, read by the gate's own text.
 */
#include <errno.h>
#include <string.h>

#include "fields.h"
#include "told.h"

#define IPV4_HEADER 20u
#define IPV6_HEADER 40u

struct gate_packet {
	const uint8_t *bytes;
	size_t size;
};

static const struct gate_config every_field = { .fields = ~0u };

#define GATE_CONFIG every_field

static uint32_t get(const struct gate_packet *p, uint32_t off, uint32_t n)
{
	uint32_t x = 0, i;

	for (i = 0; i < n; i++)
		x = x << 8 | (off + i < p->size ? p->bytes[off + i] : 0u);
	return x;
}

static inline uint32_t gate_get8(const struct gate_packet *p, uint32_t off)
{
	return get(p, off, 1);
}

static inline uint32_t gate_get16(const struct gate_packet *p, uint32_t off)
{
	return get(p, off, 2);
}

static inline uint32_t gate_get32(const struct gate_packet *p, uint32_t off)
{
	return get(p, off, 4);
}

static inline void gate_get_wide(const struct gate_packet *p, uint32_t off, uint32_t *words)
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		words[i] = get(p, off + 4 * i, 4);
}

static inline uint32_t gate_four(const struct gate_packet *p, uint32_t off, uint32_t *four)
{
	size_t n = off < p->size ? p->size - off : 0;

	*four = get(p, off, 4);
	return n < 4 ? (uint32_t)n : 4;
}

#include "../gate/read.h"

static void read_headers(struct gate_values *v, const struct gate_packet *p, bool is_ipv6)
{
	struct gate_l4 l4 = { 0 };
	uint32_t i;

	if (is_ipv6)
		gate_read_ipv6(v, p, &l4);
	else
		gate_read_ipv4(v, p, &l4);
	for (i = 0; l4.walking && i < UNFRAG_EXTHDR_MAX; i++)
		gate_read_exthdr(p, &l4);
	if (!l4.walking)
		gate_read_l4(v, p, &l4);
}

int told_from_bytes(struct told_packet *out, const uint8_t *packet, size_t size)
{
	struct gate_packet p = { packet, size };
	uint32_t version = gate_get8(&p, 0) >> 4, length;

	if ((version != 4 || size < IPV4_HEADER) && (version != 6 || size < IPV6_HEADER))
		return -EINVAL;
	length = version == 4 ? gate_get16(&p, 2) : IPV6_HEADER + gate_get16(&p, 4);
	/* Behind the packet there may be what a link layer fills up with. */
	if (length < p.size)
		p.size = length;
	memset(out, 0, sizeof(*out));
	told_defaults(out, version == 6, length);
	read_headers(&out->values, &p, version == 6);
	return 0;
}
