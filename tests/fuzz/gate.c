// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzing of what the gate reads of a packet: an input is a packet, in memory of its own, so that
 * reading beyond it is found. Its fields must be those that a slow reader finds, which takes single
 * bits and walks as nf_tables does; and there are no others.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/gate/read_native.h"
#include "fuzz.h"

#define LENGTH_MAX (1 << 16)

/* The same for who reads it. */
static const struct gate_around around = {
	.iifname = "left",
	.iif = 7,
	.mark = 0x80000001,
	.ct_state = GATE_CT_NEW,
	.largest = 1500,
};

static void set(struct gate_values *v, enum gate_field field, uint32_t word, uint32_t value)
{
	v->present |= 1u << field;
	v->word[word] = value;
}

#define SET(v, name, value) set((v), GATE_##name, GATE_W_##name, (value))

static void set_address(struct gate_values *v, enum gate_field field, uint32_t word,
			const uint8_t *p, uint32_t at)
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		set(v, field, word + i, bits(p, 8 * at + 32 * i, 32));
}

/* Where the upper layer begins, and what it is. */
struct upper {
	uint32_t at;
	uint8_t protocol;
	bool known;    /* the protocol is */
	bool is_later; /* fragment: no header stands there */
};

static struct upper slow_ipv4(struct gate_values *v, const uint8_t *p)
{
	SET(v, IP_DSCP, bits(p, 8, 6));
	SET(v, IP_LENGTH, bits(p, 16, 16));
	SET(v, IP_TTL, bits(p, 64, 8));
	SET(v, IP_PROTOCOL, bits(p, 72, 8));
	SET(v, IP_SADDR, bits(p, 96, 32));
	SET(v, IP_DADDR, bits(p, 128, 32));
	return (struct upper){ bits(p, 4, 4) * 4, (uint8_t)bits(p, 72, 8), true,
			       bits(p, 51, 13) != 0 };
}

static bool is_followed(uint8_t type)
{
	return type == 0 || type == 43 || type == 44 || type == 60;
}

static struct upper slow_walk(const uint8_t *p, uint32_t len)
{
	struct upper u = { 40, (uint8_t)bits(p, 48, 8), true, false };
	uint32_t at, n;
	uint8_t type;

	for (n = 0; is_followed(u.protocol); n++) {
		at = u.at;
		type = u.protocol;
		if (n == UNFRAG_EXTHDR_MAX || at + 4 > len)
			return (struct upper){ 0 };
		u.protocol = (uint8_t)bits(p, 8 * at, 8);
		if (type != 44) {
			u.at += (bits(p, 8 * at + 8, 8) + 1) * 8;
			continue;
		}
		u.at += 8;
		u.is_later = bits(p, 8 * at + 16, 13) != 0;
		/* Of an AH, too, it is not known here what it stands in front of. */
		if (u.is_later)
			u.known = !is_followed(u.protocol) && u.protocol != 51;
		if (u.is_later)
			break;
	}
	return u;
}

static struct upper slow_ipv6(struct gate_values *v, const uint8_t *p, uint32_t len)
{
	SET(v, IP6_DSCP, bits(p, 4, 6));
	SET(v, IP6_LENGTH, bits(p, 32, 16));
	SET(v, IP6_NEXTHDR, bits(p, 48, 8));
	SET(v, IP6_HOPLIMIT, bits(p, 56, 8));
	set_address(v, GATE_IP6_SADDR, GATE_W_IP6_SADDR, p, 8);
	set_address(v, GATE_IP6_DADDR, GATE_W_IP6_DADDR, p, 24);
	return slow_walk(p, len);
}

static void slow_upper(struct gate_values *v, const uint8_t *p, uint32_t len, struct upper u)
{
	if (!u.known)
		return;
	SET(v, L4PROTO, u.protocol);
	if (u.is_later)
		return;
	if (u.at + 1 <= len) {
		SET(v, ICMP_TYPE, bits(p, 8 * u.at, 8));
		SET(v, ICMPV6_TYPE, bits(p, 8 * u.at, 8));
	}
	if (u.at + 2 <= len) {
		SET(v, ICMP_CODE, bits(p, 8 * u.at + 8, 8));
		SET(v, ICMPV6_CODE, bits(p, 8 * u.at + 8, 8));
		SET(v, SPORT, bits(p, 8 * u.at, 16));
	}
	if (u.at + 4 <= len)
		SET(v, DPORT, bits(p, 8 * u.at + 16, 16));
	if (u.at + 14 <= len)
		SET(v, TCP_FLAGS, bits(p, 8 * u.at + 104, 8));
}

static void slow_around(struct gate_values *v, uint32_t len, uint32_t family)
{
	SET(v, LENGTH, len);
	SET(v, NFPROTO, family);
	SET(v, IIF, 7);
	SET(v, OIF, 0);
	SET(v, MARK, 0x80000001);
	SET(v, CT_STATE, GATE_CT_NEW);
	SET(v, REASSEMBLED, 1);
	SET(v, LARGEST, 1500);
	SET(v, IIFNAME, 0x6c656674);
	SET(v, OIFNAME, 0);
}

/* False: it is no packet. */
static bool slow_read(struct gate_values *v, const uint8_t *p, uint32_t len)
{
	uint32_t version = len ? bits(p, 0, 4) : 0;

	memset(v, 0, sizeof(*v));
	if ((version != 4 || len < 20) && (version != 6 || len < 40))
		return false;
	slow_upper(v, p, len, version == 4 ? slow_ipv4(v, p) : slow_ipv6(v, p, len));
	slow_around(v, len, version == 4 ? 2 : 10);
	return true;
}

static void compare(const struct gate_values *is, const struct gate_values *want)
{
	static const struct {
		uint32_t first, last;
		const char *name;
	} fields[] = {
#define ROW(name, width, text) { GATE_W_##name, GATE_W_##name##_END, text },
		GATE_FIELDS(ROW)
#undef ROW
	};
	uint32_t i, word;

	for (i = 0; i < GATE_FIELD_MAX; i++) {
		must((is->present >> i & 1) == (want->present >> i & 1), fields[i].name);
		if (!(want->present >> i & 1))
			continue;
		for (word = fields[i].first; word <= fields[i].last; word++)
			must(is->word[word] == want->word[word], fields[i].name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct gate_values want, is;
	bool readable;

	if (!copy || size > LENGTH_MAX) {
		free(copy);
		return 0;
	}
	if (size)
		memcpy(copy, data, size);
	readable = slow_read(&want, copy, (uint32_t)size);
	must(gate_read_packet(&is, copy, (uint32_t)size, &around) == (readable ? 0 : -1),
	     "readable or not");
	if (readable)
		compare(&is, &want);
	free(copy);
	return 0;
}
