// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzing of the engine: an input is a script of packets and times.
 *
 * Its first byte chooses between two properties. "reference": sound fragments of four datagrams,
 * under a policy, each outcome and each byte as the slow reference has them. "books": any packets,
 * also raw bytes, into an engine that is too small for them while time goes on and back; each
 * fragment has exactly one fate, and the engine stays within its memory. In both, packets come
 * alone or in batches, and may be lent: each comes back exactly once, and its memory is gone when
 * it does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reference.h>
#include <unfrag/packet.h>
#include <unfrag/reasm.h>

#include "fuzz.h"

#define KEYS    4
#define SLOTS   1024
#define SECRET  "a secret for all"
#define RAW_MAX 300
#define BATCH   40 /* more than the engine looks ahead */

/* Reads give zero behind the end. */
struct script {
	const uint8_t *at, *end;
};

static uint8_t get8(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

static uint16_t get16(struct script *s)
{
	uint8_t high = get8(s);

	return (uint16_t)(high << 8 | get8(s));
}

struct fragment {
	int family, key, off, len;
	bool more;
	uint8_t seed; /* of its bytes */
	uint8_t protocol, ecn;
};

static size_t write_ipv4(uint8_t *p, const struct fragment *f)
{
	uint32_t total = 20 + (uint32_t)f->len, off = (uint32_t)f->off / 8;

	memset(p, 0, 20);
	p[0] = 0x45;
	p[1] = f->ecn;
	p[2] = (uint8_t)(total >> 8);
	p[3] = (uint8_t)total;
	p[5] = (uint8_t)f->key;
	p[6] = (uint8_t)(off >> 8 | (f->more ? 0x20 : 0));
	p[7] = (uint8_t)off;
	p[9] = f->protocol;
	p[12] = (uint8_t)(f->key >> 1);
	return 20;
}

static size_t write_ipv6(uint8_t *p, const struct fragment *f)
{
	uint32_t len = 8 + (uint32_t)f->len;

	memset(p, 0, 48);
	p[0] = 0x60;
	p[1] = (uint8_t)(f->ecn << 4);
	p[4] = (uint8_t)(len >> 8);
	p[5] = (uint8_t)len;
	p[6] = UNFRAG_PROTO_FRAGMENT;
	p[8] = (uint8_t)(f->key >> 1);
	p[40] = f->protocol;
	p[42] = (uint8_t)(f->off >> 8);
	p[43] = (uint8_t)(f->off | f->more);
	p[47] = (uint8_t)f->key;
	return 48;
}

/* In memory of its own, so that reading beyond it is found. */
static uint8_t *make(const struct fragment *f, size_t *len, size_t *header)
{
	uint8_t *p = calloc(1, 48 + (size_t)f->len);
	int i;

	must(p, "memory for a packet");
	*header = f->family == UNFRAG_IPV4 ? write_ipv4(p, f) : write_ipv6(p, f);
	for (i = 0; i < f->len; i++)
		p[*header + (size_t)i] = (uint8_t)((f->off + i) * 7 + f->seed);
	*len = *header + (size_t)f->len;
	return p;
}

/* ---- loans: each packet is its own owner */

struct loans {
	struct unfrag_reasm *r;
	bool borrow;
	size_t out;
};

static void take_back(struct loans *l)
{
	void *owners[4];
	size_t n, i;

	do {
		n = l->borrow ? unfrag_reasm_take_back(l->r, owners, 4) : 0;
		must(n <= l->out, "no more packets back than were lent");
		l->out -= n;
		for (i = 0; i < n; i++)
			free(owners[i]);
	} while (n == 4);
}

static void settle(struct loans *l, uint8_t *packet, const struct unfrag_reasm_result *res)
{
	bool kept = res->outcome == UNFRAG_REASM_HELD || res->outcome == UNFRAG_REASM_COMPLETE;

	if (l->borrow && kept)
		l->out++;
	else
		free(packet);
}

static void end_loans(struct loans *l)
{
	while (unfrag_reasm_flush(l->r, 3))
		;
	take_back(l);
	must(!l->out, "every packet that was lent is back");
}

/* ---- reference */

static struct reference refs[KEYS];

static struct fragment sound_fragment(struct script *s, int family)
{
	uint16_t word = get16(s);
	struct fragment f = { .family = family, .protocol = UNFRAG_PROTO_UDP };

	f.key = word & 3;
	f.seed = word >> 2 & 1;
	f.more = word >> 3 & 3;
	f.off = (word >> 5 & 63) * 8;
	f.len = (1 + (word >> 11)) * 8;
	if (!f.more)
		f.len -= get8(s) & 7;
	if (!f.off && f.len < 8)
		f.len = 8;
	if (!f.off && !f.more)
		f.more = true;
	if (f.more)
		f.len = (f.len + 7) / 8 * 8;
	return f;
}

static void check_whole(const struct unfrag_reasm *r, const struct unfrag_reasm_result *res,
			const struct reference *ref)
{
	uint8_t whole[REFERENCE_MAX + 48];
	long len = unfrag_reasm_copy(r, res, whole, sizeof(whole));

	must(len == (long)res->header + ref->end, "the length of the whole");
	must(!memcmp(whole + res->header, ref->data, (size_t)ref->end), "the bytes of the whole");
	must(res->fragments == (uint32_t)ref->fragments, "the fragments of the whole");
}

/* Fragments that wait to be pushed, alone or in a batch. */
struct queue {
	struct loans loans;
	enum unfrag_reasm_policy policy;
	size_t n, most;
	struct fragment fragments[BATCH];
	struct unfrag_reasm_packet packets[BATCH];
};

static void check(struct queue *q, size_t i, const struct unfrag_reasm_result *res)
{
	const struct fragment *f = &q->fragments[i];
	uint8_t *packet = q->packets[i].owner;
	struct reference *ref = &refs[f->key];
	enum unfrag_reason reason;
	int want = (int)reference_push(ref, f->off, packet + q->packets[i].size - f->len, f->len,
				       f->more, &reason);

	must(res->outcome == want, "the outcome");
	must(want != UNFRAG_REASM_DROPPED || res->reason == reason, "the reason");
	settle(&q->loans, packet, res);
	if (want != UNFRAG_REASM_COMPLETE)
		return;
	check_whole(q->loans.r, res, ref);
	reference_reset(ref, q->policy);
}

static void push_all(struct queue *q)
{
	struct unfrag_reasm_result res[BATCH];
	size_t done, taken = 1, i;

	for (done = 0; done < q->n; done += taken) {
		take_back(&q->loans);
		if (q->most > 1)
			taken = unfrag_reasm_push_batch(q->loans.r, q->packets + done, q->n - done,
							0, res);
		else
			unfrag_reasm_push(q->loans.r, q->packets, 0, res);
		must(taken, "a batch that goes on");
		for (i = 0; i < taken; i++)
			check(q, done + i, &res[i]);
	}
	q->n = 0;
}

static void push_sound(struct queue *q, const struct fragment *f)
{
	size_t len, header;
	uint8_t *packet = make(f, &len, &header);

	q->fragments[q->n] = *f;
	q->packets[q->n++] = (struct unfrag_reasm_packet){ packet, (uint32_t)len, 0, packet };
	if (q->n == q->most)
		push_all(q);
}

static void as_reference(struct script *s, uint8_t how)
{
	static struct queue q;
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts),
					  .policy = how % UNFRAG_REASM_POLICY_MAX,
					  .memory = 2 << 20,
					  .hash_secret = SECRET };
	int family = how & 0x40 ? UNFRAG_IPV6 : UNFRAG_IPV4, k;
	struct fragment f;

	opts.borrow = how & 0x20 && opts.policy == UNFRAG_REASM_DROP;
	q = (struct queue){ .loans.borrow = opts.borrow,
			    .policy = opts.policy,
			    .most = how & 0x10 ? BATCH : 1 };
	for (k = 0; k < KEYS; k++)
		reference_reset(&refs[k], q.policy);
	must(!unfrag_reasm_new(&q.loans.r, &opts), "a new engine");
	for (; s->at < s->end; push_sound(&q, &f))
		f = sound_fragment(s, family);
	push_all(&q);
	end_loans(&q.loans);
	unfrag_reasm_free(q.loans.r);
}

