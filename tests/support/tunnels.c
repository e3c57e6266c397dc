// SPDX-License-Identifier: GPL-2.0-or-later
#include "tunnels.h"

#include <stdlib.h>
#include <string.h>
#include <test.h>

#define H(x) x, sizeof(x) - 1

#define MACS "\x02\0\0\0\0\x0b\x02\0\0\0\0\x0a"

const struct tunnels_kind tunnels_kinds[] = {
	{ "IP in IP", 0, 0, H(""), 0, false, 0, 0, 0 },
	{ "GRE", 47, 0, H("\0\0tt"), 2, false, 0, 0, 0 },
	{ "GRE with all fields", 47, 0, H("\xb0\0ttss\0\0\0\0\0\x07\0\0\0\x09"), 2, false, 0, 0,
	  4 },
	{ "GRE bridged", 47, 0, H("\x20\0\x65\x58\0\0\0\x05" MACS "tt"), 20, false, 0, 0, 0 },
	{ "GRE with a label", 47, 0, H("\0\0\x88\x47\0\x01\x01\x40"), 0, false, 0, 0, 0 },
	{ "GRE with PPP", 47, 0,
	  H("\x30\x81\x88\x0b"
	    "ll\0\x03\0\0\0\x01\0\0\0\x02\xff\x03tt"),
	  18, true, 4, 16, 0 },
	{ "GRE with PPP, no sequence", 47, 0, H("\x20\x01\x88\x0bll\0\x03tt"), 8, true, 4, 8, 0 },
	{ "VXLAN", 17, 4789, H("\x08\0\0\0\0\0\x2a\0" MACS "tt"), 20, false, 0, 0, 0 },
	{ "old VXLAN", 17, 8472, H("\x08\0\0\0\0\0\x2a\0" MACS "\x81\0\0\x05tt"), 24, false, 0, 0,
	  0 },
	{ "GTP-U", 17, 2152, H("\x30\xffll\0\0\x01\x02"), 0, false, 2, 8, 0 },
	{ "GTP-U with numbers", 17, 2152, H("\x32\xffll\0\0\x01\x02\0\x01\0\0"), 0, false, 2, 8,
	  0 },
	{ "GTP-U extended", 17, 2152,
	  H("\x34\xffll\0\0\x01\x02\0\0\0\xc0\x01\x08\x68\x85\x02\0\0\0\0\0\0\0"), 0, false, 2, 8,
	  0 },
};

const size_t tunnels_n_kinds = sizeof(tunnels_kinds) / sizeof(tunnels_kinds[0]);

const struct tunnels_kind *tunnels_find(const char *name)
{
	size_t i;

	for (i = 0; i < tunnels_n_kinds && strcmp(tunnels_kinds[i].name, name) != 0; i++)
		;
	assert_true(i < tunnels_n_kinds);
	return &tunnels_kinds[i];
}

static void set16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void fill_in(const struct tunnels_kind *k, uint8_t *data, size_t len, bool ipv4)
{
	uint16_t sum;

	if (k->type_at && k->ppp)
		set16(data + k->type_at, ipv4 ? 0x0021 : 0x0057);
	else if (k->type_at)
		set16(data + k->type_at, ipv4 ? 0x0800 : 0x86dd);
	if (k->count_from)
		set16(data + k->count_at, len - k->count_from);
	if (!k->sum_at)
		return;
	set16(data + k->sum_at, 0);
	sum = lab_checksum(data, len, 0);
	memcpy(data + k->sum_at, &sum, sizeof(sum));
}

void tunnels_wrap(struct lab_datagram *outer, const struct tunnels_kind *k, int family,
		  const void *packet, size_t len)
{
	bool ipv4 = *(const uint8_t *)packet >> 4 == 4;
	uint8_t *data = malloc(k->len + len);

	assert_non_null(data);
	memcpy(data, k->header, k->len);
	memcpy(data + k->len, packet, len);
	fill_in(k, data, k->len + len, ipv4);
	if (family == AF_INET)
		test_ok(lab_datagram_init(outer, AF_INET, "192.0.2.1", "192.0.2.2"));
	else
		test_ok(lab_datagram_init(outer, AF_INET6, "2001:db8:f::1", "2001:db8:f::2"));
	if (k->port) {
		test_ok(lab_datagram_set_udp(outer, 999, k->port, data, k->len + len));
		free(data);
		return;
	}
	outer->protocol = k->protocol ? k->protocol : ipv4 ? 4 : 41;
	outer->payload = outer->owned = data;
	outer->payload_len = k->len + len;
}

void tunnels_inner(struct lab_datagram *dg, int family, size_t payload)
{
	static unsigned char data[65527];
	bool ipv4 = family == AF_INET;

	lab_pattern(data, payload, 1);
	test_ok(lab_datagram_init(dg, family, ipv4 ? "10.0.0.1" : "2001:db8::1",
				  ipv4 ? "10.0.0.2" : "2001:db8::2"));
	dg->identification = 7;
	test_ok(lab_datagram_set_udp(dg, 1000, 53, data, payload));
}

void tunnels_cut(struct lab_packets *packets, int family)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };

	tunnels_inner(&dg, family, 2500);
	test_ok(lab_fragment(&dg, 1000, packets));
	assert_int_equal(packets->count, 3);
	test_ok(lab_whole(&dg, packets));
}
