// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lengths and checksums in front of IP. A reassembled packet is longer than what its link ever
 * carried, so a field may be too small for it: IEEE 802.3 lengths end at 1,500, and what is above
 * is read as a type. Such a header gives way to the Ethernet II one that says the same.
 *
 * A checksum that was 0, which is none, stays none; others are made anew, right or wrong before.
 */
#include "place.h"

#include <stddef.h>
#include <string.h>

#include "wire.h"

#define LENGTH_802_3_MAX 1500u
#define SNAP_BYTES       8u /* LLC, SNAP and the type */
#define IPV6_HLEN        40u
#define GTP_COUNTS_FROM  8u
#define PROTO_UDP        17u

void place_begin(struct place *place, uint64_t seed)
{
	memset(place, 0, offsetof(struct place, fixes));
	place->seed = seed;
}

static uint64_t stir(uint64_t x)
{
	x = (x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 29) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

void place_narrow(struct place *place, enum narrow kind, uint64_t value)
{
	uint64_t x = stir(place->scope ^ value ^ place->seed);

	place->scope = stir(x ^ (uint64_t)kind ^ (place->seed << 32 | place->seed >> 32)) | 1;
}

bool place_add_fix(struct place *place, enum fix_kind kind, uint32_t at, uint32_t from)
{
	if (place->n_fixes == PLACE_FIXES)
		return false;
	place->fixes[place->n_fixes++] =
		(struct fix){ .at = at, .from = from, .kind = (uint8_t)kind };
	return true;
}

/*
 *      | length | AA AA 03 | 00 00 00 | type | data      IEEE 802.3, LLC, SNAP
 *      | type   | data                                   Ethernet II
 */
static uint32_t fix_snap(uint8_t *packet, uint32_t at, uint32_t size)
{
	uint32_t data = at + 2 + SNAP_BYTES;

	if (size - at - 2 <= LENGTH_802_3_MAX) {
		put16(packet + at, size - at - 2);
		return size;
	}
	memcpy(packet + at, packet + data - 2, 2);
	memmove(packet + at + 2, packet + data, size - data);
	return size - SNAP_BYTES;
}

/* A field that counts all from some place on. */
static uint32_t fix_length(uint8_t *packet, uint32_t at, uint32_t from, uint32_t size)
{
	if (size - from > UINT16_MAX)
		return 0;
	put16(packet + at, size - from);
	return size;
}

/* The Internet checksum (RFC 1071), `sum` having been added already. */
static uint16_t checksum(const uint8_t *data, uint32_t len, uint64_t sum)
{
	uint32_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += get16(data + i);
	if (len & 1)
		sum += (uint64_t)data[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t fix_ipv4(uint8_t *packet, uint32_t at, uint32_t size)
{
	uint8_t *ip = packet + at;

	if (!fix_length(packet, at + 2, at, size))
		return 0;
	put16(ip + 10, 0);
	put16(ip + 10, checksum(ip, (ip[0] & 0xfu) * 4u, 0));
	return size;
}

static uint64_t pseudo_header(const uint8_t *ip, uint32_t len)
{
	bool ipv4 = ip[0] >> 4 == 4;
	uint16_t addresses = checksum(ip + (ipv4 ? 12 : 8), ipv4 ? 8 : 32, 0);

	return (uint64_t)(uint16_t)~addresses + PROTO_UDP + len;
}

static uint32_t fix_udp(uint8_t *packet, const struct fix *fix, uint32_t size)
{
	uint8_t *udp = packet + fix->at;
	uint32_t len = size - fix->at;
	uint16_t sum;

	if (!fix_length(packet, fix->at + 4, fix->at, size))
		return 0;
	if (!get16(udp + 6))
		return size;
	put16(udp + 6, 0);
	sum = checksum(udp, len, pseudo_header(packet + fix->from, len));
	put16(udp + 6, sum ? sum : 0xffff);
	return size;
}

static uint32_t fix_gre(uint8_t *packet, uint32_t at, uint32_t size)
{
	uint8_t *gre = packet + at;

	put16(gre + 4, 0);
	put16(gre + 4, checksum(gre, size - at, 0));
	return size;
}

static uint32_t apply(const struct fix *fix, uint8_t *packet, uint32_t size)
{
	uint32_t at = fix->at;

	switch ((enum fix_kind)fix->kind) {
	case FIX_SNAP:
		return fix_snap(packet, at, size);
	case FIX_PPPOE:
		return fix_length(packet, at, at + 2, size);
	case FIX_IPV4:
		return fix_ipv4(packet, at, size);
	case FIX_IPV6:
		return fix_length(packet, at + 4, at + IPV6_HLEN, size);
	case FIX_UDP:
		return fix_udp(packet, fix, size);
	case FIX_GTP:
		return fix_length(packet, at + 2, at + GTP_COUNTS_FROM, size);
	case FIX_PPTP:
		return fix_length(packet, at + 4, fix->from, size);
	default: /* FIX_GRE */
		return fix_gre(packet, at, size);
	}
}

/* Innermost first: what is outside then counts what is inside as it will be. */
uint32_t place_apply(const struct place *place, uint8_t *packet, uint32_t size)
{
	int i;

	for (i = place->n_fixes - 1; i >= 0 && size; i--)
		size = apply(&place->fixes[i], packet, size);
	return size;
}

const char *tunnel_name(uint32_t kind)
{
	static const char *const names[] = { NULL,
#define X(id, name, text) name,
					     TUNNELS(X)
#undef X
	};

	_Static_assert(sizeof(names) / sizeof(names[0]) == TUNNEL_MAX, "");
	return kind < TUNNEL_MAX ? names[kind] : NULL;
}
