// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets for a random ruleset. Addresses are such that the router knows where to send them, and no
 * packet is one that a router answers or drops by itself.
 */
#include <arpa/inet.h>
#include <string.h>

#include "script_value.h"
#include "test.h"

#define HEADERS_MAX  40
#define PAYLOAD_MAX  3000
#define FRAGMENT_MIN 64

struct making {
	const struct script *r;
	struct lab_random *random;
	struct lab_datagram dg;
	unsigned char headers[HEADERS_MAX];
	unsigned char payload[PAYLOAD_MAX];
	enum shot_way way;
	bool cut;    /* into fragments */
	bool atomic; /* may have a Fragment header all the same */
};

static bool chance(const struct making *m, unsigned int percent)
{
	return script_chance(m->random, percent);
}

static uint64_t edge(const struct making *m, enum script_kind kind)
{
	return (uint64_t)script_edge(m->r, m->random, kind);
}

/* An address of the pool, one beside it, or any host, but of network 1, 2 or 3. */
static void set_address(const struct making *m, struct in6_addr *addr, unsigned int network)
{
	bool v6 = m->dg.family == AF_INET6;
	enum script_kind kind = v6 ? KIND_IP6 : KIND_IP;
	unsigned int bytes = v6 ? 16 : 4, at = v6 ? 3 : 1;
	script_value v = script_edge(m->r, m->random, kind);

	for (unsigned int i = 0; i < bytes; i++)
		addr->s6_addr[i] = (unsigned char)(v >> 8 * (bytes - 1 - i));
	/* One beside it can be of no network at all. */
	addr->s6_addr[0] = v6 ? 0xfd : 10;
	if (v6)
		addr->s6_addr[1] = addr->s6_addr[2] = 0;
	addr->s6_addr[at] = (unsigned char)network;
}

static void set_addresses(struct making *m)
{
	unsigned int from = 1 + script_below(m->random, 2), to;

	switch (m->way) {
	case SHOT_OUTPUT:
		from = 1 + script_below(m->random, 3);
		to = 1 + script_below(m->random, 2);
		break;
	case SHOT_CLIENT:
		to = chance(m, 30) ? 3 : 2;
		break;
	default:
		to = chance(m, 30) ? 3 : 1;
	}
	set_address(m, &m->dg.src, from);
	set_address(m, &m->dg.dst, to);
}

static void put16(struct making *m, size_t at, uint64_t v)
{
	m->payload[at] = (unsigned char)(v >> 8);
	m->payload[at + 1] = (unsigned char)v;
}

/* What stands at the start of the transport header; its length. */
static size_t make_transport(struct making *m, uint8_t protocol)
{
	put16(m, 0, edge(m, KIND_PORT));
	put16(m, 2, edge(m, KIND_PORT));
	switch (protocol) {
	case IPPROTO_TCP:
		m->payload[12] = (unsigned char)(5 + 3 * script_below(m->random, 2)) << 4;
		m->payload[13] = (unsigned char)edge(m, KIND_FLAGS);
		return m->payload[12] / 4;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		put16(m, 4, 8);
		return 8;
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return 12;
	case IPPROTO_ICMP:
		m->payload[0] = (unsigned char)edge(m, KIND_TYPE);
		m->payload[1] = (unsigned char)edge(m, KIND_CODE);
		return 8;
	case IPPROTO_ICMPV6:
		m->payload[0] = (unsigned char)edge(m, KIND_TYPE6);
		m->payload[1] = (unsigned char)edge(m, KIND_CODE6);
		return 8;
	default:
		return 8;
	}
}

static uint8_t pick_protocol(const struct making *m)
{
	static const uint8_t common[] = { IPPROTO_TCP,     IPPROTO_TCP,  IPPROTO_UDP,
					  IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_DCCP };

	if (chance(m, 15))
		return (uint8_t)edge(m, KIND_PROTOCOL);
	if (chance(m, 12))
		return m->dg.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	return common[script_below(m->random, sizeof(common))];
}

static bool is_header(uint8_t protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 ||
	       protocol == 60;
}

/*
 * Eight bytes each: Destination Options, Routing, AH, Fragment (offset 0, none to come), and in
 * front Hop-by-Hop. A Fragment header goes only where defragmentation, which removes it, is on
 * both sides.
 */
static void make_headers6(struct making *m, uint8_t protocol)
{
	static const uint8_t kinds[] = { 60, 43, 51, 44, 0 };
	unsigned int n = chance(m, 25) ? 1 + script_below(m->random, 3) : 0, at = 0;
	unsigned char *previous = NULL;

	m->dg.protocol = protocol;
	for (unsigned int i = 0; i < n; i++) {
		uint8_t kind = kinds[script_below(m->random, i ? 3 : 5)];
		unsigned char *h = m->headers + at;

		if (kind == 44 && !m->atomic)
			kind = 60;
		memset(h, 0, 8);
		h[2] = kind == 0 || kind == 60 ? 1 : kind == 43 ? 4 : 0;
		h[3] = kind == 0 || kind == 60 ? 4 : 0;
		if (previous)
			previous[0] = kind;
		else
			m->dg.headers_first = kind;
		previous = h;
		at += 8;
	}
	m->dg.headers = m->headers;
	m->dg.headers_len = at;
}

