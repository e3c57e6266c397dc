// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the report finds in fragments, one finding a test, and what systems read differently.
 */
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>
#include <tape.h>
#include <test.h>

static unsigned char letters[4096];

/* Bytes of a datagram: from `from`, `len` of them, all the same letter. */
static void fragment_of(struct tape *t, uint32_t id, uint8_t protocol, size_t from, size_t len,
			bool more, char letter)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram dg;

	memset(letters, letter, sizeof(letters));
	test_ok(lab_datagram_init(&dg, AF_INET, "10.0.0.1", "10.0.0.2"));
	dg.protocol = protocol;
	dg.identification = id;
	dg.payload = letters;
	dg.payload_len = sizeof(letters);
	test_ok(lab_fragment_at(&dg, from, len, more, &packets));
	tape_add_all(t, "", 0, &packets);
}

static void fragment(struct tape *t, uint8_t protocol, size_t from, size_t len, bool more,
		     char letter)
{
	fragment_of(t, 77, protocol, from, len, more, letter);
}

static void run_tape(struct tape_run *run, struct tape *t)
{
	tape_run(run, t);
	tape_release(t);
}

static void expect_one(const struct tape_run *run, uint32_t findings, uint32_t len)
{
	assert_int_equal(run->n_records, 1);
	assert_int_equal(run->records[0].findings, findings);
	assert_int_equal(run->records[0].len, len);
}

static void an_honest_datagram_has_no_findings(void *state)
{
	struct tape_run run = { 0 };
	struct tape t;

	(void)state;
	tape_init(&t, DLT_RAW);
	fragment(&t, 17, 1000, 500, false, 'c');
	fragment(&t, 17, 504, 496, true, 'b');
	fragment(&t, 17, 0, 504, true, 'a');
	run_tape(&run, &t);
	expect_one(&run, 0, 1520);
	assert_int_equal(run.records[0].fragments, 3);
	assert_int_equal(run.records[0].smallest, 516);
	assert_int_equal(run.records[0].largest, 524);
	assert_int_equal(run.records[0].order, ORDER_DESCENDING);
	assert_int_equal(run.records[0].proto, 17);
	assert_int_equal(run.records[0].last - run.records[0].first, 2 * TAPE_STEP);
	tape_run_release(&run);
}

static void tiny_fragments_are_found_and_refused_if_strict(void *state)
{
	struct tape_run run = { 0 }, strict = { .opts.strict = true };
	struct tape t;

	(void)state;
	tape_init(&t, DLT_RAW);
	fragment(&t, 6, 0, 8, true, 'a');
	fragment(&t, 6, 8, 32, false, 'b');
	run_tape(&run, &t);
	expect_one(&run, 1u << FINDING_TINY | 1u << FINDING_CHAIN, 60);
	tape_init(&t, DLT_RAW);
	fragment(&t, 6, 0, 8, true, 'a');
	fragment(&t, 6, 8, 32, false, 'b');
	run_tape(&strict, &t);
	expect_one(&strict, 1u << FINDING_TINY | 1u << FINDING_CHAIN, 0);
	assert_int_equal(strict.out.count, 2);
	assert_int_equal(strict.stats.reasons[UNFRAG_REASON_TINY], 2);
	tape_run_release(&run);
	tape_run_release(&strict);
}

/* SCTP's header has 12 bytes. */
static void a_header_chain_cut_short_is_found(void *state)
{
	bool strict;

	(void)state;
	for (strict = false;; strict = true) {
		struct tape_run run = { .opts.strict = strict };
		struct tape t;

		tape_init(&t, DLT_RAW);
		fragment(&t, 132, 0, 8, true, 'a');
		fragment(&t, 132, 8, 32, false, 'b');
		run_tape(&run, &t);
		expect_one(&run, 1u << FINDING_CHAIN, strict ? 0 : 60);
		assert_int_equal(run.stats.reasons[UNFRAG_REASON_CHAIN], strict ? 1 : 0);
		tape_run_release(&run);
		if (strict)
			break;
	}
}

