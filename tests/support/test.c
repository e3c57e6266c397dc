// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop over a table of tests. Each test is a cmocka group of its own, twice: once for setup and
 * body, once for the teardown, which so can assert as well and runs after any kind of end.
 *
 * cmocka writes its result to stdout as it likes. So stdout is a memory stream except while a
 * test's own code runs: what cmocka wrote is then picked for the message of a failure.
 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPEAT_MAX 1000000

enum outcome { PASSED, FAILED, SKIPPED };

/* The test that runs; cmocka's callbacks get at it only through a global. */
static struct {
	const struct test *test;
	void *state;
	bool begun;              /* setup was entered */
	FILE *out;               /* the true stdout */
	FILE *cmocka;            /* what cmocka takes for it */
	const char *file, *text; /* the latest assertion */
	int line;                /* of it, too */
	char skip[256];          /* the reason; else empty */
	char more[512];          /* what a failed assertion adds */
} now;

void test_at_(const char *file, int line, const char *text)
{
	now.file = file;
	now.line = line;
	now.text = text;
}

void test_fail_(const char *file, int line, const char *text)
{
	test_at_(file, line, text);
	_fail(file, line);
	abort(); /* not reached, but cmocka does not say so */
}

void test_skip_(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(now.skip, sizeof(now.skip), fmt, ap);
	va_end(ap);
	_skip(file, line);
	abort();
}

void test_require_root_(const char *file, int line)
{
	if (geteuid())
		test_skip_(file, line, "needs root");
}

static const char *describe(int rc, char *buf, size_t size)
{
	const char *name = rc < 0 ? strerrorname_np(-rc) : NULL;

	if (name)
		snprintf(buf, size, "%d (%s, %s)", rc, name, strerror(-rc));
	else
		snprintf(buf, size, "%d", rc);
	return buf;
}

int test_ok_(int rc, const char *text, const char *file, int line)
{
	char got[128];

	if (rc >= 0)
		return rc;
	snprintf(now.more, sizeof(now.more), "is %s", describe(rc, got, sizeof(got)));
	test_fail_(file, line, text);
}

void test_err_(int rc, int want, const char *text, const char *file, int line)
{
	char got[128], wanted[128];

	if (rc == want)
		return;
	snprintf(now.more, sizeof(now.more), "is %s, not %s", describe(rc, got, sizeof(got)),
		 describe(want, wanted, sizeof(wanted)));
	test_fail_(file, line, text);
}

void test_int_equal_(intmax_t a, intmax_t b, const char *text, const char *file, int line)
{
	if (a == b)
		return;
	snprintf(now.more, sizeof(now.more), "%jd != %jd (0x%jx != 0x%jx)", a, b, (uintmax_t)a,
		 (uintmax_t)b);
	test_fail_(file, line, text);
}

static void body(void **unused)
{
	(void)unused;
	stdout = now.out;
	now.begun = true;
	if (now.test->setup)
		now.test->setup(&now.state);
	if (now.test->plain)
		now.test->plain();
	else
		now.test->with(now.state);
}

static void teardown(void **unused)
{
	(void)unused;
	stdout = now.out;
	now.test->teardown(now.state);
}

/* cmocka's teardown: the one call that is made after a jump out of a test and before a report. */
static int hush(void **unused)
{
	(void)unused;
	stdout = now.cmocka;
	return 0;
}

/* Why a test failed, as TAP comments: place and expression, and what cmocka has to say to it. */
static void put_why(FILE *f, char *cmocka)
{
	char place[512], *line, *rest = NULL;

	snprintf(place, sizeof(place), "# %s:%d: error", now.file ? now.file : "", now.line);
	if (now.text && strstr(cmocka, place))
		fprintf(f, "# %s:%d: %s\n", now.file, now.line, now.text);
	if (now.more[0])
		fprintf(f, "# %s\n", now.more);
	for (line = strtok_r(cmocka, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (line[0] == '#' && strncmp(line, "# not ok", 8) &&
		    strncmp(line, place, strlen(place)))
			fprintf(f, "%s\n", line);
}

static FILE *memory_stream(char **text)
{
	static size_t size;
	FILE *f = open_memstream(text, &size);

	if (!f)
		abort();
	return f;
}

/* Runs one function under cmocka. *why: comments on a failure, the reason of a skip, or empty. */
static enum outcome attempt(void (*fn)(void **), char **why)
{
	const struct CMUnitTest one = { now.test->name, fn, NULL, hush, NULL };
	pid_t pid = getpid();
	char *cmocka = NULL;
	int failed;
	FILE *f;

	now.text = NULL;
	now.skip[0] = now.more[0] = '\0';
	now.out = stdout;
	stdout = now.cmocka = memory_stream(&cmocka);
	failed = _cmocka_run_group_tests("test", &one, 1, NULL, NULL);
	stdout = now.out;
	fclose(now.cmocka);

	f = memory_stream(why);
	if (failed)
		put_why(f, cmocka);
	else
		fputs(now.skip, f);
	fclose(f);
	free(cmocka);
	if (getpid() != pid) {
		printf("# a child of %s did not exit by itself:\n%s", now.test->name, *why);
		fflush(stdout);
		_exit(1);
	}
	return failed ? FAILED : now.skip[0] ? SKIPPED : PASSED;
}

static bool run(const struct test *test, size_t number)
{
	char *why = NULL, *why_after = NULL;
	enum outcome outcome;

	memset(&now, 0, sizeof(now));
	now.test = test;
	outcome = attempt(body, &why);
	if (test->teardown && now.begun && attempt(teardown, &why_after) == FAILED)
		outcome = FAILED;
	if (outcome == FAILED)
		printf("not ok %zu - %s\n%s", number, test->name, why);
	else if (outcome == SKIPPED)
		printf("ok %zu - %s # SKIP %s\n", number, test->name, why);
	else
		printf("ok %zu - %s\n", number, test->name);
	if (why_after && why_after[0])
		printf("# in the teardown:\n%s", why_after);
	free(why);
	free(why_after);
	return outcome != FAILED;
}

static bool chosen(const struct test *test, char *const *names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (strstr(test->name, *names))
			return true;
	return false;
}

static int usage(const char *self)
{
	fprintf(stderr, "usage: %s [-l] [--repeat N] [NAME...]\n", self);
	return 2;
}

static int run_all(const struct test *tests, size_t n_tests, char *const *names, size_t repeat)
{
	size_t n = 0, number = 0;
	bool ok = true;

	for (size_t i = 0; i < n_tests; i++)
		n += chosen(&tests[i], names);
	printf("TAP version 13\n1..%zu\n", n * repeat);
	for (size_t round = 0; round < repeat; round++)
		for (size_t i = 0; i < n_tests; i++)
			if (chosen(&tests[i], names))
				ok &= run(&tests[i], ++number);
	return ok ? 0 : 1;
}

int test_main(int argc, char **argv, const struct test *tests, size_t n_tests)
{
	bool list = false;
	long repeat = 1;
	char *end;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-l")) {
			list = true;
		} else if (!strcmp(argv[i], "--repeat") && i + 1 < argc) {
			repeat = strtol(argv[++i], &end, 10);
			if (*end || repeat < 1 || repeat > REPEAT_MAX)
				return usage(argv[0]);
		} else {
			return usage(argv[0]);
		}
	}
	/* A line at a time, so that a forked child inherits no half-written output. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!list)
		return run_all(tests, n_tests, argv + i, (size_t)repeat);
	for (size_t t = 0; t < n_tests; t++)
		if (chosen(&tests[t], argv + i))
			puts(tests[t].name);
	return 0;
}