static void make_options4(struct making *m)
{
	m->dg.headers_len = 0;
	if (!chance(m, 15))
		return;
	/* No operation. */
	m->dg.headers_len = 4 + 4 * (size_t)script_below(m->random, 10);
	memset(m->headers, 1, sizeof(m->headers));
	m->dg.headers = m->headers;
}

/* So long that the packet has a length of the pool, cut short, or as it comes. */
static size_t pick_length(const struct making *m, size_t transport)
{
	size_t front = (m->dg.family == AF_INET ? 20 : 40) + m->dg.headers_len, want;

	if (chance(m, 40)) {
		want = edge(m, chance(m, 50) ? KIND_LENGTH : KIND_META_LENGTH);
		if (m->dg.family == AF_INET6 && chance(m, 50))
			want += 40;
		if (want >= front && want - front <= 1000)
			return want - front;
	}
	if (chance(m, 12))
		return script_below(m->random, (unsigned int)transport);
	return transport + script_below(m->random, 40);
}

static void make_datagram(struct making *m, uint32_t number)
{
	uint8_t protocol;
	size_t transport;

	memset(&m->dg, 0, sizeof(m->dg));
	memset(m->payload, 0, sizeof(m->payload));
	m->dg.family = chance(m, 50) ? AF_INET : AF_INET6;
	m->way = (enum shot_way)script_below(m->random, 3);
	set_addresses(m);
	protocol = pick_protocol(m);
	if (m->dg.family == AF_INET6 && is_header(protocol))
		protocol = IPPROTO_TCP;
	m->dg.protocol = protocol;
	if (m->dg.family == AF_INET6)
		make_headers6(m, protocol);
	else
		make_options4(m);
	transport = make_transport(m, protocol);
	m->dg.payload = m->payload;
	m->dg.payload_len = pick_length(m, transport);
	m->dg.identification = number;
	m->dg.tos = (uint8_t)(edge(m, KIND_DSCP) << 2);
	/* What a router may forward. */
	m->dg.ttl = (uint8_t)edge(m, KIND_TTL);
	if (m->dg.ttl < 2)
		m->dg.ttl = 2;
}

static void add_fragments(struct making *m, struct lab_packets *packets)
{
	size_t size = FRAGMENT_MIN + 8 * (size_t)script_below(m->random, 40), len;
	lab_auto_packets struct lab_packets pieces = { 0 };

	m->dg.payload_len = size + 1 + script_below(m->random, 1200);
	test_ok(lab_fragment(&m->dg, size, &pieces));
	test_ok(lab_packets_order(&pieces, chance(m, 50) ? LAB_IN_ORDER : LAB_RANDOM, false,
				  m->dg.identification));
	for (size_t i = 0; i < pieces.count; i++) {
		const unsigned char *piece = lab_packet_at(&pieces, i, &len);

		test_ok(lab_packets_add(packets, piece, len));
	}
}

static void write_flow(const struct lab_packets *packets, size_t first, uint32_t number)
{
	for (size_t i = first; i < packets->count; i++) {
		size_t len;
		unsigned char *packet = lab_packet_at(packets, i, &len);

		if (packet[0] >> 4 != 6)
			continue;
		packet[2] = (unsigned char)(number >> 8);
		packet[3] = (unsigned char)number;
	}
}

void script_shots(const struct script *r, struct shots *shots, size_t n, bool fragments)
{
	static struct lab_random random;
	static struct making m;

	random.state = r->seed ^ 0x9e3779b97f4a7c15u;
	m.r = r;
	m.random = &random;
	memset(shots, 0, sizeof(*shots));
	shots->shot = calloc(n, sizeof(*shots->shot));
	assert_non_null(shots->shot);
	for (shots->n = 0; shots->n < n; shots->n++) {
		struct shot *s = &shots->shot[shots->n];

		m.cut = fragments && script_chance(&random, 60);
		m.atomic = fragments && !m.cut;
		make_datagram(&m, (uint32_t)shots->n + 1);
		s->way = m.way;
		s->mark = (uint32_t)script_edge(r, &random, KIND_MARK);
		s->first = shots->packets.count;
		if (m.cut)
			add_fragments(&m, &shots->packets);
		else
			test_ok(lab_whole(&m.dg, &shots->packets));
		s->n = shots->packets.count - s->first;
		write_flow(&shots->packets, s->first, (uint32_t)shots->n + 1);
	}
}
