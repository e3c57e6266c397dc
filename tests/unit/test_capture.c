// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Captures in and out: order, time, what becomes of every packet, bounds, and files that are not
 * as they should be.
 */
#include <errno.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tape.h>
#include <test.h>
#include <unistd.h>

#define ETHER     "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00"
#define ETHER_LEN 14

static void make(struct lab_datagram *dg, uint32_t id, size_t payload)
{
	static unsigned char data[60000];

	lab_pattern(data, payload, id);
	test_ok(lab_datagram_init(dg, AF_INET, "10.0.0.1", "10.0.0.2"));
	dg->identification = id;
	test_ok(lab_datagram_set_udp(dg, 1000, (uint16_t)(id % 2 ? 53 : 80), data, payload));
}

/* Packet i of these, behind Ethernet. */
static void put(struct tape *t, const struct lab_packets *packets, size_t i)
{
	size_t len;
	const unsigned char *ip = lab_packet_at(packets, i, &len);

	tape_add(t, ETHER, ETHER_LEN, ip, len, 0);
}

/* A datagram in fragments, and behind them (last packet) whole. */
static void cut(struct lab_packets *packets, uint32_t id, size_t payload, size_t size)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };

	make(&dg, id, payload);
	test_ok(lab_fragment(&dg, size, packets));
	test_ok(lab_whole(&dg, packets));
}

static void expect_packet(const struct tape *t, size_t i, const struct lab_packets *packets,
			  size_t k, uint64_t time)
{
	size_t len;
	const unsigned char *ip = lab_packet_at(packets, k, &len);

	assert_true(i < t->count);
	assert_int_equal(t->packets[i].caplen, ETHER_LEN + len);
	assert_memory_equal(t->packets[i].data + ETHER_LEN, ip, len);
	assert_int_equal(t->packets[i].time, time);
}

static bool same_packet(const struct tape_packet *a, const struct tape_packet *b)
{
	return a->time == b->time && a->caplen == b->caplen && a->len == b->len &&
	       !memcmp(a->data, b->data, a->caplen);
}

/*
 * Three datagrams, a and b in two fragments each and c in one packet, and a capture of them: "a1"
 * is the second fragment of a, "a2" is a whole.
 */
struct mix {
	struct lab_packets datagrams[3];
	struct tape in;
};

#define auto_mix __attribute__((cleanup(mix_release)))

static void mix_put(struct mix *m, const char *order)
{
	for (; order[0] && order[1]; order += order[2] ? 3 : 2)
		put(&m->in, &m->datagrams[order[0] - 'a'], (size_t)(order[1] - '0'));
}

static void mix_make(struct mix *m, const char *order)
{
	memset(m, 0, sizeof(*m));
	cut(&m->datagrams[0], 1, 1000, 504);
	cut(&m->datagrams[1], 2, 1000, 504);
	cut(&m->datagrams[2], 3, 100, 504);
	tape_init(&m->in, DLT_EN10MB);
	mix_put(m, order);
}

static void mix_release(struct mix *m)
{
	size_t i;

	for (i = 0; i < 3; i++)
		lab_packets_release(&m->datagrams[i]);
	tape_release(&m->in);
}

/* Packet i is datagram a or b, whole. */
static void expect_whole(const struct tape *t, size_t i, const struct mix *m, char which,
			 uint64_t time)
{
	expect_packet(t, i, &m->datagrams[which - 'a'], 2, time);
}

static void whole_packets_stand_at_their_last_or_first_piece(void *state)
{
	auto_tape_run struct tape_run last = { 0 }, first = { .opts.at_first = true };
	auto_mix struct mix m;
	const struct tape_packet *in;

	(void)state;
	mix_make(&m, "a0 c0 b1 b0 c0 a1 c0");
	in = m.in.packets;
	tape_run(&last, &m.in);
	assert_int_equal(last.out.count, 5);
	assert_true(same_packet(&last.out.packets[0], &in[1]));
	expect_whole(&last.out, 1, &m, 'b', in[3].time);
	assert_true(same_packet(&last.out.packets[2], &in[4]));
	expect_whole(&last.out, 3, &m, 'a', in[5].time);
	tape_run(&first, &m.in);
	assert_int_equal(first.out.count, 5);
	expect_whole(&first.out, 0, &m, 'a', in[0].time);
	assert_true(same_packet(&first.out.packets[1], &in[1]));
	expect_whole(&first.out, 2, &m, 'b', in[2].time);
}