static void teardrop_is_found(void *state)
{
	struct tape_run run = { 0 };
	struct tape t;

	(void)state;
	tape_init(&t, DLT_RAW);
	fragment(&t, 17, 0, 40, true, 'a');
	fragment(&t, 17, 24, 4, false, 'b');
	run_tape(&run, &t);
	expect_one(&run, 1u << FINDING_OVERLAP | 1u << FINDING_TEARDROP, 0);
	assert_int_equal(run.out.count, 2);
	tape_run_release(&run);
}

static void the_ping_of_death_is_found(void *state)
{
	struct tape_run run = { 0 };
	struct tape t;

	(void)state;
	tape_init(&t, DLT_RAW);
	fragment(&t, 1, 0, 1480, true, 'a');
	fragment(&t, 1, 65528, 1000, false, 'b');
	run_tape(&run, &t);
	expect_one(&run, 1u << FINDING_OVERSIZE, 0);
	assert_int_equal(run.records[0].fragments, 2);
	tape_run_release(&run);
}

static void duplicates_are_found(void *state)
{
	struct tape_run run = { 0 };
	struct tape t;

	(void)state;
	tape_init(&t, DLT_RAW);
	fragment(&t, 17, 0, 40, true, 'a');
	fragment(&t, 17, 0, 40, true, 'a');
	fragment(&t, 17, 40, 4, false, 'b');
	run_tape(&run, &t);
	expect_one(&run, 1u << FINDING_DUPLICATE, 64);
	assert_int_equal(run.records[0].duplicates, 1);
	assert_int_equal(run.stats.duplicates, 1);
	assert_int_equal(run.stats.whole_fragments, 3);
	assert_int_equal(run.out.count, 1);
	tape_run_release(&run);
}

static void an_identification_in_use_again_is_found(void *state)
{
	struct tape_run run = { 0 };
	struct tape t;
	int i;

	(void)state;
	tape_init(&t, DLT_RAW);
	for (i = 0; i < 2; i++) {
		fragment(&t, 17, 0, 40, true, 'a');
		fragment(&t, 17, 40, 4, false, 'b');
	}
	t.now += UINT64_C(120000000000);
	fragment(&t, 17, 0, 40, true, 'a');
	fragment(&t, 17, 40, 4, false, 'b');
	run_tape(&run, &t);
	assert_int_equal(run.n_records, 3);
	assert_int_equal(run.records[0].findings, 0);
	assert_int_equal(run.records[1].findings, 1u << FINDING_REUSE);
	assert_int_equal(run.records[2].findings, 0);
	tape_run_release(&run);
}

/* A first fragment waits while its source goes through a quarter of all identifications. */
static void a_stale_mate_is_found(void *state)
{
	struct tape_run run = { .opts.buffer = 64 << 20 };
	uint32_t id, stale = 0;
	struct tape t;
	size_t i;

	(void)state;
	tape_init(&t, DLT_RAW);
	fragment_of(&t, 1, 17, 0, 40, true, 'a');
	for (id = 2; id < 16390; id++) {
		fragment_of(&t, id, 17, 0, 8, true, 'b');
		fragment_of(&t, id, 17, 8, 8, false, 'c');
		t.now -= 2 * (TAPE_STEP - 10000);
	}
	fragment_of(&t, 1, 17, 40, 4, false, 'd');
	run_tape(&run, &t);
	for (i = 0; i < run.n_records; i++) {
		if (!(run.records[i].findings & 1u << FINDING_STALE))
			continue;
		stale++;
		assert_int_equal(run.records[i].key.id, 1);
		assert_int_equal(run.records[i].reason, UNFRAG_REASON_STALE);
		assert_int_equal(run.records[i].len, 0);
	}
	assert_int_equal(stale, 1);
	assert_int_equal(run.stats.findings[FINDING_STALE], 1);
	assert_int_equal(run.stats.whole, 16388);
	tape_run_release(&run);
}

/*
 *      aaaaaaaaaaaaaaaa
 *              bbbbbbbbbbbbbbbb      what is read from 8 to 15?
 */
static void overlap(struct tape *t)
{
	tape_init(t, DLT_RAW);
	fragment(t, 17, 0, 16, true, 'a');
	fragment(t, 17, 8, 16, true, 'b');
	fragment(t, 17, 24, 8, false, 'c');
}

