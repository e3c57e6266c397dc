// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hash against the vectors of its authors, which are for two and four rounds: the secret is
 * the bytes 0 to 15, the input the bytes 0 to n - 1.
 */
#include <test.h>

#include <siphash.h>

static const struct hash_secret secret = { { UINT64_C(0x0706050403020100),
					     UINT64_C(0x0f0e0d0c0b0a0908) } };
static const uint64_t words[] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };

static void is_as_published(void)
{
	assert_true(siphash_rounds(&secret, words, 0, 2, 4) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(siphash_rounds(&secret, words, 1, 2, 4) == UINT64_C(0x93f5f5799a932462));
	assert_true(siphash_rounds(&secret, words, 2, 2, 4) == UINT64_C(0x3f2acc7f57c29bdb));
	assert_true(siphash_words(&secret, words, 0, UINT64_C(0x0706050403020100), 2, 4) ==
		    UINT64_C(0xab0200f58b01d137));
	assert_true(siphash_words(&secret, words, 1, UINT64_C(0x0f0e0d0c0b0a0908), 2, 4) ==
		    UINT64_C(0xa129ca6149be45e5));
}

static void takes_a_tail_of_seven_bytes(void)
{
	uint64_t tail = UINT64_C(0x0e0d0c0b0a0908);

	assert_true(siphash_tail(&secret, words, 1, tail) ==
		    siphash_words(&secret, words, 1, tail | UINT64_C(15) << 56, 1, 3));
	assert_true(siphash_tail(&secret, words, 1, tail) != siphash(&secret, words, 2));
	assert_true(siphash_tail(&secret, words, 0, 0) != siphash_tail(&secret, words, 1, 0));
}

static void depends_on_secret_words_and_their_number(void)
{
	struct hash_secret other = secret;

	other.word[1] ^= 1;
	assert_true(siphash(&secret, words, 2) != siphash(&other, words, 2));
	assert_true(siphash(&secret, words, 2) != siphash(&secret, words, 1));
	assert_true(siphash(&secret, words, 1) != siphash(&secret, words + 1, 1));
}

static const struct test tests[] = {
	TEST(is_as_published),
	TEST(takes_a_tail_of_seven_bytes),
	TEST(depends_on_secret_words_and_their_number),
};

TEST_MAIN(tests);
