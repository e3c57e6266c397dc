// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is different where packets are lent: who has a packet when, and what happens until it is
 * taken back. That the engine judges in the same way is seen by its other tests, which run with
 * packets that are lent as well.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <engine.h>

#define LEAST UNFRAG_REASM_BORROW_MIN

static void lend_from(struct engine *e, size_t memory, uint32_t datagrams)
{
	struct unfrag_reasm_opts opts = {
		.sz = sizeof(opts), .memory = memory, .datagrams = datagrams, .source_share = 100
	};

	engine_open_with(e, &opts, true);
	assert_true(e->lends);
}

static void options_that_do_not_go_with_it_are_refused(void)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts), .borrow = true };
	struct unfrag_reasm *r = NULL;

	opts.memory = LEAST / 2;
	test_err(unfrag_reasm_new(&r, &opts), -EINVAL);
	opts.memory = LEAST;
	for (opts.policy = UNFRAG_REASM_FIRST; opts.policy < UNFRAG_REASM_POLICY_MAX; opts.policy++)
		test_err(unfrag_reasm_new(&r, &opts), -EINVAL);
	opts.policy = UNFRAG_REASM_DROP;
	test_ok(unfrag_reasm_new(&r, &opts));
	unfrag_reasm_free(r);
}

/* Brings fragment i of a list, which is its own owner, and does not take anything back. */
static int push_raw(struct engine *e, const struct lab_packets *packets, size_t i)
{
	size_t len;
	unsigned char *data = lab_packet_at(packets, i, &len);
	struct unfrag_reasm_packet packet = { data, (uint32_t)len, 0, data };

	unfrag_reasm_push(e->r, &packet, e->now, &e->res);
	return e->res.outcome;
}

/* For tests that keep their own account. */
static void close_raw(struct engine *e)
{
	unfrag_reasm_free(e->r);
	free(e->held);
	free(e->number);
}

/* Not one byte of the payload is copied. */
static void pieces_are_where_the_caller_has_them(void)
{
	struct unfrag_reasm_piece pieces[3 + 4];
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	unsigned char *data[3];
	struct engine e;
	size_t i, len;

	lend_from(&e, LEAST, 0);
	make_datagram(&dg, AF_INET, 2000, 1);
	test_ok(lab_fragment(&dg, 800, &packets));
	assert_int_equal(packets.count, 3);
	for (i = 0; i < 3; i++)
		data[i] = lab_packet_at(&packets, i, &len);
	push_raw(&e, &packets, 2);
	push_raw(&e, &packets, 0);
	assert_int_equal(push_raw(&e, &packets, 1), UNFRAG_REASM_COMPLETE);
	test_err(unfrag_reasm_pieces(e.r, &e.res, pieces, 6), -ENOSPC);
	assert_int_equal(unfrag_reasm_pieces(e.r, &e.res, pieces, 7), 4);
	assert_int_equal(pieces[0].len, 20);
	for (i = 0; i < 3; i++) {
		assert_ptr_equal(pieces[1 + i].data, data[i] + 20);
		assert_int_equal(pieces[1 + i].len, i < 2 ? 800 : 400);
	}
	close_raw(&e);
}

static size_t take_all(struct engine *e, void **owners, size_t most)
{
	size_t n = unfrag_reasm_take_back(e->r, owners, most);

	assert_true(n < most);
	assert_int_equal(unfrag_reasm_take_back(e->r, owners + n, 1), 0);
	return n;
}

/* How often a list has fragment i of another. */
static int times(void *const *owners, size_t n, const struct lab_packets *packets, size_t i)
{
	const void *data = lab_packet_at(packets, i, &(size_t){ 0 });
	int found = 0;

	while (n--)
		found += owners[n] == data;
	return found;
}

