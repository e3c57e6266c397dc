// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate's decision natively, on rules made by hand: tables and trees at their edges, checks of
 * each kind, limits over time, and the ways through chains.
 */
#include <gated.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>

#define SECOND UINT64_C(1000000000)

struct fixture {
	struct rules *rules;
	struct gated gated;
};

static void setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->rules = rules_new();
	*state = f;
}

/* Other rules, in place of those that there were. */
static struct rules *begin(struct fixture *f)
{
	if (f->gated.native)
		gated_close(&f->gated);
	else
		rules_free(f->rules);
	f->rules = rules_new();
	return f->rules;
}

static void teardown(void *state)
{
	struct fixture *f = state;

	if (f->gated.native)
		gated_close(&f->gated);
	else
		rules_free(f->rules);
	free(f);
}

/* One base chain of all entries. */
static void open_chain(struct fixture *f, uint32_t policy)
{
	uint32_t chain = rules_chain(f->rules, 0, f->rules->n_entries, policy);

	rules_place(f->rules, chain, 1);
	rules_finish(f->rules);
	gated_open(&f->gated, f->rules, false);
}

static struct gate_values with(uint32_t field, rules_value v)
{
	struct gate_values values = { .present = 1u << field };

	rules_split(&values.word[rules_word(field)], v, field);
	return values;
}

static uint32_t judge(struct fixture *f, uint32_t field, rules_value v)
{
	struct gate_values values = with(field, v);

	return gated_judge(&f->gated, &values);
}

static uint32_t judge_nothing(struct fixture *f)
{
	struct gate_values values = { 0 };

	return gated_judge(&f->gated, &values);
}

static void each_field_is_met_at_the_edges_of_a_span(void *state)
{
	struct fixture *f = state;
	rules_value max;
	uint32_t field;

	for (field = 0; field < GATE_FIELD_MAX; field++) {
		max = rules_max(field);
		begin(f);
		rules_span(f->rules, rules_entry(f->rules, GATE_ACCEPT, 0), field, 0, 0);
		rules_span(f->rules, rules_entry(f->rules, GATE_ACCEPT, 0), field, 5, 9);
		rules_span(f->rules, rules_entry(f->rules, GATE_ACCEPT, 0), field, max, max);
		open_chain(f, GATE_DROP);
		assert_int_equal(judge(f, field, 0), GATE_ACCEPT);
		assert_int_equal(judge(f, field, 1), GATE_DROP);
		assert_int_equal(judge(f, field, 4), GATE_DROP);
		assert_int_equal(judge(f, field, 5), GATE_ACCEPT);
		assert_int_equal(judge(f, field, 9), GATE_ACCEPT);
		assert_int_equal(judge(f, field, 10), GATE_DROP);
		assert_int_equal(judge(f, field, max - 1), GATE_DROP);
		assert_int_equal(judge(f, field, max), GATE_ACCEPT);
		assert_int_equal(judge_nothing(f), GATE_DROP);
	}
}

/* Every second position of a set of n is in it, and the last one is of all ones. */
static void check_set(struct fixture *f, uint32_t field, uint32_t n)
{
	struct rules_position *p = calloc(n, sizeof(*p));
	uint32_t set, i;

	assert_non_null(p);
	begin(f);
	for (i = 0; i < n; i++)
		p[i] = (struct rules_position){ (rules_value)i * 10, i & 1 };
	if (n > 1)
		p[n - 1].at = rules_max(field);
	set = rules_set(f->rules);
	rules_fill_tree(f->rules, set, p, n, rules_bits(field), false);
	rules_entry(f->rules, GATE_ACCEPT, 0);
	rules_check_set(f->rules, set, &field, 1);
	open_chain(f, GATE_DROP);
	for (i = 0; i < n; i++)
		assert_int_equal(judge(f, field, p[i].at), i & 1 ? GATE_ACCEPT : GATE_DROP);
	for (i = 1; i < n; i++)
		assert_int_equal(judge(f, field, p[i].at - 1), i & 1 ? GATE_DROP : GATE_ACCEPT);
	assert_int_equal(judge(f, field, rules_max(field)), n & 1 ? GATE_DROP : GATE_ACCEPT);
	free(p);
}

