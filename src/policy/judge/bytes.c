// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets by their bytes, read by the gate's own text.
 */
#include <errno.h>
#include <string.h>

#include "../../gate/read_native.h"
#include "told.h"

int told_from_bytes(struct told_packet *out, const uint8_t *packet, size_t size)
{
	/* What only a kernel knows: nothing of it. */
	static const struct gate_around nowhere;
	const struct gate_packet p = { packet, (__u32)size };
	bool is_ipv6 = size && packet[0] >> 4 == 6;
	__u32 length;

	if (size < UNFRAG_IPV4_HLEN || (is_ipv6 && size < UNFRAG_IPV6_HLEN))
		return -EINVAL;
	length = is_ipv6 ? UNFRAG_IPV6_HLEN + gate_get16(&p, 4) : gate_get16(&p, 2);
	memset(out, 0, sizeof(*out));
	out->hook = -1;
	out->family = is_ipv6;
	/* Behind the packet there may be what a link layer fills up with. */
	if (gate_read_packet(&out->values, packet, length < size ? length : (__u32)size, &nowhere))
		return -EINVAL;
	out->values.word[GATE_W_LENGTH] = length;
	return 0;
}
