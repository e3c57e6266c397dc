// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replays the corpus of a fuzzer.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <test.h>

#include "fuzz.h"

static int replay(const char *dir, const char *name)
{
	static uint8_t data[1 << 16];
	char path[512];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	return !LLVMFuzzerTestOneInput(data, len);
}

static void the_corpus_holds(void)
{
	const char *dir = CORPUS;
	struct dirent *entry;
	DIR *d = opendir(dir);
	int replayed = 0;

	assert_non_null(d);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			replayed += replay(dir, entry->d_name);
	closedir(d);
	assert_true(replayed > 10);
}

static const struct test tests[] = {
	TEST(the_corpus_holds),
};

TEST_MAIN(tests);
