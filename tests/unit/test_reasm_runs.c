// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams whose fragments come one behind the other in a batch, which the engine takes as one:
 * all must be as if they had come packet by packet, to the last count. Trains of fragments, most of
 * them sound, some spoiled in one of the ways there are, of a few keys that come again and again.
 */
#include <string.h>

#include <lab.h>
#include <test.h>
#include <unfrag/reasm.h>

#define BATCH  64
#define STEP   UINT64_C(700000000)
#define SECRET "sixteen bytes ok"

static char names[BATCH]; /* of packets: their owners */

struct side {
	struct unfrag_reasm *r;
	struct unfrag_reasm_result res[BATCH];
	unsigned char whole[BATCH][10000]; /* what is complete, copied */
	uint8_t back[BATCH];               /* how often each came back */
	bool lends;
};

static void side_open(struct side *side, struct unfrag_reasm_opts opts)
{
	opts.sz = sizeof(opts);
	opts.hash_secret = SECRET;
	memset(side, 0, sizeof(*side));
	side->lends = opts.borrow;
	test_ok(unfrag_reasm_new(&side->r, &opts));
}

static void take_back(struct side *side)
{
	void *owners[BATCH];
	size_t n = unfrag_reasm_take_back(side->r, owners, BATCH), i;

	for (i = 0; i < n; i++)
		side->back[(char *)owners[i] - names]++;
}

static void copy_whole(struct side *side, size_t i)
{
	long len;

	if (side->res[i].outcome != UNFRAG_REASM_COMPLETE)
		return;
	len = unfrag_reasm_copy(side->r, &side->res[i], side->whole[i], sizeof(side->whole[i]));
	assert_int_equal(len, side->res[i].len);
}

static void push_each(struct side *side, const struct unfrag_reasm_packet *in, size_t n,
		      uint64_t now)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unfrag_reasm_push(side->r, &in[i], now, &side->res[i]);
		copy_whole(side, i);
		if (side->lends)
			take_back(side);
	}
}

static void push_batch(struct side *side, const struct unfrag_reasm_packet *in, size_t n,
		       uint64_t now)
{
	size_t i;

	assert_int_equal(unfrag_reasm_push_batch(side->r, in, n, now, side->res), n);
	for (i = 0; i < n; i++)
		copy_whole(side, i);
	if (side->lends)
		take_back(side);
}

/* Gives up what is open, as the packets of a batch end with it. */
static void flush(struct side *side)
{
	struct unfrag_reasm_fate fate;

	while (unfrag_reasm_flush(side->r, 8))
		;
	while (unfrag_reasm_next_fate(side->r, &fate))
		;
	if (side->lends)
		take_back(side);
}

/* Of two fragments of a datagram the slot is the same. */
static void check_slots(const struct unfrag_reasm_result *res, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (res[k].datagram && res[k].datagram == res[i].datagram)
			assert_int_equal(res[k].slot, res[i].slot);
}

static void compare_results(const struct side *a, const struct side *b, size_t n)
{
	struct unfrag_reasm_result x, y;
	size_t i;

	for (i = 0; i < n; i++) {
		x = a->res[i];
		y = b->res[i];
		check_slots(b->res, i);
		x.slot = y.slot = 0; /* what is complete has its slot until the next call */
		assert_memory_equal(&x, &y, sizeof(x));
		if (x.outcome == UNFRAG_REASM_COMPLETE)
			assert_memory_equal(a->whole[i], b->whole[i], x.len);
	}
}

static void compare_stats(const struct side *a, const struct side *b)
{
	struct unfrag_reasm_stats x, y;

	unfrag_reasm_stats(a->r, &x);
	unfrag_reasm_stats(b->r, &y);
	assert_int_equal(x.used, y.used);
	assert_memory_equal(&x, &y, sizeof(x));
}

/* ---- trains */

struct train {
	int family, fragments, size;
	int spoil; /* below SPOILS: one of them */
	enum lab_order order;
	uint32_t id;
	uint8_t protocol;
};

enum {
	LOSE_ONE,
	DOUBLE_ONE,
	CONGEST_ONE, /* RFC 3168: its bits are 3, not 2 */
	CONFUSE_ONE, /* they are 0 */
	SHIFT_ONE,   /* an overlap or a hole */
	END_TWICE,
	LENGTHEN_HEADER,
	NEIGHBOR_DISCOVERY,
	SPOILS,
};