static void trees_of_all_sizes_find_the_last_start_not_above(void *state)
{
	static const uint32_t sizes[] = { 1,  2,  3,  4,   5,   15,  16,   17,
					  63, 64, 65, 255, 256, 257, 4096, 4097 };
	uint32_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_set(state, GATE_IP_SADDR, sizes[i]);
		check_set(state, GATE_IP6_DADDR, sizes[i]);
		check_set(state, GATE_IIFNAME, sizes[i]);
	}
	check_set(state, GATE_SPORT, 300);
}

static void no_check_holds_on_a_field_that_is_absent(void *state)
{
	struct fixture *f = state;
	struct gate_check *c;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		rules_entry(f->rules, GATE_ACCEPT, 0);
		c = rules_check_mask(f->rules, GATE_MARK, 0xff, 7);
		c->negate = (uint8_t)i;
	}
	open_chain(f, GATE_DROP);
	assert_int_equal(judge_nothing(f), GATE_DROP);
	assert_int_equal(judge(f, GATE_MARK, 7), GATE_ACCEPT);
	assert_int_equal(judge(f, GATE_MARK, 8), GATE_ACCEPT);
	assert_int_equal(judge(f, GATE_LENGTH, 7), GATE_DROP);
}

static void a_mask_looks_at_all_words_of_a_field(void *state)
{
	const rules_value mask = (rules_value)0xff << 120 | (rules_value)0xf0 << 64 | 1;
	const rules_value want = (rules_value)0xfe << 120 | (rules_value)0x50 << 64 | 1;
	struct fixture *f = state;

	rules_entry(f->rules, GATE_ACCEPT, 0);
	rules_check_mask(f->rules, GATE_IP6_SADDR, mask, want);
	open_chain(f, GATE_DROP);
	assert_int_equal(judge(f, GATE_IP6_SADDR, want), GATE_ACCEPT);
	assert_int_equal(judge(f, GATE_IP6_SADDR, want | ~mask), GATE_ACCEPT);
	assert_int_equal(judge(f, GATE_IP6_SADDR, want ^ 1), GATE_DROP);
	assert_int_equal(judge(f, GATE_IP6_SADDR, want ^ (rules_value)1 << 68), GATE_DROP);
	assert_int_equal(judge(f, GATE_IP6_SADDR, want ^ (rules_value)1 << 120), GATE_DROP);
}

static void all_of_many_checks_must_hold(void *state)
{
	struct fixture *f = state;
	uint32_t bit;

	rules_entry(f->rules, GATE_ACCEPT, 0);
	for (bit = 0; bit < 19; bit++)
		rules_check_mask(f->rules, GATE_MARK, 1u << bit, 1u << bit);
	rules_entry(f->rules, GATE_NEXT, 0);
	open_chain(f, GATE_DROP);
	assert_int_equal(judge(f, GATE_MARK, 0x7ffff), GATE_ACCEPT);
	for (bit = 0; bit < 19; bit++)
		assert_int_equal(judge(f, GATE_MARK, 0x7ffff & ~(1u << bit)), GATE_DROP);
}

static void put_tuple(struct rules *r, uint32_t set, uint32_t mark, uint64_t key,
		      union gate_tuple_value value)
{
	struct rules_tuple *t = &r->tuples[r->n_tuples++];

	*t = (struct rules_tuple){ { .set = set, .mark = mark }, value };
	t->key.word[0] = (uint32_t)(key >> 32);
	t->key.word[1] = (uint32_t)key;
}

static uint32_t judge_pair(struct fixture *f, uint32_t saddr, uint32_t dport)
{
	struct gate_values v = with(GATE_IP_SADDR, saddr);

	v.present |= 1u << GATE_DPORT;
	v.word[GATE_W_DPORT] = dport;
	return gated_judge(&f->gated, &v);
}