/* ---- books */

struct books {
	struct unfrag_reasm *r;
	uint64_t now, fragments, known;
	uint32_t held[SLOTS];
	uint64_t number[SLOTS];
	size_t memory;
	struct loans loans;
	size_t n, most; /* packets that wait to be pushed */
	struct unfrag_reasm_packet packets[BATCH];
};

static void note_fates(struct books *b)
{
	struct unfrag_reasm_fate fate;

	while (unfrag_reasm_next_fate(b->r, &fate)) {
		must(fate.slot < SLOTS && b->number[fate.slot] == fate.datagram,
		     "a fate of a datagram that is known");
		must(fate.fragments && b->held[fate.slot] == fate.fragments,
		     "a fate of all fragments that are held");
		must(fate.reason && fate.reason < UNFRAG_REASON_MAX, "a fate with a reason");
		b->known += fate.fragments;
		b->held[fate.slot] = 0;
	}
}

static void note_held(struct books *b, const struct unfrag_reasm_result *res)
{
	must(res->slot < SLOTS, "a slot that there is");
	if (!b->held[res->slot])
		b->number[res->slot] = res->datagram;
	must(b->number[res->slot] == res->datagram, "a slot of one datagram");
	must(res->fragments == ++b->held[res->slot], "fragments held as counted");
}

