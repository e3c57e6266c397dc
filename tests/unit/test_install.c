// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "ninja install" into a DESTDIR, and then what a packager and a user of the package rely on: every
 * file in its place and no other, the symbols, and programs built from nothing but what is
 * installed and printed in the manual.
 */
#define _GNU_SOURCE
#include "text.h"

#include <lab.h>
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
	text_run("cp '%s%s/pkgconfig/'*.pc '%s' && sed -i 's|^prefix=|&%s|' '%s/'*.pc", t->path,
		 TEST_LIBDIR, t->dir, t->path, t->dir);
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
	TEST_BINDIR "/unfrag",
	TEST_LIBDIR "/libunfrag.so",
	TEST_LIBDIR "/libunfrag.so.0",
	TEST_LIBDIR "/libunfrag.so." TEST_VERSION,
	TEST_LIBDIR "/libunfrag-reasm.so",
	TEST_LIBDIR "/libunfrag-reasm.so.0",
	TEST_LIBDIR "/libunfrag-reasm.so." TEST_VERSION,
	TEST_LIBDIR "/pkgconfig/libunfrag.pc",
	TEST_LIBDIR "/pkgconfig/libunfrag-reasm.pc",
	TEST_MANDIR "/man3/libunfrag.3",
	TEST_MANDIR "/man3/libunfrag-reasm.3",
	TEST_MANDIR "/man7/unfrag-bpf.7",
	TEST_MANDIR "/man8/unfrag-policy.8",
	TEST_MANDIR "/man8/unfrag.8",
	TEST_UNITDIR "/unfrag@.service",
	TEST_DATADIR "/doc/unfrag/examples/edge.nft",
	TEST_DATADIR "/doc/unfrag/examples/only_dns.nft",
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

static void expect_exports(const struct tree *t, const char *library, const char *map_path)
{
	text_auto char *map = text_file("%s/%s", TEST_SOURCE, map_path);
	text_auto char *symbols =
		text_of("nm -D --defined-only '%s%s/%s.so' | "
			"awk '$2 != \"A\" { sub(/@.*/, \"\", $3); print $3 }'",
			t->path, TEST_LIBDIR, library);
	const char *characters = "abcdefghijklmnopqrstuvwxyz0123456789_";
	struct words want = { 0 }, have = { 0 };

	text_uncomment(map);
	words_collect(&want, map, "unfrag_", characters);
	words_collect(&have, symbols, "", characters);
	words_expect(&want, &have, library);
	words_expect(&have, &want, map_path);
}

static void libraries_export_what_the_version_scripts_name(void *state)
{
	expect_exports(state, "libunfrag", "src/lib/libunfrag.map");
	expect_exports(state, "libunfrag-reasm", "src/reasm/libunfrag-reasm.map");
}

static void expect_soname(const struct tree *t, const char *library)
{
	text_auto char *dynamic = text_of("readelf -d '%s%s/%s.so'", t->path, TEST_LIBDIR, library);

	text_expect(dynamic, "Library soname: [%s.so.0]", library);
}

static void the_sonames_are_those_of_version_0(void *state)
{
	expect_soname(state, "libunfrag");
	expect_soname(state, "libunfrag-reasm");
}

/* Not even of the other library here. What sanitizers need does not count. */
static void the_engine_needs_nothing_but_the_c_library(void *state)
{
	const struct tree *t = state;
	text_auto char *needs =
		text_of("readelf -d '%s%s/libunfrag-reasm.so' | grep NEEDED | "
			"grep -vE 'lib(c|asan|ubsan|gcc_s)\\.so' || true",
			t->path, TEST_LIBDIR);

	assert_string_equal(needs, "");
}