#define DATAGRAMS 200u

/* What is to come of datagram i. */
static bool lacks_one(uint32_t i)
{
	return i % 3 == 0;
}

/* Fragments of many datagrams in random order, some missing, some twice, with others between. */
static void fill_at_random(struct tape *in, struct lab_packets *all, struct lab_random *random)
{
	struct lab_packets mixed = { 0 };
	uint32_t i, k;
	size_t len;

	for (i = 0; i < DATAGRAMS; i++) {
		cut(&all[i], i, 20 + lab_random_below(random, 3000), 8 + i % 900);
		for (k = 0; k + 1 < all[i].count; k++) {
			const unsigned char *ip = lab_packet_at(&all[i], k, &len);

			if (!lacks_one(i) || k != i % (all[i].count - 1) || all[i].count < 3)
				test_ok(lab_packets_add(&mixed, ip, len));
		}
	}
	test_ok(lab_packets_order(&mixed, LAB_RANDOM, true, lab_random_next(random)));
	tape_add_all(in, ETHER, ETHER_LEN, &mixed);
	lab_packets_release(&mixed);
}

/* Is this packet of the output one of the input, or a datagram whole? */
static bool is_known(const struct tape_packet *p, const struct tape *in,
		     const struct lab_packets *all)
{
	size_t i, len;

	for (i = 0; i < in->count; i++)
		if (same_packet(p, &in->packets[i]))
			return true;
	for (i = 0; i < DATAGRAMS; i++) {
		const unsigned char *ip = lab_packet_at(&all[i], all[i].count - 1, &len);

		if (p->caplen == ETHER_LEN + len && !memcmp(p->data + ETHER_LEN, ip, len))
			return true;
	}
	return false;
}

static void expect_nothing_vanished(const struct tape_run *run, const struct tape *in,
				    const struct lab_packets *all)
{
	size_t i;

	for (i = 0; i < run->out.count; i++)
		assert_true(is_known(&run->out.packets[i], in, all));
	for (i = 1; i < run->out.count; i++)
		assert_true(run->out.packets[i - 1].time <= run->out.packets[i].time);
	assert_int_equal(run->stats.packets,
			 run->stats.written + run->stats.whole_fragments - run->stats.whole);
}

static void nothing_vanishes_and_order_stays(void *state)
{
	struct lab_packets all[DATAGRAMS];
	struct lab_random random = { 42 };
	struct tape in;
	int round;
	size_t i;

	(void)state;
	for (round = 0; round < 4; round++) {
		bool roomy = round < 2;
		struct tape_run run = { .opts = { .at_first = round % 2,
						  .buffer = roomy ? CAPTURE_BUFFER :
								    CAPTURE_BUFFER_MIN } };

		memset(all, 0, sizeof(all));
		tape_init(&in, DLT_EN10MB);
		fill_at_random(&in, all, &random);
		tape_run(&run, &in);
		assert_true(!roomy || run.stats.whole > DATAGRAMS / 2);
		assert_int_equal(run.stats.reasons[UNFRAG_REASON_MEMORY] > 0, !roomy);
		expect_nothing_vanished(&run, &in, all);
		tape_run_release(&run);
		tape_release(&in);
		for (i = 0; i < DATAGRAMS; i++)
			lab_packets_release(&all[i]);
	}
}

static void incomplete_ones_are_left_out_if_asked(void *state)
{
	auto_tape_run struct tape_run run = { .opts.leave_incomplete = true };
	auto_mix struct mix m;

	(void)state;
	mix_make(&m, "a0 b0 b1 a2");
	tape_run(&run, &m.in);
	assert_int_equal(run.out.count, 2);
	assert_int_equal(run.stats.left_out, 1);
	assert_int_equal(run.stats.reasons[UNFRAG_REASON_FLUSHED], 1);
}