static void a_packet_that_is_not_held_stays_its_owners(void)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	void *owners[8];
	struct engine e;

	lend_from(&e, LEAST, 0);
	make_datagram(&dg, AF_INET, 2000, 1);
	test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
	test_ok(lab_fragment_at(&dg, 0, 800, true, &packets));
	test_ok(lab_fragment_at(&dg, 400, 800, true, &packets));
	test_ok(lab_fragment_at(&dg, 800, 800, true, &packets));
	test_ok(lab_whole(&dg, &packets));
	assert_int_equal(push_raw(&e, &packets, 0), UNFRAG_REASM_HELD);
	assert_int_equal(push_raw(&e, &packets, 4), UNFRAG_REASM_NOT_FRAGMENT);
	assert_int_equal(push_raw(&e, &packets, 1), UNFRAG_REASM_DUPLICATE);
	assert_int_equal(take_all(&e, owners, 8), 0);
	assert_int_equal(push_raw(&e, &packets, 2), UNFRAG_REASM_DROPPED); /* an overlap */
	assert_int_equal(take_all(&e, owners, 8), 1);
	assert_int_equal(times(owners, 1, &packets, 0), 1);
	assert_int_equal(push_raw(&e, &packets, 3), UNFRAG_REASM_DROPPED); /* it stays refused */
	assert_int_equal(take_all(&e, owners, 8), 0);
	close_raw(&e);
}

/* With so many options as the first fragment has, the last one makes it too long. */
static void a_last_piece_that_is_one_too_many_stays_its_owners(void)
{
	static unsigned char options[40] = { 1, 1, 1, 1 };
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	void *owners[8];
	struct engine e;

	lend_from(&e, LEAST, 0);
	make_datagram(&dg, AF_INET, 65512, 1);
	test_ok(lab_fragment_at(&dg, 32000, 33512, false, &packets));
	dg.headers = options;
	dg.headers_len = sizeof(options);
	test_ok(lab_fragment_at(&dg, 0, 32000, true, &packets));
	assert_int_equal(push_raw(&e, &packets, 0), UNFRAG_REASM_HELD);
	assert_int_equal(push_raw(&e, &packets, 1), UNFRAG_REASM_DROPPED);
	engine_assert_dropped(&e, UNFRAG_REASON_OVERSIZE);
	assert_int_equal(take_all(&e, owners, 8), 1);
	assert_int_equal(times(owners, 1, &packets, 0), 1);
	close_raw(&e);
}

static void each_comes_back_once_whatever_its_fate(void)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	void *owners[16];
	struct engine e;
	uint32_t id;
	size_t i;

	lend_from(&e, LEAST, 0);
	for (id = 1; id <= 4; id++) {
		make_datagram(&dg, AF_INET6, 2400, id);
		test_ok(lab_fragment(&dg, 800, &packets));
	}
	for (i = 0; i < 3; i++) /* whole */
		push_raw(&e, &packets, i);
	push_raw(&e, &packets, 3); /* to be flushed */
	push_raw(&e, &packets, 7); /* likewise */
	push_raw(&e, &packets, 8);
	assert_int_equal(take_all(&e, owners, 16), 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(times(owners, 3, &packets, i), 1);
	assert_int_equal(unfrag_reasm_flush(e.r, 1), 1);
	assert_int_equal(take_all(&e, owners, 16), 1);
	assert_int_equal(times(owners, 1, &packets, 3), 1);
	e.now += UNFRAG_REASM_IPV6_TIMEOUT;
	assert_int_equal(unfrag_reasm_expire(e.r, e.now, 9), 1);
	assert_int_equal(take_all(&e, owners, 16), 2);
	assert_int_equal(times(owners, 2, &packets, 7) + times(owners, 2, &packets, 8), 2);
	close_raw(&e);
}

#define ORPHANS 12000 /* more than there are cells in the least memory */

static int times_back[ORPHANS]; /* its entry is the owner of an orphan */
static struct unfrag_reasm_packet orphans[ORPHANS];