/* 10.0.0.1 . 80 under the first shape, 10.1/16 . any port under the second. */
static void a_concatenation_is_found_under_each_shape(void *state)
{
	static const uint32_t fields[] = { GATE_IP_SADDR, GATE_DPORT };
	const union gate_tuple_value there = { .verdict = GATE_VERDICT_CONTINUE };
	struct fixture *f = state;
	struct rules *r = f->rules;
	uint32_t set = rules_set(r);

	put_tuple(r, set, GATE_SHAPE, 0, (union gate_tuple_value){ .bits = { 32, 32 } });
	put_tuple(r, set, GATE_SHAPE + 1, 0,
		  (union gate_tuple_value){ .bits = { 16, 0, [GATE_TUPLE_FIELDS] = 1 } });
	put_tuple(r, set, 0, 0x0a00000100000050, there);
	put_tuple(r, set, 1, 0x0a01000000000000, there);
	rules_entry(r, GATE_ACCEPT, 0);
	rules_check_set(r, set, fields, 2);
	open_chain(f, GATE_DROP);
	assert_int_equal(judge_pair(f, 0x0a000001, 80), GATE_ACCEPT);
	assert_int_equal(judge_pair(f, 0x0a000001, 81), GATE_DROP);
	assert_int_equal(judge_pair(f, 0x0a01ffff, 65535), GATE_ACCEPT);
	assert_int_equal(judge_pair(f, 0x0a020000, 80), GATE_DROP);
	assert_int_equal(judge(f, GATE_IP_SADDR, 0x0a000001), GATE_DROP);
}

static void a_map_gives_verdicts_and_nothing_found_goes_on(void *state)
{
	static const uint32_t field = GATE_DPORT;
	const struct rules_position p[] = {
		{ 0, 0 },
		{ 1, GATE_VERDICT(GATE_ACCEPT, 0) },
		{ 2, GATE_VERDICT_CONTINUE },
		{ 3, GATE_VERDICT(GATE_JUMP, 0) },
		{ 4, GATE_VERDICT(GATE_GOTO, 0) },
		{ 5, 0 },
	};
	struct fixture *f = state;
	struct rules *r = f->rules;
	uint32_t set = rules_set(r), i;

	/* The called chain counts; of the base chain each rule counts what comes by. */
	rules_entry(r, GATE_NEXT, 0);
	rules_entry(r, GATE_VMAP, 0);
	rules_fill_tree(r, set, p, 6, 16, true);
	rules_check_set(r, set, &field, 1);
	r->entries[1].checks = 0;
	rules_entry(r, GATE_NEXT, 0);
	rules_entry(r, GATE_NEXT, 0);
	r->entries[1].next = 3;
	for (i = 0; i < 4; i++)
		r->entries[i].counter = i + 1;
	rules_chain(r, 0, 1, 0);
	rules_chain(r, 1, 4, GATE_DROP);
	rules_place(r, 1, 1);
	rules_finish(r);
	gated_open(&f->gated, r, false);
	assert_int_equal(judge(f, GATE_DPORT, 1), GATE_ACCEPT);
	assert_int_equal(f->gated.counters[2].packets + f->gated.counters[3].packets, 0);
	assert_int_equal(judge(f, GATE_DPORT, 2), GATE_DROP);
	assert_int_equal(f->gated.counters[2].packets, 1);
	assert_int_equal(f->gated.counters[3].packets, 1);
	assert_int_equal(judge(f, GATE_DPORT, 3), GATE_DROP);
	assert_int_equal(f->gated.counters[0].packets, 1);
	assert_int_equal(f->gated.counters[3].packets, 2);
	assert_int_equal(judge(f, GATE_DPORT, 4), GATE_DROP);
	assert_int_equal(f->gated.counters[0].packets, 2);
	assert_int_equal(f->gated.counters[3].packets, 2);
	assert_int_equal(judge(f, GATE_DPORT, 5), GATE_DROP);
	assert_int_equal(f->gated.counters[2].packets, 1);
	assert_int_equal(f->gated.counters[3].packets, 3);
}

/* `depth` chains that call each other; the last one accepts. */
static void open_calls(struct fixture *f, uint32_t depth)
{
	struct rules *r = begin(f);
	uint32_t i;

	for (i = 0; i < depth; i++) {
		rules_entry(r, GATE_JUMP, i + 1);
		rules_chain(r, i, i + 1, GATE_DROP);
	}
	rules_entry(r, GATE_ACCEPT, 0);
	rules_chain(r, depth, depth + 1, 0);
	rules_place(r, 0, 1);
	rules_finish(r);
	gated_open(&f->gated, r, false);
}