/* A lone fragment holds up the rest until memory is short; its mate then comes too late. */
static void a_datagram_that_holds_up_too_much_is_let_go(bool leave, bool at_first)
{
	auto_tape_run struct tape_run run = { .opts = { .buffer = CAPTURE_BUFFER_MIN,
							.leave_incomplete = leave,
							.at_first = at_first } };
	lab_auto_packets struct lab_packets large = { 0 };
	auto_mix struct mix m;
	size_t i;

	cut(&large, 2, 1400, 1480);
	mix_make(&m, "a0");
	for (i = 0; i < 2000; i++)
		put(&m.in, &large, 0);
	mix_put(&m, "a1 a0 a1");
	tape_run(&run, &m.in);
	assert_int_equal(run.stats.reasons[UNFRAG_REASON_MEMORY], 2);
	assert_int_equal(run.stats.whole, 1);
	assert_int_equal(run.stats.left_out, leave ? 2 : 0);
	assert_int_equal(run.out.count, leave ? 2001 : 2003);
	for (i = 0; !leave && i < 2002; i++)
		assert_true(same_packet(&run.out.packets[i], &m.in.packets[i]));
}

static void memory_for_waiting_packets_is_bounded(void *state)
{
	(void)state;
	a_datagram_that_holds_up_too_much_is_let_go(false, false);
	a_datagram_that_holds_up_too_much_is_let_go(false, true);
	a_datagram_that_holds_up_too_much_is_let_go(true, false);
}

static void a_deadline_lets_packets_go_on(void *state)
{
	auto_tape_run struct tape_run run = { 0 };
	auto_mix struct mix m;

	(void)state;
	mix_make(&m, "a0 c0");
	m.in.now += UINT64_C(31000000000);
	mix_put(&m, "a1 c0");
	tape_run(&run, &m.in);
	assert_int_equal(run.out.count, 4);
	assert_int_equal(run.stats.reasons[UNFRAG_REASON_TIMEOUT], 1);
	assert_int_equal(run.stats.reasons[UNFRAG_REASON_FLUSHED], 1);
	assert_int_equal(run.n_records, 2);
	assert_true(run.records[1].findings & 1u << FINDING_REUSE);
}

static void time_stamps_keep_what_they_have(void *state)
{
	int micro;

	(void)state;
	for (micro = 0; micro < 2; micro++) {
		auto_tape_run struct tape_run run = { 0 };
		auto_mix struct mix m;
		uint64_t time;

		mix_make(&m, "c0");
		m.in.micro = micro;
		time = m.in.packets[0].time;
		tape_run(&run, &m.in);
		assert_int_equal(run.out.packets[0].time, micro ? time / 1000 * 1000 : time);
	}
}

static char *slurp(const char *path, size_t *len)
{
	char *data = calloc(1, 65536);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	*len = fread(data, 1, 65536, f);
	fclose(f);
	return data;
}

static void without_fragments_a_file_stays_byte_for_byte(void *state)
{
	char *before, *after;
	size_t n, k;
	int micro;

	(void)state;
	for (micro = 0; micro < 2; micro++) {
		auto_tape_run struct tape_run run = { 0 };
		auto_mix struct mix m;

		mix_make(&m, "c0");
		m.in.micro = micro;
		tape_add(&m.in, "\1\2\3\4\5\6\7", 7, "", 0, 0);
		mix_put(&m, "c1");
		tape_run(&run, &m.in);
		before = slurp(tape_path("in.pcap"), &n);
		after = slurp(tape_path("out.pcap"), &k);
		assert_int_equal(n, k);
		assert_memory_equal(before, after, n);
		free(before);
		free(after);
	}
}

static void packets_captured_in_part_are_not_judged(void *state)
{
	auto_tape_run struct tape_run run = { 0 };
	auto_mix struct mix m;
	size_t i;

	(void)state;
	mix_make(&m, "a0 a1");
	for (i = 0; i < 2; i++)
		m.in.packets[i].caplen = 60;
	tape_run(&run, &m.in);
	assert_int_equal(run.stats.cut, 2);
	assert_int_equal(run.out.count, 2);
	for (i = 0; i < 2; i++)
		assert_true(same_packet(&run.out.packets[i], &m.in.packets[i]));
}

static void a_filter_is_asked_of_whole_packets(void *state)
{
	auto_tape_run struct tape_run run = { .opts.filter = "udp port 53" };
	auto_mix struct mix m;

	(void)state;
	mix_make(&m, "a0 b0 b1 a1");
	tape_run(&run, &m.in);
	assert_int_equal(run.out.count, 1);
	assert_int_equal(run.stats.filtered, 1);
	expect_whole(&run.out, 0, &m, 'a', m.in.packets[3].time);
}

