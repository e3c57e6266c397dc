// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Captures in pcapng's format, block by block: what they have becomes a capture in pcap's format,
 * with stamps as they were, and what is damaged is read as far as it goes.
 */
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>
#include <tape.h>
#include <test.h>

#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_NAMES     4u
#define BLOCK_PACKET    6u

static void put32(FILE *f, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, f);
}

/* A block: type, length, body, padding, length again. */
static void put_block(FILE *f, uint32_t type, const void *head, size_t head_len, const void *body,
		      size_t len)
{
	static const char zeroes[4];
	size_t padding = -len & 3;
	uint32_t all = (uint32_t)(12 + head_len + len + padding);

	put32(f, type);
	put32(f, all);
	fwrite(head, head_len, 1, f);
	fwrite(body, 1, len, f);
	fwrite(zeroes, 1, padding, f);
	put32(f, all);
}

static void put_packet(FILE *f, uint64_t time, const void *data, size_t len)
{
	const uint32_t head[] = { 0, (uint32_t)(time >> 32), (uint32_t)time, (uint32_t)len,
				  (uint32_t)len };

	put_block(f, BLOCK_PACKET, head, sizeof(head), data, len);
}

/* A datagram in two fragments behind it, whole in `packets` as well. */
static void write_file(const char *path, struct lab_packets *packets)
{
	static const uint32_t section[] = { 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX };
	static const uint32_t interface[] = { DLT_RAW == 12 ? 101 : DLT_RAW, 0 };
	static const uint32_t nanoseconds[] = { 1u << 16 | 9, 9, 0 }; /* if_tsresol, end */
	static const unsigned char data[1000];
	lab_auto_datagram struct lab_datagram dg = { 0 };
	FILE *f = fopen(path, "w");
	size_t i, len;

	assert_non_null(f);
	test_ok(lab_datagram_init(&dg, AF_INET, "10.0.0.1", "10.0.0.2"));
	test_ok(lab_datagram_set_udp(&dg, 1000, 53, data, sizeof(data)));
	test_ok(lab_fragment(&dg, 504, packets));
	test_ok(lab_whole(&dg, packets));
	put_block(f, BLOCK_SECTION, section, sizeof(section), "", 0);
	put_block(f, BLOCK_INTERFACE, interface, sizeof(interface), nanoseconds,
		  sizeof(nanoseconds) - 2);
	put_block(f, BLOCK_NAMES, "", 0, "\0\0\0\0", 4);
	for (i = 0; i < 2; i++) {
		const unsigned char *ip = lab_packet_at(packets, i, &len);

		put_packet(f, TAPE_BEGIN + i, ip, len);
	}
	fclose(f);
}

static void pcapng_is_read_with_its_nanoseconds(void *state)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	const char *path = tape_path("in.pcapng");
	struct tape_run run = { 0 };
	const unsigned char *ip;
	size_t len;

	(void)state;
	write_file(path, &packets);
	ip = lab_packet_at(&packets, 2, &len);
	tape_run_file(&run, path);
	assert_int_equal(run.stats.packets, 2);
	assert_int_equal(run.out.count, 1);
	assert_int_equal(run.out.link, DLT_RAW);
	assert_int_equal(run.out.packets[0].time, TAPE_BEGIN + 1);
	assert_int_equal(run.out.packets[0].caplen, len);
	assert_memory_equal(run.out.packets[0].data, ip, len);
	tape_run_release(&run);
}

static void pcapng_cut_short_is_read_as_far_as_it_goes(void *state)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	const char *path = tape_path("in.pcapng"), *out = tape_path("out.pcap");
	struct capture_opts opts = { .in = path, .out = out, .buffer = CAPTURE_BUFFER_MIN };
	struct capture_stats stats;
	struct trouble trouble;

	(void)state;
	write_file(path, &packets);
	tape_truncate(path, 20);
	assert_true(capture_run(&opts, &stats, &trouble) < 0);
	assert_non_null(strstr(trouble.text, "can't be read further"));
	assert_int_equal(stats.packets, 1);
	assert_int_equal(stats.written, 1);
	tape_expect_account(&stats);
}

static const struct test tests[] = {
	TEST_WITH(pcapng_is_read_with_its_nanoseconds, tape_setup, tape_teardown),
	TEST_WITH(pcapng_cut_short_is_read_as_far_as_it_goes, tape_setup, tape_teardown),
};

TEST_MAIN(tests);
