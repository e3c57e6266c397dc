// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unfrag/packet.h>

#define PIECES_MAX (8192 + 4)

/* A packet as the engine sees it: in memory of its own, so that reading it too late is found. */
struct loan {
	const struct engine *to; /* NULL: it has come back */
	unsigned char data[];
};

static struct loan *loan_new(const struct engine *e, const void *data, size_t len)
{
	struct loan *loan = malloc(sizeof(*loan) + len);

	assert_non_null(loan);
	loan->to = e;
	memcpy(loan->data, data, len);
	return loan;
}

void engine_take_back(struct engine *e)
{
	void *owners[3];
	struct loan *loan;
	size_t n, i;

	do {
		n = unfrag_reasm_take_back(e->r, owners, 3);
		assert_true(n <= e->lent);
		e->lent -= n;
		for (i = 0; i < n; i++) {
			loan = owners[i];
			assert_ptr_equal(loan->to, e);
			loan->to = NULL;
			free(loan);
		}
	} while (n == 3);
}

void engine_open_with(struct engine *e, const struct unfrag_reasm_opts *opts, bool lends)
{
	struct unfrag_reasm_opts with = { .sz = sizeof(with) };
	struct unfrag_reasm_stats stats;

	if (opts)
		with = *opts;
	with.fates = true;
	memset(e, 0, sizeof(*e));
	e->lends = lends && with.policy == UNFRAG_REASM_DROP;
	with.borrow = e->lends;
	if (e->lends && with.memory && with.memory < UNFRAG_REASM_BORROW_MIN)
		with.memory = UNFRAG_REASM_BORROW_MIN;
	test_ok(unfrag_reasm_new(&e->r, &with));
	unfrag_reasm_stats(e->r, &stats);
	e->memory = with.memory ? with.memory : UNFRAG_REASM_MEMORY;
	assert_true(stats.memory <= e->memory);
	e->slots = stats.datagrams;
	e->held = calloc(e->slots, sizeof(*e->held));
	e->number = calloc(e->slots, sizeof(*e->number));
	assert_non_null(e->held);
	assert_non_null(e->number);
	e->now = 1000 * SECOND;
}

void engine_take_fates(struct engine *e)
{
	struct unfrag_reasm_fate *fate = &e->fate;

	while (unfrag_reasm_next_fate(e->r, fate)) {
		assert_true(fate->slot < e->slots);
		assert_int_equal(fate->datagram, e->number[fate->slot]);
		assert_int_equal(fate->fragments, e->held[fate->slot]);
		assert_true(fate->reason != UNFRAG_REASON_NONE);
		e->known += fate->fragments;
		e->held[fate->slot] = 0;
		e->number[fate->slot] = 0;
		e->fates++;
	}
}

static void note_held(struct engine *e)
{
	const struct unfrag_reasm_result *res = &e->res;

	assert_true(res->slot < e->slots);
	if (!e->held[res->slot])
		e->number[res->slot] = res->datagram;
	assert_int_equal(e->number[res->slot], res->datagram);
	assert_int_equal(res->fragments, ++e->held[res->slot]);
}

static void note_whole(struct engine *e)
{
	const struct unfrag_reasm_result *res = &e->res;

	assert_int_equal(e->number[res->slot], res->datagram);
	assert_int_equal(res->fragments, e->held[res->slot] + 1);
	e->known += res->fragments;
	e->held[res->slot] = 0;
	e->number[res->slot] = 0;
}

static void note(struct engine *e)
{
	switch (e->res.outcome) {
	case UNFRAG_REASM_HELD:
		e->fragments++;
		note_held(e);
		break;
	case UNFRAG_REASM_COMPLETE:
		e->fragments++;
		note_whole(e);
		break;
	case UNFRAG_REASM_DUPLICATE:
	case UNFRAG_REASM_DROPPED:
		e->fragments++;
		e->known++;
		break;
	default:
		break;
	}
}

static void lend(struct engine *e, struct unfrag_reasm_packet *packet)
{
	struct loan *loan = loan_new(e, packet->data, packet->size);

	engine_take_back(e);
	free(e->unlent);
	e->unlent = NULL;
	packet->owner = loan;
	packet->data = loan->data;
}

int engine_push(struct engine *e, const void *data, size_t len)
{
	struct unfrag_reasm_packet packet = { data, (uint32_t)len, e->scope, NULL };
	struct unfrag_reasm_stats stats;

	if (e->lends)
		lend(e, &packet);
	unfrag_reasm_push(e->r, &packet, e->now, &e->res);
	if (e->res.outcome == UNFRAG_REASM_HELD || e->res.outcome == UNFRAG_REASM_COMPLETE)
		e->lent += e->lends;
	else
		e->unlent = packet.owner;
	note(e);
	unfrag_reasm_stats(e->r, &stats);
	assert_true(stats.used <= stats.memory && stats.open <= stats.datagrams);
	engine_take_fates(e);
	return e->res.outcome;
}