/* Runs, which must fail so, and leave no output, or, if `kept`, so many packets. */
static void fails(struct tape_run *run, const char *in, const char *out, const char *word, int kept)
{
	struct stat st;

	run->opts.in = in;
	run->opts.out = out;
	assert_true(capture_run(&run->opts, &run->stats, &run->trouble) < 0);
	if (!strstr(run->trouble.text, word))
		printf("# %s\n", run->trouble.text);
	assert_non_null(strstr(run->trouble.text, word));
	if (kept < 0) {
		assert_true(stat(out, &st) < 0);
		return;
	}
	tape_read(&run->out, out);
	assert_int_equal(run->out.count, kept);
	tape_run_release(run);
}

static void a_damaged_file_is_read_as_far_as_it_goes(void *state)
{
	const char *path = tape_path("in.pcap");
	struct tape_run run = { 0 };
	auto_mix struct mix m;

	(void)state;
	mix_make(&m, "a0 a1 a0 a1");
	tape_write(&m.in, path);
	assert_int_equal(truncate(path, 24 + 4 * 16 + 2 * (14 + 20 + 504) + 504), 0);
	fails(&run, path, tape_path("cut.pcap"), "truncated", 1);
	assert_int_equal(truncate(path, 24 + 8), 0);
	fails(&run, path, tape_path("cut.pcap"), "truncated", 0);
}

static void files_that_can_t_be_are_refused(void *state)
{
	const char *path = tape_path("in.pcap"), *out = tape_path("none.pcap");
	struct tape_run run = { 0 };
	struct tape in;
	FILE *f;

	(void)state;
	fails(&run, tape_path("absent"), out, "can't be opened", -1);
	fails(&run, "/tmp", out, "is a directory", -1);
	f = fopen(path, "w");
	fputs("this is no capture at all, but long enough", f);
	fclose(f);
	fails(&run, path, out, "can't be read as a capture", -1);
	tape_init(&in, DLT_IEEE802_11);
	tape_add(&in, "1234", 4, "", 0, 0);
	tape_write(&in, path);
	fails(&run, path, out, "link type 105", -1);
	in.link = DLT_EN10MB;
	tape_write(&in, path);
	fails(&run, path, tape_path("no/such/place"), "can't be written", -1);
	run.opts.filter = "nonsense nonsense";
	fails(&run, path, out, "filter", -1);
	run.opts.filter = NULL;
	fails(&run, path, path, "input and output", 1);
	tape_release(&in);
}

static void a_full_disk_is_told_and_leaves_nothing(void *state)
{
	struct tape_run run = { .opts = { .out = "/dev/full" } };
	auto_mix struct mix m;

	(void)state;
	mix_make(&m, "c0");
	tape_write(&m.in, tape_path("in.pcap"));
	run.opts.in = tape_path("in.pcap");
	test_err(capture_run(&run.opts, &run.stats, &run.trouble), -ENOSPC);
	assert_non_null(strstr(run.trouble.text, "No space left"));
}

static const struct test tests[] = {
	TEST_WITH(whole_packets_stand_at_their_last_or_first_piece, tape_setup, tape_teardown),
	TEST_WITH(nothing_vanishes_and_order_stays, tape_setup, tape_teardown),
	TEST_WITH(incomplete_ones_are_left_out_if_asked, tape_setup, tape_teardown),
	TEST_WITH(memory_for_waiting_packets_is_bounded, tape_setup, tape_teardown),
	TEST_WITH(a_deadline_lets_packets_go_on, tape_setup, tape_teardown),
	TEST_WITH(time_stamps_keep_what_they_have, tape_setup, tape_teardown),
	TEST_WITH(without_fragments_a_file_stays_byte_for_byte, tape_setup, tape_teardown),
	TEST_WITH(packets_captured_in_part_are_not_judged, tape_setup, tape_teardown),
	TEST_WITH(a_filter_is_asked_of_whole_packets, tape_setup, tape_teardown),
	TEST_WITH(a_damaged_file_is_read_as_far_as_it_goes, tape_setup, tape_teardown),
	TEST_WITH(files_that_can_t_be_are_refused, tape_setup, tape_teardown),
	TEST_WITH(a_full_disk_is_told_and_leaves_nothing, tape_setup, tape_teardown),
};

TEST_MAIN(tests);