static void note_whole(struct books *b, const struct unfrag_reasm_result *res)
{
	static uint8_t whole[UNFRAG_DATAGRAM_MAX + 48];
	static struct unfrag_reasm_piece pieces[8192 + 4];
	struct unfrag_facts facts;
	long len = unfrag_reasm_copy(b->r, res, whole, sizeof(whole));
	size_t most = b->loans.borrow ? res->fragments + 4 : UNFRAG_REASM_PIECES;
	int i, n = unfrag_reasm_pieces(b->r, res, pieces, most);
	size_t at = 0;

	must(len == (long)res->len && n > 1, "a whole that can be read");
	for (i = 0; i < n; at += pieces[i++].len)
		must(!memcmp(whole + at, pieces[i].data, pieces[i].len), "pieces as the copy");
	must(at == (size_t)len, "pieces as long as the copy");
	must(unfrag_facts_read(&facts, whole, (uint32_t)len) || facts.len == (uint32_t)len,
	     "a length as the header says");
	must(b->number[res->slot] == res->datagram && res->fragments == b->held[res->slot] + 1,
	     "a whole of all that was held");
	b->known += res->fragments;
	b->held[res->slot] = 0;
}

static void note(struct books *b, const struct unfrag_reasm_result *res)
{
	static uint8_t whole[UNFRAG_DATAGRAM_MAX + 48];

	b->fragments += res->outcome >= UNFRAG_REASM_HELD;
	if (res->outcome == UNFRAG_REASM_HELD)
		note_held(b, res);
	else if (res->outcome == UNFRAG_REASM_COMPLETE)
		note_whole(b, res);
	else if (res->outcome >= UNFRAG_REASM_DUPLICATE)
		b->known++;
	else if (res->outcome == UNFRAG_REASM_ATOMIC)
		must(unfrag_reasm_copy(b->r, res, whole, sizeof(whole)) == (long)res->len,
		     "an atomic fragment that can be read");
}

/* What an earlier call has let go of is gone before the packets come. */
static size_t push_some(struct books *b, const struct unfrag_reasm_packet *packets, size_t n)
{
	struct unfrag_reasm_result res[BATCH];
	struct unfrag_reasm_stats stats;
	size_t i;

	take_back(&b->loans);
	if (b->most > 1)
		n = unfrag_reasm_push_batch(b->r, packets, n, b->now, res);
	else
		unfrag_reasm_push(b->r, packets, b->now, res);
	must(n, "a batch that goes on");
	for (i = 0; i < n; i++)
		note(b, &res[i]);
	unfrag_reasm_stats(b->r, &stats);
	must(stats.memory <= b->memory && stats.used <= stats.memory, "memory in the arena");
	must(stats.open + stats.refused <= stats.datagrams, "datagrams within their number");
	note_fates(b);
	for (i = 0; i < n; i++)
		settle(&b->loans, packets[i].owner, &res[i]);
	return n;
}

static void push_waiting(struct books *b)
{
	size_t done;

	for (done = 0; done < b->n;)
		done += push_some(b, b->packets + done, b->n - done);
	b->n = 0;
}

