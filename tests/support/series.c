// SPDX-License-Identifier: GPL-2.0-or-later
#include "series.h"

#include <string.h>

#include "records.h"

#define CLIENT_PORT 40000 /* and up */
#define MARK_PORT   60000
#define DEADLINE_MS 5000

void series_setup(void **state)
{
	struct series *s;

	test_require_root();
	test_ok(records_in_order());
	s = calloc(1, sizeof(*s));
	assert_non_null(s);
	*state = s;
	s->sink = -1;
	s->data = malloc(LAB_PAYLOAD_MAX);
	assert_non_null(s->data);
	lab_pattern(s->data, LAB_PAYLOAD_MAX, 1);
	test_ok(lab_router_new(&s->router));
}

void series_teardown(void *state)
{
	struct series *s = state;

	if (!s)
		return;
	attached_free(s->program);
	lab_sender_free(s->sender);
	lab_closep(&s->sink);
	lab_router_free(s->router);
	free(s->data);
	free(s);
}

static struct lab_ns *place_of(const struct series *s)
{
	switch (s->hook) {
	case UNFRAG_HOOK_INPUT:
		return s->router->server;
	case UNFRAG_HOOK_OUTPUT:
		return s->router->client;
	default:
		return s->router->middle;
	}
}

void series_begin(struct series *s, enum unfrag_hook hook, int family)
{
	struct unfrag_attach_opts opts = { .sz = sizeof(opts), .hooks = 1u << hook };

	s->hook = hook;
	s->family = family;
	s->sink = test_ok(lab_udp_server(s->router->server, family, NULL, SERIES_PORT));
	test_ok(attached_named(&s->program, place_of(s), "bytes", &opts));
	if (hook == UNFRAG_HOOK_OUTPUT)
		test_ok(lab_raw_sender(&s->sender, s->router->client, family));
	else
		test_ok(lab_link_sender(&s->sender, s->router->client, LAB_CLIENT_IF));
}

static void init(const struct series *s, struct lab_datagram *dg, uint32_t id)
{
	test_ok(lab_datagram_init(dg, s->family, lab_client_addr(s->family),
				  lab_server_addr(s->family)));
	dg->identification = id;
}

void series_make(struct series *s, struct lab_datagram *dg, size_t len)
{
	uint32_t id = ++s->id;

	init(s, dg, id);
	test_ok(lab_datagram_set_udp(dg, (uint16_t)(CLIENT_PORT + id % 10000), SERIES_PORT,
				     s->data + (LAB_PAYLOAD_MAX - len) * (id % 97) / 97, len));
}

uint64_t series_sum(const unsigned char *payload, size_t len)
{
	__u64 block[BYTES_BLOCK / 8], sum = 0;

	for (size_t at = 0; at < len; at += BYTES_BLOCK) {
		size_t left = len - at;

		memset(block, 0, sizeof(block));
		memcpy(block, payload + at, left < BYTES_BLOCK ? left : BYTES_BLOCK);
		sum = bytes_sum(sum, block);
	}
	return sum;
}

static uint32_t longest(const struct lab_packets *packets)
{
	size_t max = 0;

	for (size_t i = 0; i < packets->count; i++)
		if (packets->items[i].len > max)
			max = packets->items[i].len;
	return (uint32_t)max;
}

static void expect(struct series *s, const struct lab_datagram *dg,
		   const struct lab_packets *packets)
{
	const unsigned char *udp = dg->payload;

	assert_true(s->n_expected < SERIES_BATCH);
	s->expected[s->n_expected++] = (struct series_expected){
		.id = dg->identification,
		.l4_len = (uint32_t)dg->payload_len,
		.sum = series_sum(udp, dg->payload_len),
		.sport = (uint16_t)(udp[0] << 8 | udp[1]),
		.frag_max_size = packets->count > 1 ? longest(packets) : 0,
	};
}

static void check_facts(const struct series *s, const struct unfrag_facts *facts,
			const struct series_expected *e)
{
	const uint32_t header = s->family == AF_INET6 ? UNFRAG_IPV6_HLEN : UNFRAG_IPV4_HLEN;
	const struct unfrag_facts want = {
		.family = s->family == AF_INET6 ? UNFRAG_IPV6 : UNFRAG_IPV4,
		.len = header + e->l4_len,
		.id = s->family == AF_INET6 ? 0 : e->id,
		.payload_off = header,
		.l4_off = header,
		.proto = UNFRAG_PROTO_UDP,
		.has_l4 = 1,
	};

	assert_int_equal(facts->len, want.len);
	assert_memory_equal(facts, &want, sizeof(want));
}

static void check_record(const struct series *s, const struct bytes_record *r,
			 const struct series_expected *e)
{
	test_ok(r->init_rc);
	check_facts(s, &r->facts, e);
	assert_int_equal(r->frag_max_size, e->frag_max_size);
	test_ok(r->ports_rc);
	assert_int_equal(r->sport, e->sport);
	assert_int_equal(r->dport, SERIES_PORT);
	assert_int_equal(r->summed, e->l4_len);
	assert_true(r->sum == e->sum);
	assert_int_equal(r->hook, s->hook);
	assert_int_equal(r->pf, s->family == AF_INET6 ? UNFRAG_IPV6 : UNFRAG_IPV4);
}

void series_take(const struct series *s, struct bytes_record *r)
{
	test_ok(record_next(attached_map(s->program, "records"), r, DEADLINE_MS));
}

void series_mark(struct series *s)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct bytes_record r;

	init(s, &dg, 0xffff);
	test_ok(lab_datagram_set_udp(&dg, MARK_PORT, SERIES_PORT, "mark", 4));
	test_ok(lab_whole(&dg, &packets));
	test_ok(lab_send_all(s->sender, &packets));
	for (size_t i = 0; i < s->n_expected; i++) {
		series_take(s, &r);
		check_record(s, &r, &s->expected[i]);
	}
	series_take(s, &r);
	assert_int_equal(r.sport, MARK_PORT);
	assert_int_equal(counter_read(attached_map(s->program, "lost"), 0), 0);
	s->n_expected = s->since_mark = 0;
}

void series_send(struct series *s, const struct lab_packets *packets)
{
	for (size_t i = 0; i < packets->count; i++) {
		size_t len;
		const unsigned char *packet = lab_packet_at(packets, i, &len);

		if (s->since_mark == SERIES_BATCH)
			series_mark(s);
		test_ok(lab_send(s->sender, packet, len));
		s->since_mark++;
	}
}

void series_send_datagram(struct series *s, const struct lab_datagram *dg, size_t fragment,
			  enum lab_order order, bool duplicates)
{
	lab_auto_packets struct lab_packets packets = { 0 };

	test_ok(lab_fragment(dg, fragment, &packets));
	test_ok(lab_packets_order(&packets, order, duplicates, dg->identification));
	series_send(s, &packets);
	expect(s, dg, &packets);
}