static void the_command_runs_with_the_library(void *state)
{
	const struct tree *t = state;
	text_auto char *said = text_of("LD_LIBRARY_PATH='%s%s' '%s%s/unfrag' --version", t->path,
				       TEST_LIBDIR, t->path, TEST_BINDIR);

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
static void compile_with(const struct tree *t, const char *source, const char *library)
{
	text_run(
		"export PKG_CONFIG_PATH='%s'; %s -std=gnu11 -Wall -Wextra -Werror %s '%s' "
		"$(pkg-config --cflags --libs %s) -o '%s/program'",
		t->dir, TEST_CC, TEST_SANITIZE, source, library, t->dir);
}

static void compile_and_run(const struct tree *t, const char *source)
{
	text_auto char *said = NULL;

	compile_with(t, source, "libunfrag");
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

static void write_packets(const char *path, const struct lab_packets *packets)
{
	FILE *f = fopen(path, "we");
	size_t i, len;

	assert_non_null(f);
	for (i = 0; i < packets->count; i++) {
		const unsigned char *packet = lab_packet_at(packets, i, &len);

		fputc((int)(len >> 8), f);
		fputc((int)(len & 0xff), f);
		fwrite(packet, 1, len, f);
	}
	assert_int_equal(fclose(f), 0);
}

/* A datagram in two fragments, one that stays alone, one that is none. */
static void reassemble(const struct tree *t, const char *source)
{
	lab_auto_packets struct lab_packets in = { 0 }, want = { 0 };
	text_auto char *in_path = text_format("%s/in", t->dir), *said = NULL;
	text_auto char *want_path = text_format("%s/want", t->dir);
	struct lab_datagram dg;

	test_ok(lab_datagram_init(&dg, AF_INET6, "2001:db8::1", "2001:db8::2"));
	dg.protocol = IPPROTO_UDP;
	dg.payload = t->path;
	dg.payload_len = sizeof(t->path);
	test_ok(lab_fragment_at(&dg, 64, 32, false, &in));
	test_ok(lab_fragment_at(&dg, 0, 64, true, &in));
	test_ok(lab_whole(&dg, &in));
	test_ok(lab_fragment_at(&dg, 0, 64, true, &in));
	test_ok(lab_fragment_at(&dg, 0, 63, true, &in));
	write_packets(in_path, &in);
	test_ok(lab_whole(&dg, &want));
	test_ok(lab_whole(&dg, &want));
	write_packets(want_path, &want);
	compile_with(t, source, "libunfrag-reasm");
	said = text_of("LD_LIBRARY_PATH='%s%s' '%s/program' <'%s' 2>&1 >'%s/out'", t->path,
		       TEST_LIBDIR, t->dir, in_path, t->dir);
	assert_string_equal(said,
			    "dropped: more to come, but its length is no multiple of 8\n"
			    "1 fragments: the end of all work\n");
	text_run("cmp '%s' '%s/out'", want_path, t->dir);
}

static void the_engine_s_program_reassembles(void *state)
{
	text_auto char *text = text_file(TEST_SOURCE "/doc/libunfrag-reasm.3.scd");

	text_unescape(text);
	assert_int_equal(each_program(state, text, "int main(", reassemble), 1);
}

#ifdef TEST_SYSTEMD_ANALYZE
static void systemd_takes_the_unit(void *state)
{
	const struct tree *t = state;
	text_auto char *said = NULL;

	/* Of a package that stands elsewhere than where it says. */
	text_run("sed 's|=" TEST_BINDIR
		 "|=%s%s|' '%s%s/unfrag@.service' > '%s/unfrag@edge.service'",
		 t->path, TEST_BINDIR, t->path, TEST_UNITDIR, t->dir);
	said = text_of("'%s' verify --man=no '%s/unfrag@edge.service' 2>&1", TEST_SYSTEMD_ANALYZE,
		       t->dir);
	assert_string_equal(said, "");
}
#endif

#define TEST_TREE(fn) TEST_WITH(fn, install, uninstall)

static const struct test tests[] = {
	TEST_TREE(every_file_is_in_its_place_and_no_other),
	TEST_TREE(libraries_export_what_the_version_scripts_name),
	TEST_TREE(the_sonames_are_those_of_version_0),
	TEST_TREE(the_engine_needs_nothing_but_the_c_library),
	TEST_TREE(the_command_runs_with_the_library),
	TEST_TREE(the_examples_compile),
	TEST_TREE(the_manual_s_bpf_programs_compile),
	TEST_TREE(the_readme_s_bpf_program_compiles),
	TEST_TREE(the_manual_s_program_links_and_runs),
	TEST_TREE(the_engine_s_program_reassembles),
#ifdef TEST_SYSTEMD_ANALYZE
	TEST_TREE(systemd_takes_the_unit),
#endif
};

TEST_MAIN(tests);