static void each_policy_reads_overlaps_its_way(void *state)
{
	static const struct {
		uint32_t policy;
		char read; /* 0: no datagram */
	} want[] = {
		{ UNFRAG_REASM_DROP, 0 },      { UNFRAG_REASM_FIRST, 'a' },
		{ UNFRAG_REASM_LAST, 'b' },    { UNFRAG_REASM_BSD, 'a' },
		{ UNFRAG_REASM_LINUX, 'a' },   { UNFRAG_REASM_BSD_RIGHT, 'b' },
		{ UNFRAG_REASM_WINDOWS, 'a' }, { UNFRAG_REASM_SOLARIS, 'a' },
	};
	struct tape t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct tape_run run = { .opts.policy = want[i].policy };

		overlap(&t);
		run_tape(&run, &t);
		assert_int_equal(run.out.count, want[i].read ? 1 : 3);
		expect_one(&run, 1u << FINDING_OVERLAP, want[i].read ? 52 : 0);
		if (want[i].read)
			assert_int_equal(run.out.packets[0].data[20 + 8], want[i].read);
		tape_run_release(&run);
	}
}

static void what_systems_read_differently_is_listed(void *state)
{
	struct tape_run run = { .compare = true };
	const struct difference *d;
	uint32_t policies = 0;
	struct tape t;
	size_t i;

	(void)state;
	overlap(&t);
	run_tape(&run, &t);
	assert_int_equal(run.stats.differ, 1);
	assert_int_equal(run.n_differences, 1);
	expect_one(&run, 1u << FINDING_OVERLAP | 1u << FINDING_DIFFERS, 0);
	d = &run.differences[0];
	assert_int_equal(d->key.id, 77);
	assert_int_equal(d->at, 20 + 8);
	assert_int_equal(d->size, 8);
	assert_int_equal(d->len, 52);
	assert_int_equal(d->n, 2);
	for (i = 0; i < d->n; i++) {
		bool last = d->readings[i].policies & 1u << UNFRAG_REASM_LAST;

		assert_int_equal(d->readings[i].n, 8);
		assert_memory_equal(d->readings[i].bytes, last ? "bbbbbbbb" : "aaaaaaaa", 8);
		policies |= d->readings[i].policies;
	}
	assert_int_equal(policies, (1u << UNFRAG_REASM_POLICY_MAX) - 2);
	tape_run_release(&run);
}

static void overlaps_with_the_same_bytes_read_alike(void *state)
{
	struct tape_run run = { .compare = true };
	struct tape t;

	(void)state;
	tape_init(&t, DLT_RAW);
	fragment(&t, 17, 0, 16, true, 'a');
	fragment(&t, 17, 8, 16, true, 'a');
	fragment(&t, 17, 24, 8, false, 'c');
	run_tape(&run, &t);
	assert_int_equal(run.n_differences, 0);
	assert_int_equal(run.stats.differ, 0);
	tape_run_release(&run);
}

static void findings_and_orders_have_names(void *state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < FINDING_MAX; i++)
		assert_true(finding_name(i)[0] && finding_text(i)[0]);
	assert_null(finding_name(FINDING_MAX));
	assert_null(finding_text(FINDING_MAX));
	assert_null(order_name(ORDER_MAX));
}

static const struct test tests[] = {
	TEST_WITH(an_honest_datagram_has_no_findings, tape_setup, tape_teardown),
	TEST_WITH(tiny_fragments_are_found_and_refused_if_strict, tape_setup, tape_teardown),
	TEST_WITH(a_header_chain_cut_short_is_found, tape_setup, tape_teardown),
	TEST_WITH(a_stale_mate_is_found, tape_setup, tape_teardown),
	TEST_WITH(teardrop_is_found, tape_setup, tape_teardown),
	TEST_WITH(the_ping_of_death_is_found, tape_setup, tape_teardown),
	TEST_WITH(duplicates_are_found, tape_setup, tape_teardown),
	TEST_WITH(an_identification_in_use_again_is_found, tape_setup, tape_teardown),
	TEST_WITH(each_policy_reads_overlaps_its_way, tape_setup, tape_teardown),
	TEST_WITH(what_systems_read_differently_is_listed, tape_setup, tape_teardown),
	TEST_WITH(overlaps_with_the_same_bytes_read_alike, tape_setup, tape_teardown),
	TEST_WITH(findings_and_orders_have_names, tape_setup, tape_teardown),
};

TEST_MAIN(tests);