static void sixteen_chains_may_be_called_and_no_more(void *state)
{
	struct fixture *f = state;

	open_calls(f, GATE_JUMPS_MAX);
	assert_int_equal(judge_nothing(f), GATE_ACCEPT);
	open_calls(f, GATE_JUMPS_MAX + 1);
	assert_int_equal(judge_nothing(f), GATE_DROP);
}

static void accept_ends_one_base_chain_and_drop_all(void *state)
{
	struct fixture *f = state;
	struct rules *r = f->rules;
	uint32_t i;

	rules_span(r, rules_entry(r, GATE_ACCEPT, 0), GATE_MARK, 1, 1);
	rules_span(r, rules_entry(r, GATE_DROP, 0), GATE_MARK, 2, 2);
	rules_span(r, rules_entry(r, GATE_RETURN, 0), GATE_MARK, 4, 4);
	rules_span(r, rules_entry(r, GATE_DROP, 0), GATE_MARK, 1, 1);
	for (i = 0; i < 4; i++)
		r->entries[i].counter = i + 1;
	rules_chain(r, 0, 3, GATE_ACCEPT);
	rules_chain(r, 3, 4, GATE_ACCEPT);
	rules_place(r, 0, 2);
	rules_finish(r);
	gated_open(&f->gated, r, false);
	assert_int_equal(judge(f, GATE_MARK, 1), GATE_DROP);
	assert_int_equal(f->gated.counters[3].packets, 1);
	assert_int_equal(judge(f, GATE_MARK, 2), GATE_DROP);
	assert_int_equal(judge(f, GATE_MARK, 3), GATE_ACCEPT);
	assert_int_equal(judge(f, GATE_MARK, 4), GATE_ACCEPT);
}

static void a_place_without_chains_accepts(void *state)
{
	struct fixture *f = state;
	struct gate_values v = { 0 };

	rules_entry(f->rules, GATE_DROP, 0);
	open_chain(f, GATE_DROP);
	assert_int_equal(gated_judge_at(&f->gated, &v, 0, 0, 1), GATE_ACCEPT);
	assert_int_equal(gated_judge_at(&f->gated, &v, 0, 0, 0), GATE_DROP);
}

/* The entry that matches is far behind others that do not. */
static void an_entry_is_found_wherever_it_stands(void *state)
{
	static const uint32_t sizes[] = { 1, 63, 64, 65, 4095, 4096, 4097, GATE_ENTRIES_MAX };
	struct fixture *f = state;
	uint32_t i, n;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin(f);
		for (n = 0; n + 1 < sizes[i]; n++)
			rules_entry(f->rules, GATE_DROP, 0);
		rules_span(f->rules, rules_entry(f->rules, GATE_ACCEPT, 0), GATE_MARK, 7, 7);
		for (n = 0; n + 1 < sizes[i] && n < 4000; n++)
			rules_span(f->rules, n, GATE_MARK, 8, 8);
		rules_place(f->rules,
			    rules_chain(f->rules, sizes[i] > 4000 ? sizes[i] - 1 : 0, sizes[i],
					GATE_DROP),
			    1);
		rules_finish(f->rules);
		gated_open(&f->gated, f->rules, false);
		assert_int_equal(judge(f, GATE_MARK, 7), GATE_ACCEPT);
		assert_int_equal(judge(f, GATE_MARK, 6), GATE_DROP);
	}
}

/* Ten a second, a burst of two. */
static void open_limit(struct fixture *f, uint32_t flags)
{
	f->rules->limits[0] = (struct gate_limit){
		.flags = flags,
		.cost = SECOND / 10,
		.tokens = 2 * SECOND / 10,
		.max = 2 * SECOND / 10,
		.rate = 1000,
		.second = SECOND,
	};
	f->rules->n_limits = 1;
	rules_entry(f->rules, GATE_ACCEPT, 0);
	f->rules->entries[0].limit = 1;
	open_chain(f, GATE_DROP);
	f->gated.now = 100 * SECOND;
}