static void make_orphans(struct lab_packets *packets)
{
	struct lab_datagram dg;
	size_t i, len;

	for (i = 0; i < ORPHANS; i++) {
		make_datagram(&dg, AF_INET6, 64, (uint32_t)i);
		dg.src.s6_addr[6] = (uint8_t)(i >> 8);
		dg.src.s6_addr[7] = (uint8_t)i;
		test_ok(lab_fragment_at(&dg, 0, 64, true, packets));
	}
	for (i = 0; i < ORPHANS; i++) {
		orphans[i].data = lab_packet_at(packets, i, &len);
		orphans[i].size = (uint32_t)len;
		orphans[i].owner = &times_back[i];
		times_back[i] = 0;
	}
}

static size_t count_back(struct engine *e)
{
	size_t n = 0;
	void *owner;

	while (unfrag_reasm_next_fate(e->r, &e->fate))
		;
	for (; unfrag_reasm_take_back(e->r, &owner, 1); n++)
		++*(int *)owner;
	return n;
}

/* What is taken back makes room again. */
static void who_takes_nothing_back_has_fragments_dropped(void)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_reasm_stats stats;
	struct engine e;
	size_t i, held = 0;

	lend_from(&e, LEAST, 0);
	make_orphans(&packets);
	for (i = 0; i < ORPHANS; i++) {
		unfrag_reasm_push(e.r, &orphans[i], e.now, &e.res);
		while (unfrag_reasm_next_fate(e.r, &e.fate))
			;
		times_back[i] -= e.res.outcome == UNFRAG_REASM_HELD;
		held += e.res.outcome == UNFRAG_REASM_HELD;
	}
	engine_assert_dropped(&e, UNFRAG_REASON_MEMORY);
	assert_true(held < ORPHANS && held > 9000);
	held -= count_back(&e);
	unfrag_reasm_push(e.r, &orphans[ORPHANS - 1], e.now, &e.res);
	assert_int_equal(e.res.outcome, UNFRAG_REASM_HELD);
	times_back[ORPHANS - 1]--;
	while (unfrag_reasm_flush(e.r, 10))
		held -= count_back(&e);
	assert_int_equal(held, (size_t)-1); /* the one that came later */
	for (i = 0; i < ORPHANS; i++)
		assert_int_equal(times_back[i], 0);
	unfrag_reasm_stats(e.r, &stats);
	assert_int_equal(stats.used, 0);
	close_raw(&e);
}

/* Rather than to drop any, so that the caller can take packets back. */
static void a_batch_ends_early_when_too_many_wait(void)
{
	static struct unfrag_reasm_result res[ORPHANS];
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts), .memory = LEAST, .borrow = true };
	struct engine e = { 0 };
	size_t done, i, calls = 0;

	test_ok(unfrag_reasm_new(&e.r, &opts));
	make_orphans(&packets);
	for (done = 0; done < ORPHANS; calls++) {
		done += unfrag_reasm_push_batch(e.r, orphans + done, ORPHANS - done, SECOND,
						res + done);
		count_back(&e);
	}
	assert_true(calls > 1 && calls < 10);
	for (i = 0; i < ORPHANS; i++)
		assert_int_equal(res[i].outcome, UNFRAG_REASM_HELD);
	while (unfrag_reasm_flush(e.r, 10))
		count_back(&e);
	for (i = 0; i < ORPHANS; i++)
		assert_int_equal(times_back[i], 1);
	unfrag_reasm_free(e.r);
}

/* In the orders that fill leaves and nodes best and worst, again and again. */
static void the_most_packets_find_room_in_the_least_memory(void)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	enum lab_order order;
	struct engine e;
	uint32_t i;

	lend_from(&e, LEAST, 0);
	for (order = LAB_IN_ORDER; order < LAB_ORDER_MAX; order++)
		for (i = 0; i < 2; i++) {
			make_datagram(&dg, AF_INET6, 65535, 2 * order + i);
			packets.count = 0;
			packets.len = 0;
			test_ok(lab_fragment(&dg, 8, &packets));
			assert_int_equal(packets.count, 8192);
			test_ok(lab_packets_order(&packets, order, false, i));
			packets.count -= i == 0; /* one stays in pieces, and must make room */
			assert_int_equal(engine_push_all(&e, &packets), i);
			if (i)
				engine_assert_whole(&e, &dg);
		}
	engine_close(&e);
}

