/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every test executable is made of: cmocka's assertions, a table of tests and TEST_MAIN().
 *
 * cmocka runs a test and catches its failure; this glue adds what it lacks: names to choose from,
 * skips with a reason, repeats, a result in TAP 13 for tests/run, and the failed expression next
 * to file and line. Leaks are LeakSanitizer's to find, at exit.
 *
 * Assert only in the thread that runs the test. In a forked child a failed assertion ends the child
 * with status 1. A failed or skipped test does not run its cleanup attributes: skip early, and give
 * what must go away in any case (namespaces, pins, processes) to a teardown.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct test {
	const char *name;
	void (*plain)(void);           /* this one */
	void (*with)(void *state);     /* or this one, with a fixture */
	void (*setup)(void **state);   /* may assert and skip */
	void (*teardown)(void *state); /* runs whenever setup began */
};

#define TEST(fn) \
	{ \
		.name = #fn, .plain = (fn) \
	}
#define TEST_WITH(fn, up, down) \
	{ \
		.name = #fn, .with = (fn), .setup = (up), .teardown = (down) \
	}

/* Skips the test that runs, with a reason that says what is missing. */
#define test_skip(...) test_skip_(__FILE__, __LINE__, __VA_ARGS__)

/* Skips unless the test runs as root. */
#define test_require_root() test_require_root_(__FILE__, __LINE__)

/* The result; the test fails if that is a negative errno: int fd = test_ok(open_it()); */
#define test_ok(rc) test_ok_((rc), #rc, __FILE__, __LINE__)

/* The call must return exactly this: test_err(unfrag_attach(...), -EBUSY). */
#define test_err(rc, want) test_err_((rc), (want), #rc, __FILE__, __LINE__)

/*
 * cmocka's own, with the expression shown, integers in decimal, and such that a compiler knows
 * what holds after them. The other assert_* are as cmocka has them.
 */
#undef assert_true
#undef assert_false
#undef assert_null
#undef assert_non_null
#undef assert_int_equal
#undef assert_string_equal
#undef assert_memory_equal
#define assert_true(c)     TEST_CHECK_(c, "assert_true(" #c ")")
#define assert_false(c)    TEST_CHECK_(!(c), "assert_false(" #c ")")
#define assert_null(p)     TEST_CHECK_(!(p), "assert_null(" #p ")")
#define assert_non_null(p) TEST_CHECK_(p, "assert_non_null(" #p ")")
#define assert_int_equal(a, b) \
	test_int_equal_((intmax_t)(a), (intmax_t)(b), "assert_int_equal(" #a ", " #b ")", \
			__FILE__, __LINE__)
#define assert_string_equal(a, b) \
	(test_at_(__FILE__, __LINE__, "assert_string_equal(" #a ", " #b ")"), \
	 _assert_string_equal((a), (b), __FILE__, __LINE__))
#define assert_memory_equal(a, b, size) \
	(test_at_(__FILE__, __LINE__, "assert_memory_equal(" #a ", " #b ", " #size ")"), \
	 _assert_memory_equal((a), (b), (size), __FILE__, __LINE__))

/* EXECUTABLE [-l] [--repeat N] [NAME...]: tests whose name contains any NAME; see tests/run. */
#define TEST_MAIN(tests) \
	int main(int argc, char **argv) \
	{ \
		return test_main(argc, argv, (tests), sizeof(tests) / sizeof((tests)[0])); \
	} \
	_Static_assert(sizeof(tests) / sizeof((tests)[0]) > 0, "a table without tests")

int test_main(int argc, char **argv, const struct test *tests, size_t n_tests);

/* Behind the macros. */
#define TEST_CHECK_(c, text) ((c) ? (void)0 : test_fail_(__FILE__, __LINE__, (text)))

void test_at_(const char *file, int line, const char *text);
_Noreturn void test_fail_(const char *file, int line, const char *text);
_Noreturn void test_skip_(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void test_require_root_(const char *file, int line);
int test_ok_(int rc, const char *text, const char *file, int line);
void test_err_(int rc, int want, const char *text, const char *file, int line);
void test_int_equal_(intmax_t a, intmax_t b, const char *text, const char *file, int line);
