// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "ninja install" into a DESTDIR, and then what a packager and a user of the package rely on: every
 * file in its place and no other, the symbols, and programs built from nothing but what is
 * installed and printed in the manual.
 */
#define _GNU_SOURCE
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>
#include <unistd.h>

struct tree {
	char dir[64];  /* all of the test's files */
	char path[96]; /* DESTDIR, in it */
};

static void install(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	*state = t;
	strcpy(t->dir, "/tmp/unfrag-install-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->path, sizeof(t->path), "%s/root", t->dir);
	text_run("meson install --no-rebuild --quiet -C '%s' --destdir '%s'", TEST_BUILD, t->path);
	/* As if it had been installed there: all paths of the package start with its prefix. */
	text_run("sed 's|^prefix=|&%s|' '%s%s/pkgconfig/libunfrag.pc' >'%s/libunfrag.pc'", t->path,
		 t->path, TEST_LIBDIR, t->dir);
}

static void uninstall(void *state)
{
	struct tree *t = state;

	if (t)
		text_run("rm -rf '%s'", t->dir);
	free(t);
}

/* Besides the headers. */
static const char *const files[] = {
	TEST_SBINDIR "/unfrag",
	TEST_LIBDIR "/libunfrag.so",
	TEST_LIBDIR "/libunfrag.so.0",
	TEST_LIBDIR "/libunfrag.so." TEST_VERSION,
	TEST_LIBDIR "/libunfrag-reasm.so",
	TEST_LIBDIR "/libunfrag-reasm.so.0",
	TEST_LIBDIR "/libunfrag-reasm.so." TEST_VERSION,
	TEST_LIBDIR "/pkgconfig/libunfrag.pc",
	TEST_MANDIR "/man3/libunfrag.3",
	TEST_MANDIR "/man7/unfrag-bpf.7",
	TEST_MANDIR "/man8/unfrag.8",
	TEST_DATADIR "/bash-completion/completions/unfrag",
	TEST_DATADIR "/fish/vendor_completions.d/unfrag.fish",
	TEST_DATADIR "/zsh/site-functions/_unfrag",
};

static void every_file_is_in_its_place_and_no_other(void *state)
{
	const struct tree *t = state;
	text_auto char *found = text_of("cd '%s' && find . -type d -o -size +0 -print", t->path);
	text_auto char *headers = text_of("cd '%s/include' && ls unfrag/*.h", TEST_SOURCE);
	char path[WORD_MAX];
	struct words want = { 0 }, have = { 0 };
	char *line, *rest = NULL;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		words_add(&want, files[i], strlen(files[i]));
	for (line = strtok_r(headers, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		words_add(&want, path,
			  (size_t)snprintf(path, sizeof(path), TEST_INCLUDEDIR "/%s", line));
	for (line = strtok_r(found, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		words_add(&have, line + 1, strlen(line + 1));
	words_expect(&want, &have, "the installation");
	words_expect(&have, &want, "the list of files to be installed");
}

static void the_library_exports_what_the_version_script_names(void *state)
{
	const struct tree *t = state;
	text_auto char *map = text_file(TEST_SOURCE "/src/lib/libunfrag.map");
	text_auto char *symbols =
		text_of("nm -D --defined-only '%s%s/libunfrag.so' | "
			"awk '$2 != \"A\" { sub(/@.*/, \"\", $3); print $3 }'",
			t->path, TEST_LIBDIR);
	const char *characters = "abcdefghijklmnopqrstuvwxyz0123456789_";
	struct words want = { 0 }, have = { 0 };

	text_uncomment(map);
	words_collect(&want, map, "unfrag_", characters);
	words_collect(&have, symbols, "", characters);
	words_expect(&want, &have, "libunfrag.so");
	words_expect(&have, &want, "libunfrag.map");
}

static void the_soname_is_that_of_version_0(void *state)
{
	const struct tree *t = state;
	text_auto char *dynamic = text_of("readelf -d '%s%s/libunfrag.so'", t->path, TEST_LIBDIR);

	text_expect(dynamic, "Library soname: [libunfrag.so.0]");
}

static void the_command_runs_with_the_library(void *state)
{
	const struct tree *t = state;
	text_auto char *said = text_of("LD_LIBRARY_PATH='%s%s' '%s%s/unfrag' --version", t->path,
				       TEST_LIBDIR, t->path, TEST_SBINDIR);

	text_expect(said, "unfrag %s,", TEST_VERSION);
}

/* As unfrag-bpf(7) says it is done. */
static void compile_bpf(const struct tree *t, const char *source)
{
	text_run(
		"export PKG_CONFIG_PATH='%s'; %s $(pkg-config --variable=bpf_cflags libunfrag) "
		"-Wall -Werror -c '%s' -o '%s/program.o'",
		t->dir, TEST_CLANG, source, t->dir);
}

static void the_examples_compile(void *state)
{
	compile_bpf(state, TEST_SOURCE "/examples/only_dns.bpf.c");
	compile_bpf(state, TEST_SOURCE "/examples/port_bytes.bpf.c");
	compile_bpf(state, TEST_SOURCE "/examples/tiny_fragments.bpf.c");
}

/*
 * Compiles every block between two lines of "```" (the first may name a language) in which `mark`
 * stands. Returns how many there were.
 */
static unsigned int each_program(const struct tree *t, const char *text, const char *mark,
				 void (*compile)(const struct tree *t, const char *source))
{
	unsigned int n = 0;
	char source[128];
	const char *p;

	for (p = strstr(text, "\n```"); p; p = strstr(p + 4, "\n```")) {
		text_auto char *block = text_between(p + 4, "\n", "\n```\n");

		assert_non_null(block);
		p = strstr(p + 4, "\n```");
		if (strncmp(block, "#include", 8) || !strstr(block, mark))
			continue;
		snprintf(source, sizeof(source), "%s/program%u.c", t->dir, n++);
		text_write(block, "%s", source);
		compile(t, source);
	}
	return n;
}

static void the_manual_s_bpf_programs_compile(void *state)
{
	text_auto char *text = text_file(TEST_SOURCE "/doc/unfrag-bpf.7.scd");

	text_unescape(text);
	assert_int_equal(each_program(state, text, "LICENSE", compile_bpf), 3);
}

static void the_readme_s_bpf_program_compiles(void *state)
{
	text_auto char *text = text_file(TEST_SOURCE "/README.md");

	assert_int_equal(each_program(state, text, "LICENSE", compile_bpf), 1);
}

/* The sanitizers of the library must be in the program too. */
static void compile_and_run(const struct tree *t, const char *source)
{
	text_auto char *said = NULL;

	text_run(
		"export PKG_CONFIG_PATH='%s'; %s -std=gnu11 -Wall -Wextra -Werror %s '%s' "
		"$(pkg-config --cflags --libs libunfrag) -o '%s/program'",
		t->dir, TEST_CC, TEST_SANITIZE, source, t->dir);
	said = text_of("LD_LIBRARY_PATH='%s%s' '%s/program' || test $? -eq 2", t->path, TEST_LIBDIR,
		       t->dir);
	text_expect(said, "usage: ");
}

static void the_manual_s_program_links_and_runs(void *state)
{
	text_auto char *text = text_file(TEST_SOURCE "/doc/libunfrag.3.scd");

	text_unescape(text);
	assert_int_equal(each_program(state, text, "int main(", compile_and_run), 1);
}

#define TEST_TREE(fn) TEST_WITH(fn, install, uninstall)

static const struct test tests[] = {
	TEST_TREE(every_file_is_in_its_place_and_no_other),
	TEST_TREE(the_library_exports_what_the_version_script_names),
	TEST_TREE(the_soname_is_that_of_version_0),
	TEST_TREE(the_command_runs_with_the_library),
	TEST_TREE(the_examples_compile),
	TEST_TREE(the_manual_s_bpf_programs_compile),
	TEST_TREE(the_readme_s_bpf_program_compiles),
	TEST_TREE(the_manual_s_program_links_and_runs),
};

TEST_MAIN(tests);