#define SMALL 10000 /* fragments of */
#define KEYS  24    /* datagrams, more than may be open */

/* None ends its datagram. Some meet others of it, so it is refused, or are duplicates. */
static void make_small(struct lab_packets *packets)
{
	struct lab_random random = { 5 };
	struct lab_datagram dg;
	size_t i, off, len;
	uint32_t id = 0;

	for (i = 0; i < SMALL; i++) {
		if (!i || !lab_random_below(&random, 6)) /* in trains */
			id = (uint32_t)lab_random_below(&random, KEYS);
		make_datagram(&dg, AF_INET6, 65528, id);
		off = 8 * (1 + lab_random_below(&random, 8000));
		test_ok(lab_fragment_at(&dg, off, lab_random_below(&random, 20) ? 8 : 16, true,
					packets));
	}
	for (i = 0; i < SMALL; i++) {
		orphans[i].data = lab_packet_at(packets, i, &len);
		orphans[i].size = (uint32_t)len;
		orphans[i].owner = &times_back[i];
		times_back[i] = 0;
	}
}

static void assert_same(const struct unfrag_reasm_result *a, const struct unfrag_reasm_result *b)
{
	assert_int_equal(a->outcome, b->outcome);
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->datagram, b->datagram);
	assert_int_equal(a->fragments, b->fragments);
}

/* A batch looks ahead, and what it saw may be gone when it is there. */
static void a_batch_in_which_datagrams_are_pushed_out_is_as_its_packets(void)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts),
					  .memory = LEAST,
					  .datagrams = 16,
					  .source_share = 100,
					  .borrow = true };
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_reasm_result res[40];
	struct engine one = { 0 }, many = { 0 };
	size_t done, i;

	opts.hash_secret = "sixteen bytes ok";
	test_ok(unfrag_reasm_new(&one.r, &opts));
	test_ok(unfrag_reasm_new(&many.r, &opts));
	make_small(&packets);
	for (done = 0; done < SMALL; done += 40) {
		assert_int_equal(unfrag_reasm_push_batch(many.r, orphans + done, 40, SECOND, res),
				 40);
		for (i = 0; i < 40; i++) {
			unfrag_reasm_push(one.r, &orphans[done + i], SECOND, &one.res);
			assert_same(&one.res, &res[i]);
			times_back[done + i] -= 2 * (res[i].outcome == UNFRAG_REASM_HELD);
		}
		count_back(&one);
		count_back(&many);
	}
	while (unfrag_reasm_flush(one.r, 10) + unfrag_reasm_flush(many.r, 10)) {
		count_back(&one);
		count_back(&many);
	}
	for (i = 0; i < SMALL; i++)
		assert_int_equal(times_back[i], 0);
	unfrag_reasm_free(one.r);
	unfrag_reasm_free(many.r);
}

static const struct test tests[] = {
	TEST(options_that_do_not_go_with_it_are_refused),
	TEST(pieces_are_where_the_caller_has_them),
	TEST(a_packet_that_is_not_held_stays_its_owners),
	TEST(a_last_piece_that_is_one_too_many_stays_its_owners),
	TEST(each_comes_back_once_whatever_its_fate),
	TEST(who_takes_nothing_back_has_fragments_dropped),
	TEST(a_batch_ends_early_when_too_many_wait),
	TEST(a_batch_in_which_datagrams_are_pushed_out_is_as_its_packets),
	TEST(the_most_packets_find_room_in_the_least_memory),
};

TEST_MAIN(tests);