static void choose(struct train *train, struct lab_random *random)
{
	static const enum lab_order orders[] = { LAB_IN_ORDER, LAB_IN_ORDER, LAB_REVERSED,
						 LAB_RANDOM };
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_UDP, IPPROTO_TCP,
					     IPPROTO_ICMPV6 };

	train->family = lab_random_below(random, 2) ? AF_INET : AF_INET6;
	train->fragments = 1 + (int)lab_random_below(random, 8);
	train->size = 8 *
		      (1 + (int)lab_random_below(random, lab_random_below(random, 2) ? 4 : 150));
	train->spoil = (int)lab_random_below(random, 3 * SPOILS);
	train->order = orders[lab_random_below(random, 4)];
	train->id = (uint32_t)lab_random_below(random, 3);
	train->protocol = protocols[lab_random_below(random, 4)];
}

static void cut(const struct train *train, struct lab_packets *out)
{
	static unsigned char payload[8 * 8 * 150],
		options[48] = { [0] = 0, [1] = 2, [24] = 0, [25] = 2 };
	bool v4 = train->family == AF_INET;
	struct lab_datagram dg;

	lab_pattern(payload, sizeof(payload), train->id);
	if (train->spoil == NEIGHBOR_DISCOVERY)
		payload[0] = 135;
	test_ok(lab_datagram_init(&dg, train->family, v4 ? "192.0.2.1" : "2001:db8::1",
				  v4 ? "192.0.2.2" : "2001:db8::2"));
	dg.identification = train->id;
	dg.protocol = train->protocol;
	dg.tos = 2;
	dg.df = train->size == 8;
	dg.payload = payload;
	dg.payload_len = (size_t)(train->fragments * train->size) - (size_t)train->id;
	if (train->spoil == LENGTHEN_HEADER) {
		dg.headers = options;
		dg.headers_len = v4 ? 24 : 48;
		dg.headers_first = v4 ? 0 : IPPROTO_DSTOPTS;
	}
	test_ok(lab_fragment(&dg, (size_t)train->size, out));
	test_ok(lab_packets_order(out, train->order, false, train->id));
}

/* The field of flags and offset; that of ECN. */
static void shift(unsigned char *packet, bool v4, int spoil)
{
	if (spoil == SHIFT_ONE)
		packet[v4 ? 7 : 43] ^= 8; /* more-fragments stays as it is */
	else if (spoil == END_TWICE)
		packet[v4 ? 6 : 43] &= v4 ? 0xdf : 0xfe;
	else if (spoil == CONGEST_ONE)
		packet[1] |= v4 ? 3 : 0x30;
	else if (spoil == CONFUSE_ONE)
		packet[1] &= v4 ? 0xfc : 0xcf;
}

static void add_train(struct lab_packets *out, struct lab_random *random)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct train train;
	unsigned char *data;
	size_t i, chosen, len;

	choose(&train, random);
	cut(&train, &packets);
	chosen = lab_random_below(random, packets.count);
	for (i = 0; i < packets.count && out->count < BATCH; i++) {
		data = lab_packet_at(&packets, i, &len);
		if (i == chosen && packets.count > 1)
			shift(data, train.family == AF_INET, train.spoil);
		if (i == chosen && train.spoil == LOSE_ONE)
			continue;
		test_ok(lab_packets_add(out, data, len));
		if (i == chosen && train.spoil == DOUBLE_ONE && out->count < BATCH)
			test_ok(lab_packets_add(out, data, len));
	}
}

static void name_all(const struct lab_packets *packets, struct unfrag_reasm_packet *in)
{
	size_t i, len;

	for (i = 0; i < packets->count; i++) {
		in[i].data = lab_packet_at(packets, i, &len);
		in[i].size = (uint32_t)len;
		in[i].scope = 0;
		in[i].owner = &names[i];
	}
}

static void make_batch(struct lab_packets *packets, struct unfrag_reasm_packet *in,
		       struct lab_random *random)
{
	size_t i;

	packets->count = 0;
	packets->len = 0;
	while (packets->count < BATCH)
		add_train(packets, random);
	name_all(packets, in);
	for (i = 0; i < BATCH; i++)
		in[i].scope = lab_random_below(random, 20) == 0;
}

static void check_back(const struct side *side)
{
	size_t i;

	for (i = 0; side->lends && i < BATCH; i++)
		assert_int_equal(side->back[i],
				 side->res[i].outcome == UNFRAG_REASM_HELD ||
					 side->res[i].outcome == UNFRAG_REASM_COMPLETE);
}