static void push(struct books *b, void *packet, size_t len)
{
	b->packets[b->n++] = (struct unfrag_reasm_packet){ packet, (uint32_t)len, 0, packet };
	if (b->n == b->most)
		push_waiting(b);
}

static void push_made(struct books *b, const struct fragment *f)
{
	size_t len, header;
	uint8_t *packet = make(f, &len, &header);

	push(b, packet, len);
}

/* All fragments of a datagram, one behind the other, in order or reversed. */
static void push_train(struct books *b, struct script *s)
{
	uint8_t how = get8(s);
	struct fragment f = { .family = how & 1 ? UNFRAG_IPV6 : UNFRAG_IPV4,
			      .key = get8(s),
			      .protocol = UNFRAG_PROTO_UDP,
			      .ecn = 2 };
	int n = 2 + (how >> 1 & 7), size = 8 + 8 * get8(s), i;

	for (i = 0; i < n; i++) {
		f.off = (how & 16 ? n - 1 - i : i) * size;
		f.more = f.off < (n - 1) * size;
		f.len = f.more ? size : size - (how >> 5);
		push_made(b, &f);
	}
}

static void push_raw(struct books *b, struct script *s)
{
	size_t len = (size_t)get16(s) % RAW_MAX, there = (size_t)(s->end - s->at);
	uint8_t *packet;

	len = len < there ? len : there;
	packet = malloc(len ? len : 1);
	must(packet, "memory for a packet");
	memcpy(packet, s->at, len);
	s->at += len;
	push(b, packet, len);
}

static void push_fragment(struct books *b, struct script *s, uint8_t how)
{
	static const uint8_t protocols[] = { 17, 6, 58, 60, 0, 44, 1, 51 };
	struct fragment f = { .family = how & 8 ? UNFRAG_IPV6 : UNFRAG_IPV4 };

	f.key = get8(s);
	f.more = how & 16;
	f.off = get16(s) & 0xfff8;
	f.len = get8(s) * (how & 32 ? 8 : 200);
	f.protocol = protocols[how & 7];
	f.ecn = how & 64 ? f.key & 3 : 2;
	if (f.len > 65000)
		f.len = 65000;
	push_made(b, &f);
}

static void pass_time(struct books *b, struct script *s)
{
	uint16_t step = get16(s);
	uint64_t by = (uint64_t)(step >> 1) * 10000000;

	push_waiting(b);
	b->now += step & 1 ? -by : by;
	if (step & 2)
		unfrag_reasm_expire(b->r, b->now, step & 12);
	note_fates(b);
}

static void change_batches(struct books *b)
{
	push_waiting(b);
	b->most = b->most > 1 ? 1 : BATCH;
}

static void keep_books(struct script *s, uint8_t how)
{
	static struct books books;
	struct unfrag_reasm_opts opts = {
		.sz = sizeof(opts),
		.memory = UNFRAG_REASM_MEMORY_MIN,
		.fates = true,
		.policy = how & 64 ? UNFRAG_REASM_DROP : how % UNFRAG_REASM_POLICY_MAX,
		.borrow = how & 64,
		.tiny = how & 8,
		.source_share = how & 16 ? 100 : 30,
		.datagrams = how & 32 ? 16 : 64,
		.hash_secret = SECRET,
	};

	if (opts.borrow)
		opts.memory = UNFRAG_REASM_BORROW_MIN;
	memset(&books, 0, sizeof(books));
	books.loans.borrow = opts.borrow;
	books.memory = opts.memory;
	books.most = 1;
	must(!unfrag_reasm_new(&books.r, &opts), "a new engine");
	books.loans.r = books.r;
	while (s->at < s->end) {
		how = get8(s);
		if (how < 128)
			push_fragment(&books, s, how);
		else if (how < 192)
			push_raw(&books, s);
		else if (how < 224)
			push_train(&books, s);
		else if (how == 255)
			change_batches(&books);
		else
			pass_time(&books, s);
	}
	push_waiting(&books);
	while (unfrag_reasm_flush(books.r, 3))
		note_fates(&books);
	must(books.known == books.fragments, "one fate for each fragment");
	end_loans(&books.loans);
	unfrag_reasm_free(books.r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = { data, data + size };
	uint8_t how = get8(&s);

	if (how & 0x80)
		as_reference(&s, how & 0x7f);
	else
		keep_books(&s, how);
	return 0;
}