static void a_limit_lets_a_burst_pass_and_then_the_rate(void *state)
{
	struct fixture *f = state;

	open_limit(f, 0);
	assert_int_equal(judge_nothing(f), GATE_ACCEPT);
	assert_int_equal(judge_nothing(f), GATE_ACCEPT);
	assert_int_equal(judge_nothing(f), GATE_DROP);
	f->gated.now += SECOND / 10 - 1;
	assert_int_equal(judge_nothing(f), GATE_DROP);
	f->gated.now += 1;
	assert_int_equal(judge_nothing(f), GATE_ACCEPT);
	assert_int_equal(judge_nothing(f), GATE_DROP);
	/* A clock that another CPU has read earlier gives nothing, and takes nothing. */
	f->gated.now -= SECOND;
	assert_int_equal(judge_nothing(f), GATE_DROP);
	f->gated.now += SECOND + SECOND / 10;
	assert_int_equal(judge_nothing(f), GATE_ACCEPT);
}

static void a_limit_over_a_rate_matches_what_is_above(void *state)
{
	struct fixture *f = state;

	open_limit(f, GATE_LIMIT_OVER);
	assert_int_equal(judge_nothing(f), GATE_DROP);
	assert_int_equal(judge_nothing(f), GATE_DROP);
	assert_int_equal(judge_nothing(f), GATE_ACCEPT);
}

/* 1,000 bytes a second, a burst of 200. */
static void a_limit_of_bytes_counts_lengths(void *state)
{
	struct fixture *f = state;

	open_limit(f, GATE_LIMIT_BYTES);
	assert_int_equal(judge(f, GATE_LENGTH, 150), GATE_ACCEPT);
	assert_int_equal(judge(f, GATE_LENGTH, 51), GATE_DROP);
	assert_int_equal(judge(f, GATE_LENGTH, 50), GATE_ACCEPT);
	assert_int_equal(judge(f, GATE_LENGTH, 1), GATE_DROP);
}

static void counters_and_logs_tell_of_what_matched(void *state)
{
	struct fixture *f = state;

	rules_entry(f->rules, GATE_NEXT, 0);
	rules_span(f->rules, 0, GATE_LENGTH, 100, 200);
	f->rules->entries[0].counter = 1;
	f->rules->entries[0].log = 2;
	open_chain(f, GATE_ACCEPT);
	judge(f, GATE_LENGTH, 100);
	judge(f, GATE_LENGTH, 150);
	judge(f, GATE_LENGTH, 99);
	assert_int_equal(f->gated.counters[0].packets, 2);
	assert_int_equal(f->gated.counters[0].bytes, 250);
	assert_int_equal(f->gated.logged[1], 2);
}

static const struct test tests[] = {
	TEST_WITH(each_field_is_met_at_the_edges_of_a_span, setup, teardown),
	TEST_WITH(trees_of_all_sizes_find_the_last_start_not_above, setup, teardown),
	TEST_WITH(no_check_holds_on_a_field_that_is_absent, setup, teardown),
	TEST_WITH(a_mask_looks_at_all_words_of_a_field, setup, teardown),
	TEST_WITH(all_of_many_checks_must_hold, setup, teardown),
	TEST_WITH(a_concatenation_is_found_under_each_shape, setup, teardown),
	TEST_WITH(a_map_gives_verdicts_and_nothing_found_goes_on, setup, teardown),
	TEST_WITH(sixteen_chains_may_be_called_and_no_more, setup, teardown),
	TEST_WITH(accept_ends_one_base_chain_and_drop_all, setup, teardown),
	TEST_WITH(a_place_without_chains_accepts, setup, teardown),
	TEST_WITH(an_entry_is_found_wherever_it_stands, setup, teardown),
	TEST_WITH(a_limit_lets_a_burst_pass_and_then_the_rate, setup, teardown),
	TEST_WITH(a_limit_over_a_rate_matches_what_is_above, setup, teardown),
	TEST_WITH(a_limit_of_bytes_counts_lengths, setup, teardown),
	TEST_WITH(counters_and_logs_tell_of_what_matched, setup, teardown),
};

TEST_MAIN(tests);
