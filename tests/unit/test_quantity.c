// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers with units, as the command's options have them and as its tables show them.
 */
#include <string.h>
#include <test.h>

#include "quantity.h"
#include "size.h"

#define UNTOUCHED 4711u

static void sizes_have_letters(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "1", 1 },
		{ "65536", 65536 },
		{ "64K", 65536 },
		{ "64k", 65536 },
		{ "64KB", 65536 },
		{ "64KiB", 65536 },
		{ "16M", 16u << 20 },
		{ "100B", 100 },
		{ "2GiB", UINT64_C(2) << 30 },
		{ "18446744073709551615", UINT64_MAX },
		{ "17179869183G", UINT64_C(17179869183) << 30 },
	};
	uint64_t got;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(quantity_size(good[i].text, &got));
		assert_true(got == good[i].bytes);
	}
}

static void what_is_no_size_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"0",
		"0M",
		"M",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1 M",
		"1.5M",
		"0x10",
		"16m",
		"16T",
		"16MM",
		"18446744073709551616",
		"17179869184G",
		"1e3",
	};
	uint64_t got = UNTOUCHED;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(quantity_size(bad[i], &got));
	assert_int_equal(got, UNTOUCHED);
}

static void times_need_a_unit(void)
{
	uint64_t ms = UNTOUCHED;

	assert_false(quantity_time("3", &ms));
	assert_false(quantity_time("0s", &ms));
	assert_false(quantity_time("3d", &ms));
	assert_false(quantity_time("3S", &ms));
	assert_false(quantity_time("1m30s", &ms));
	assert_false(quantity_time("18446744073709551615h", &ms));
	assert_int_equal(ms, UNTOUCHED);
	assert_true(quantity_time("250ms", &ms));
	assert_int_equal(ms, 250);
	assert_true(quantity_time("3s", &ms));
	assert_int_equal(ms, 3000);
	assert_true(quantity_time("10m", &ms));
	assert_int_equal(ms, 600000);
	assert_true(quantity_time("2min", &ms));
	assert_int_equal(ms, 120000);
	assert_true(quantity_time("1h", &ms));
	assert_int_equal(ms, 3600000);
}

static void percents_end_at_a_hundred(void)
{
	uint32_t got = UNTOUCHED;

	assert_false(quantity_percent("0", &got));
	assert_false(quantity_percent("101", &got));
	assert_false(quantity_percent("50%%", &got));
	assert_false(quantity_percent("%", &got));
	assert_int_equal(got, UNTOUCHED);
	assert_true(quantity_percent("1", &got));
	assert_int_equal(got, 1);
	assert_true(quantity_percent("100%", &got));
	assert_int_equal(got, 100);
}

static void numbers_fit_32_bits(void)
{
	uint32_t got = UNTOUCHED;

	assert_false(quantity_number("4294967296", &got));
	assert_false(quantity_number("8K", &got));
	assert_false(quantity_number("0", &got));
	assert_int_equal(got, UNTOUCHED);
	assert_true(quantity_number("4294967295", &got));
	assert_true(got == UINT32_MAX);
}

static void shown_sizes_are_short(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 9999, "9999" },
		{ 10240, "10.0K" },
		{ 16u << 20, "16.0M" },
		{ 1536u << 10, "1.5M" },
		{ UINT64_C(5) << 40, "5.0T" },
		{ UINT64_MAX, "15.9E" },
	};
	char buf[QUANTITY_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(quantity_of_size(rows[i].bytes, buf), rows[i].text);
}

/* Where no column says that it is memory. */
static void sizes_in_sentences_have_a_unit(void)
{
	assert_string_equal(size_in_words(0).text, "0 bytes");
	assert_string_equal(size_in_words(1).text, "1 byte");
	assert_string_equal(size_in_words(9999).text, "9999 bytes");
	assert_string_equal(size_in_words(10000).text, "9.7K");
	assert_string_equal(size_in_words(64u << 10).text, "64.0K");
	assert_string_equal(size_in_words(UINT64_MAX).text, "15.9E");
}

static void shown_times_have_the_largest_unit(void)
{
	char buf[QUANTITY_MAX];

	assert_string_equal(quantity_of_time(0, buf), "0ms");
	assert_string_equal(quantity_of_time(1500, buf), "1500ms");
	assert_string_equal(quantity_of_time(3000, buf), "3s");
	assert_string_equal(quantity_of_time(90000, buf), "90s");
	assert_string_equal(quantity_of_time(600000, buf), "10m");
	assert_string_equal(quantity_of_time(3600000, buf), "1h");
}

static const struct test tests[] = {
	TEST(sizes_have_letters),
	TEST(what_is_no_size_is_refused),
	TEST(times_need_a_unit),
	TEST(percents_end_at_a_hundred),
	TEST(numbers_fit_32_bits),
	TEST(shown_sizes_are_short),
	TEST(sizes_in_sentences_have_a_unit),
	TEST(shown_times_have_the_largest_unit),
};

TEST_MAIN(tests);
