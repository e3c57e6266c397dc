// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lengths in front of IP. A reassembled packet is longer than what its link ever carried, so a
 * field may be too small for it: IEEE 802.3 lengths end at 1,500, and what is above is read as a
 * type. Such a header gives way to the Ethernet II one that says the same.
 */
#include "place.h"

#include <string.h>

#include "wire.h"

#define LENGTH_802_3_MAX 1500u
#define SNAP_BYTES       8u /* LLC, SNAP and the type */

void place_narrow(struct place *place, uint32_t kind, uint64_t value)
{
	uint64_t x = place->scope ^ (value << 8 | kind);

	x = (x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	place->scope = (x ^ x >> 29) | 1;
}

bool place_add_fix(struct place *place, enum fix_kind kind, uint32_t at)
{
	if (place->n_fixes == PLACE_FIXES)
		return false;
	place->fixes[place->n_fixes++] = (struct fix){ .at = at, .kind = (uint8_t)kind };
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

static uint32_t fix_pppoe(uint8_t *packet, uint32_t at, uint32_t size)
{
	if (size - at - 2 > UINT16_MAX)
		return 0;
	put16(packet + at, size - at - 2);
	return size;
}

/* Innermost first: what is outside then counts what is inside as it will be. */
uint32_t place_apply(const struct place *place, uint8_t *packet, uint32_t size)
{
	const struct fix *fix;
	int i;

	for (i = place->n_fixes - 1; i >= 0 && size; i--) {
		fix = &place->fixes[i];
		switch ((enum fix_kind)fix->kind) {
		case FIX_SNAP:
			size = fix_snap(packet, fix->at, size);
			break;
		case FIX_PPPOE:
			size = fix_pppoe(packet, fix->at, size);
			break;
		}
	}
	return size;
}
