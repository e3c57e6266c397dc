// SPDX-License-Identifier: GPL-2.0-or-later
#include "agree.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <whole.h>

#include "records.h"

#define MARK        253 /* a protocol for experiments (RFC 3692) */
#define DEADLINE_MS 5000
#define MEMORY      (256u << 20)

static int on_record(void *arg, void *data, size_t size)
{
	const struct whole_record *r = data;
	struct agree *s = arg;

	if (size < sizeof(r->len) + r->len)
		return -EBADMSG;
	if (r->data[0] >> 4 == 4 && r->data[9] == MARK) {
		s->marked = true;
		return 0;
	}
	return lab_packets_add(&s->kernel, r->data, r->len);
}

/* What would make the kernel give a datagram up in the middle of a test. */
static void set_limits(const struct lab_ns *ns)
{
	test_ok(lab_ns_sysctl(ns, "net/ipv4/ipfrag_max_dist", "0"));
	test_ok(lab_ns_sysctl(ns, "net/ipv4/ipfrag_time", "600"));
	test_ok(lab_ns_sysctl(ns, "net/ipv4/ipfrag_high_thresh", "268435456"));
	test_ok(lab_ns_sysctl(ns, "net/netfilter/nf_conntrack_frag6_timeout", "600"));
	test_ok(lab_ns_sysctl(ns, "net/netfilter/nf_conntrack_frag6_high_thresh", "268435456"));
}

struct unfrag_reasm *agree_engine(void)
{
	const struct unfrag_reasm_opts opts = {
		.sz = sizeof(opts),
		.memory = MEMORY,
		.source_share = 100,
	};
	struct unfrag_reasm *r;

	test_ok(unfrag_reasm_new(&r, &opts));
	return r;
}

void agree_setup(void **state)
{
	struct unfrag_attach_opts opts = { .sz = sizeof(opts) };
	struct agree *s;

	test_require_root();
	test_ok(records_in_order());
	s = calloc(1, sizeof(*s));
	assert_non_null(s);
	*state = s;
	s->data = malloc(LAB_PAYLOAD_MAX);
	assert_non_null(s->data);
	lab_pattern(s->data, LAB_PAYLOAD_MAX, 1);
	s->engine = agree_engine();
	test_ok(lab_router_new(&s->router));
	/* Limits of IPv6 are there when somebody has loaded its defragmenter. */
	test_ok(attached_named(&s->program, s->router->middle, "whole", &opts));
	set_limits(s->router->middle);
	test_ok(lab_link_sender(&s->sender, s->router->client, LAB_CLIENT_IF));
	s->ring = ring_buffer__new(attached_map(s->program, "wholes"), on_record, s, NULL);
	assert_non_null(s->ring);
}

void agree_teardown(void *state)
{
	struct agree *s = state;

	if (!s)
		return;
	ring_buffer__free(s->ring);
	attached_free(s->program);
	lab_sender_free(s->sender);
	lab_router_free(s->router);
	unfrag_reasm_free(s->engine);
	lab_packets_release(&s->kernel);
	lab_packets_release(&s->ours);
	free(s->data);
	free(s);
}

void agree_make(struct agree *s, int family, struct lab_datagram *dg, size_t payload_len)
{
	bool v6 = family == AF_INET6;
	uint32_t number = htonl(++s->number);

	test_ok(lab_datagram_init(dg, family, v6 ? "2001:db8::" : "198.18.0.0",
				  lab_server_addr(family)));
	assert_true(s->number < 1 << 17);
	if (v6)
		memcpy(&dg->src.s6_addr[12], &number, sizeof(number));
	else
		for (int i = 1; i < 4; i++)
			dg->src.s6_addr[i] |= (unsigned char)(s->number >> (24 - 8 * i));
	dg->identification = s->number;
	dg->protocol = IPPROTO_UDP;
	dg->ttl = WHOLE_TTL;
	dg->payload = s->data;
	dg->payload_len = payload_len;
}

uint32_t agree_number(const unsigned char *packet)
{
	const unsigned char *p = packet + (packet[0] >> 4 == 4 ? 12 : 20);

	return ((uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]) & ((1 << 17) - 1);
}

enum unfrag_reasm_outcome agree_push(struct unfrag_reasm *r, const void *packet, size_t len,
				     uint64_t scope, struct lab_packets *wholes)
{
	const struct unfrag_reasm_packet in = { packet, (uint32_t)len, scope, NULL };
	static unsigned char whole[WHOLE_MAX];
	struct unfrag_reasm_result res;
	long n;

	unfrag_reasm_push(r, &in, 0, &res);
	if (res.outcome == UNFRAG_REASM_COMPLETE || res.outcome == UNFRAG_REASM_ATOMIC) {
		n = unfrag_reasm_copy(r, &res, whole, sizeof(whole));
		assert_int_equal(n, res.len);
		test_ok(lab_packets_add(wholes, whole, (size_t)n));
	}
	return res.outcome;
}

void agree_mark(struct agree *s)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	int64_t deadline = lab_now_ms() + DEADLINE_MS;
	struct lab_datagram dg;

	test_ok(lab_datagram_init(&dg, AF_INET, LAB_CLIENT_V4, LAB_SERVER_V4));
	dg.protocol = MARK;
	dg.ttl = WHOLE_TTL;
	test_ok(lab_whole(&dg, &packets));
	s->marked = false;
	test_ok(lab_send_all(s->sender, &packets));
	test_ok(ring_buffer__consume(s->ring));
	while (!s->marked && lab_ms_left(deadline))
		ring_buffer__poll(s->ring, lab_ms_left(deadline));
	assert_true(s->marked);
	assert_int_equal(counter_read(attached_map(s->program, "lost"), 0), 0);
	s->since_mark = 0;
}

void agree_send_kernel(struct agree *s, const void *packet, size_t len)
{
	if (s->since_mark++ == AGREE_BATCH)
		agree_mark(s);
	test_ok(lab_send(s->sender, packet, len));
}

void agree_send(struct agree *s, const struct lab_packets *packets)
{
	for (size_t i = 0; i < packets->count; i++) {
		size_t len;
		const unsigned char *packet = lab_packet_at(packets, i, &len);

		agree_send_kernel(s, packet, len);
		agree_push(s->engine, packet, len, 0, &s->ours);
	}
}

void agree_same(const struct lab_packets *a, const struct lab_packets *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		size_t a_len, b_len;
		const unsigned char *one = lab_packet_at(a, i, &a_len);
		const unsigned char *other = lab_packet_at(b, i, &b_len);

		assert_int_equal(agree_number(one), agree_number(other));
		assert_int_equal(a_len, b_len);
		assert_memory_equal(one, other, a_len);
	}
	assert_int_equal(a->count, b->count);
}

void agree_check(struct agree *s, size_t want)
{
	agree_mark(s);
	agree_same(&s->kernel, &s->ours);
	assert_int_equal(s->kernel.count, want);
	lab_packets_release(&s->kernel);
	lab_packets_release(&s->ours);
}