static void compare(bool lends, enum unfrag_reasm_policy policy, uint64_t seed, int rounds)
{
	struct unfrag_reasm_opts opts = { .policy = policy, .fates = true, .borrow = lends };
	static struct side one, many;
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_reasm_packet in[BATCH];
	struct lab_random random = { seed };
	int round;

	side_open(&one, opts);
	side_open(&many, opts);
	for (round = 1; round <= rounds; round++) {
		make_batch(&packets, in, &random);
		memset(one.back, 0, sizeof(one.back));
		memset(many.back, 0, sizeof(many.back));
		push_each(&one, in, BATCH, (uint64_t)round * STEP);
		push_batch(&many, in, BATCH, (uint64_t)round * STEP);
		compare_results(&one, &many, BATCH);
		if (lends || round % 5 == 0) {
			flush(&one);
			flush(&many);
			compare_stats(&one, &many);
			check_back(&one);
			check_back(&many);
		}
	}
	unfrag_reasm_free(one.r);
	unfrag_reasm_free(many.r);
}

static void copied_trains_are_as_their_packets(void)
{
	int policy;

	for (policy = 0; policy < UNFRAG_REASM_POLICY_MAX; policy++)
		compare(false, policy, (uint64_t)policy + 1, 150);
}

static void lent_trains_are_as_their_packets(void)
{
	compare(true, UNFRAG_REASM_DROP, 1, 1000);
}

static void push_orphan(struct side *side, size_t size, uint32_t id, uint8_t source)
{
	static unsigned char packet[9000] = { 0x45 };
	struct unfrag_reasm_packet in = { packet, (uint32_t)size + 20, 0, &names[0] };

	packet[2] = (uint8_t)(in.size >> 8);
	packet[3] = (uint8_t)in.size;
	packet[4] = (uint8_t)(id >> 8);
	packet[5] = (uint8_t)id;
	packet[6] = 0x21; /* somewhere in the middle */
	packet[9] = IPPROTO_UDP;
	memcpy(packet + 12, (unsigned char[]){ 192, 0, 2, source }, 4);
	push_each(side, &in, 1, STEP);
}

/* Orphans of so many bytes, until no more than some of them can be there; then a whole datagram. */
static void compare_when_full(struct unfrag_reasm_opts opts, size_t size, uint32_t orphans,
			      uint8_t source)
{
	static struct side one, many;
	lab_auto_packets struct lab_packets packets = { 0 };
	struct train train = { AF_INET, 4, 1480, SPOILS, LAB_IN_ORDER, 1, IPPROTO_UDP };
	struct unfrag_reasm_packet in[BATCH];
	struct unfrag_reasm_stats stats;
	size_t i;

	side_open(&one, opts);
	side_open(&many, opts);
	cut(&train, &packets);
	name_all(&packets, in);
	for (i = 0; i < orphans; i++) {
		push_orphan(&one, size, 100 + (uint32_t)i, source);
		push_orphan(&many, size, 100 + (uint32_t)i, source);
	}
	unfrag_reasm_stats(one.r, &stats);
	assert_true(stats.given_up[UNFRAG_REASON_EVICTED] || stats.given_up[UNFRAG_REASON_SHARE]);
	push_each(&one, in, packets.count, STEP);
	push_batch(&many, in, packets.count, STEP);
	compare_results(&one, &many, packets.count);
	compare_stats(&one, &many);
	unfrag_reasm_free(one.r);
	unfrag_reasm_free(many.r);
}

static void without_free_room_trains_are_as_their_packets(void)
{
	struct unfrag_reasm_opts few = { .datagrams = 16, .source_share = 100 };
	struct unfrag_reasm_opts small = { .memory = UNFRAG_REASM_MEMORY_MIN, .source_share = 100 };
	struct unfrag_reasm_opts share = { .datagrams = 16 };

	compare_when_full(few, 8, 40, 9);
	compare_when_full(small, 8000, 400, 9);
	compare_when_full(share, 8, 40, 1);
	few.borrow = share.borrow = true;
	compare_when_full(few, 8, 40, 9);
	compare_when_full(share, 8, 40, 1);
}

static const struct test tests[] = {
	TEST(without_free_room_trains_are_as_their_packets),
	TEST(copied_trains_are_as_their_packets),
	TEST(lent_trains_are_as_their_packets),
};

TEST_MAIN(tests);