int engine_push_packet(struct engine *e, const struct lab_packets *packets, size_t i)
{
	size_t len;
	const unsigned char *data = lab_packet_at(packets, i, &len);

	return engine_push(e, data, len);
}

int engine_push_at(struct engine *e, const struct lab_datagram *dg, size_t off, size_t len,
		   bool more)
{
	lab_auto_packets struct lab_packets packets = { 0 };

	test_ok(lab_fragment_at(dg, off, len, more, &packets));
	return engine_push_packet(e, &packets, 0);
}

int engine_push_bytes(struct engine *e, int family, uint32_t id, int off, const void *bytes,
		      int len, bool more)
{
	static uint8_t payload[1024];
	struct lab_datagram dg;

	assert_true(off + len <= (int)sizeof(payload));
	make_datagram(&dg, family, sizeof(payload), id);
	memcpy(payload + off, bytes, (size_t)len);
	dg.payload = payload;
	return engine_push_at(e, &dg, (size_t)off, (size_t)len, more);
}

int engine_push_all(struct engine *e, const struct lab_packets *packets)
{
	int whole = 0;
	size_t i;

	for (i = 0; i < packets->count; i++)
		whole += engine_push_packet(e, packets, i) == UNFRAG_REASM_COMPLETE;
	return whole;
}

void engine_expire(struct engine *e)
{
	while (unfrag_reasm_expire(e->r, e->now, 100))
		engine_take_fates(e);
	engine_take_fates(e);
	engine_take_back(e);
}

void engine_assert_dropped(const struct engine *e, enum unfrag_reason reason)
{
	assert_string_equal(unfrag_reasm_outcome_name(e->res.outcome), "dropped");
	assert_string_equal(unfrag_reason_name(e->res.reason), unfrag_reason_name(reason));
}

static uint64_t sum_of_reasons(const struct unfrag_reasm_stats *stats)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		sum += stats->reasons[i];
	return sum;
}

void engine_close(struct engine *e)
{
	struct unfrag_reasm_stats stats;

	while (unfrag_reasm_flush(e->r, 7))
		engine_take_fates(e);
	engine_take_fates(e);
	engine_take_back(e);
	free(e->unlent);
	unfrag_reasm_stats(e->r, &stats);
	assert_int_equal(e->lent, 0);
	assert_int_equal(e->known, e->fragments);
	assert_int_equal(stats.open, 0);
	assert_int_equal(stats.refused, 0);
	assert_int_equal(stats.whole_fragments + sum_of_reasons(&stats) +
				 stats.outcomes[UNFRAG_REASM_DUPLICATE],
			 e->fragments);
	assert_true(unfrag_reasm_deadline(e->r) == UINT64_MAX);
	unfrag_reasm_free(e->r);
	free(e->held);
	free(e->number);
}

static void assert_pieces(const struct engine *e, const unsigned char *whole, size_t len)
{
	static struct unfrag_reasm_piece pieces[PIECES_MAX];
	size_t most = e->lends ? e->res.fragments + 4 : UNFRAG_REASM_PIECES;
	int n = test_ok(unfrag_reasm_pieces(e->r, &e->res, pieces, most)), i;
	size_t at = 0;

	for (i = 0; i < n; i++) {
		assert_true(pieces[i].len > 0 && at + pieces[i].len <= len);
		assert_memory_equal(pieces[i].data, whole + at, pieces[i].len);
		at += pieces[i].len;
	}
	assert_int_equal(at, len);
}

void engine_assert_whole(const struct engine *e, const struct lab_datagram *dg)
{
	static unsigned char whole[65536 + 256];
	lab_auto_packets struct lab_packets want = { 0 };
	const unsigned char *data;
	size_t len;
	long got;

	assert_string_equal(unfrag_reasm_outcome_name(e->res.outcome), "complete");
	test_ok(lab_whole(dg, &want));
	data = lab_packet_at(&want, 0, &len);
	got = unfrag_reasm_copy(e->r, &e->res, whole, sizeof(whole));
	assert_int_equal(got, len);
	assert_int_equal(e->res.len, len);
	assert_memory_equal(whole, data, len);
	assert_pieces(e, data, len);
	assert_int_equal(unfrag_reasm_copy(e->r, &e->res, whole, len - 1), -ENOSPC);
}

void make_datagram(struct lab_datagram *dg, int family, size_t len, uint32_t id)
{
	static unsigned char pattern[65536];
	static int made;

	if (!made)
		lab_pattern(pattern, sizeof(pattern), 1);
	made = 1;
	test_ok(lab_datagram_init(dg, family, family == AF_INET ? "192.0.2.1" : "2001:db8::1",
				  family == AF_INET ? "198.51.100.2" : "2001:db8:1::2"));
	dg->identification = id;
	dg->protocol = UNFRAG_PROTO_UDP;
	dg->payload = pattern;
	dg->payload_len = len;
}
