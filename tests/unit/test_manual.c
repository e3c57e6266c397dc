// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The manual and the completions say what there is, and nothing that is not: verbs and options as
 * the command's own help has them, what it prints, outcomes, features, the library's functions as
 * its header declares them, the calls and fields for authors of BPF programs.
 */
#define _GNU_SOURCE
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>

#include <unfrag/unfrag.h>

#define UNFRAG  TEST_BUILD "/src/cli/unfrag"
#define DOC     TEST_SOURCE "/doc"
#define HEADERS TEST_SOURCE "/include/unfrag"

static char *page(const char *name)
{
	char *text = text_file(DOC "/%s.scd", name);

	text_unescape(text);
	return text;
}

/* What "unfrag VERB --help" says, and the options in it but for those that every verb has. */
struct verb {
	char name[WORD_MAX];
	char *help;
	struct words options;
};

static void get_verb(struct verb *v)
{
	struct words all = { 0 };
	size_t i;

	v->help = text_of("'%s' %s --help", UNFRAG, v->name);
	v->options.count = 0;
	words_options(&all, v->help);
	for (i = 0; i < all.count; i++)
		if (strcmp(all.word[i], "--help") && strcmp(all.word[i], "--verbose"))
			words_add(&v->options, all.word[i], strlen(all.word[i]));
}

/* Lines of two blanks and a word, as "unfrag --help" lists verbs. */
static void get_verbs(struct words *verbs)
{
	text_auto char *help = text_of("'%s' --help", UNFRAG);
	const char *p;
	size_t len;

	for (p = strstr(help, "\n  "); p; p = strstr(p, "\n  ")) {
		p += 3;
		len = strspn(p, LOWER);
		if (len)
			words_add(verbs, p, len);
	}
	assert_true(verbs->count > 0);
}

static void each_verb(void (*check)(const struct verb *v))
{
	static struct words verbs;
	static struct verb v;
	size_t i;

	verbs.count = 0;
	get_verbs(&verbs);
	for (i = 0; i < verbs.count; i++) {
		memcpy(v.name, verbs.word[i], sizeof(v.name));
		get_verb(&v);
		check(&v);
		text_freep(&v.help);
	}
}

/* Both ways: nothing is missing, nothing is left over from an earlier day. */
static void expect_options(const struct verb *v, const char *text, const char *where)
{
	struct words have = { 0 };

	if (!text)
		printf("# %s does not have the verb %s\n", where, v->name);
	assert_non_null(text);
	words_options(&have, text);
	words_expect(&v->options, &have, where);
	words_expect(&have, &v->options, v->name);
}

/* Calls check with the letter and name of each option that has a letter. */
static void each_letter(const struct verb *v, const char *text,
			void (*check)(const char *text, char letter, const char *option))
{
	const char *p;

	for (p = strstr(v->help, ", --"); p; p = strstr(p + 1, ", --")) {
		text_auto char *option = text_format("%.*s", (int)strspn(p + 2, "-" LOWER), p + 2);

		if (strcmp(option, "--help") && strcmp(option, "--verbose"))
			check(text, p[-1], option);
	}
}

static void letter_in_manual(const char *text, char letter, const char *option)
{
	text_expect(text, "*-%c*, *%s*", letter, option);
}

static void verb_in_manual(const struct verb *v)
{
	text_auto char *manual = page("unfrag.8"), *section = NULL;
	text_auto char *title = text_format("\n## %s\n", v->name);

	section = text_between(manual, title, "\n#");
	expect_options(v, section, "unfrag.8");
	text_expect(section, "*unfrag %s", v->name);
	each_letter(v, section, letter_in_manual);
}

static void the_manual_has_every_verb_and_option(void)
{
	text_auto char *manual = page("unfrag.8"), *options = NULL;

	each_verb(verb_in_manual);
	options = text_between(manual, "\n# OPTIONS\n", "\n# ");
	assert_non_null(options);
	text_expect(options, "*--help*");
	text_expect(options, "*--verbose*");
	text_expect(options, "*--version*");
}

/* What "unfrag policy --help" lists has a page of its own. */
static void the_manual_has_every_verb_and_option_of_policy(void)
{
	text_auto char *manual = page("unfrag-policy.8"), *help = NULL;
	static struct verb v;
	const char *p;

	help = text_of("'%s' policy --help", UNFRAG);
	for (p = strstr(help, "\n  "); p; p = strstr(p, "\n  ")) {
		text_auto char *word = NULL, *section = NULL, *title = NULL;

		p += 3;
		word = text_format("%.*s", (int)strspn(p, LOWER), p);
		snprintf(v.name, sizeof(v.name), "policy %s", word);
		get_verb(&v);
		title = text_format("\n## %s\n", word);
		section = text_between(manual, title, "\n#");
		expect_options(&v, section, "unfrag-policy.8");
		text_expect(section, "*unfrag policy %s", word);
		free(v.help);
	}
}

/* What bash offers when these words are typed, the last one not to its end. */
static char *bash(const char *words, unsigned int last)
{
	return text_of(
		"bash -c '. %s/completion/unfrag.bash; COMP_WORDS=(%s); COMP_CWORD=%u; "
		"_unfrag; printf \"%%s\\n\" \"${COMPREPLY[@]}\"'",
		DOC, words, last);
}

static void verb_in_bash(const struct verb *v)
{
	text_auto char *verbs = bash("unfrag \"\"", 1), *options = NULL, *own = NULL;
	text_auto char *words = text_format("unfrag %s --", v->name);

	text_expect(verbs, "%s\n", v->name);
	options = bash(words, 2);
	/* What all verbs have comes last. */
	own = text_between(options, "", "--verbose\n--help\n");
	assert_true(strlen(own) < strlen(options));
	expect_options(v, own, "unfrag.bash");
}

static void bash_offers_every_verb_and_option(void)
{
	each_verb(verb_in_bash);
}

static void bash_offers_values(void)
{
	text_auto char *first = bash("unfrag attach --hook \"\"", 3);
	text_auto char *second = bash("unfrag attach -k forward,", 3);
	text_auto char *joined = bash("unfrag attach --family = ipv", 4);
	text_auto char *verdict = bash("unfrag attach --fragments =", 3);
	text_auto char *what = bash("unfrag defrag --netns x -f ipv4 \"\"", 6);
	text_auto char *object = bash("unfrag replace name " TEST_SOURCE "/doc/comp", 3);
	int i;

	for (i = 0; i < UNFRAG_HOOK_MAX; i++) {
		text_expect(first, "%s\n", unfrag_hook_name((enum unfrag_hook)i));
		text_expect(second, "forward,%s\n", unfrag_hook_name((enum unfrag_hook)i));
	}
	assert_string_equal(joined, "ipv4\nipv6\n");
	assert_string_equal(verdict, "drop\naccept\n");
	assert_string_equal(what, "on\noff\nstatus\n");
	assert_string_equal(object, TEST_SOURCE "/doc/completion\n");
}

static void letter_in_zsh(const char *text, char letter, const char *option)
{
	text_expect(text, "{-%c+,%s=}", letter, option);
}

static void verb_in_zsh(const struct verb *v)
{
	text_auto char *zsh = text_file(DOC "/completion/_unfrag"), *block = NULL;
	text_auto char *begin = text_format("\n\t%s)\n", v->name);

	text_expect(zsh, "\n\t\t'%s:", v->name);
	block = text_between(zsh, begin, "\n\t\t;;");
	expect_options(v, block, "_unfrag");
	each_letter(v, block, letter_in_zsh);
}

static void zsh_offers_every_verb_and_option(void)
{
	each_verb(verb_in_zsh);
}

static void letter_in_fish(const char *text, char letter, const char *option)
{
	text_expect(text, " -s %c  %s ", letter, option);
}

/* The lines that hold for a verb: __unfrag_of 'VERB VERB' ... "  --name" is made of " -l name". */
static char *fish_lines(const char *fish, const char *verb)
{
	static const char key[] = "\n__unfrag_of '";
	struct words verbs;
	const char *p, *end;
	size_t size;
	char *lines, *option;
	FILE *out = open_memstream(&lines, &size);

	for (p = strstr(fish, key); p; p = strstr(end, key)) {
		text_auto char *names = text_between(p, key, "'");

		end = strchrnul(p + 1, '\n');
		verbs.count = 0;
		words_collect(&verbs, names, "", LOWER);
		if (words_have(&verbs, verb))
			fprintf(out, "%.*s", (int)(end - p), p);
	}
	fclose(out);
	while ((option = strstr(lines, " -l "))) {
		option[1] = ' ';
		option[2] = option[3] = '-';
	}
	return lines;
}

static void verb_in_fish(const struct verb *v)
{
	text_auto char *fish = text_file(DOC "/completion/unfrag.fish");
	text_auto char *lines = fish_lines(fish, v->name);

	text_expect(fish, "\n__unfrag_verb %s ", v->name);
	expect_options(v, lines, "unfrag.fish");
	each_letter(v, lines, letter_in_fish);
}

static void fish_offers_every_verb_and_option(void)
{
	each_verb(verb_in_fish);
}

static void the_manual_has_outcomes_features_hooks_and_states(void)
{
	text_auto char *manual = page("unfrag.8");
	int i;

	text_flatten(manual);
	for (i = 0; i < UNFRAG_OUTCOME_MAX; i++)
		text_expect(manual, "| *%s* : %s : %s", unfrag_outcome_name((enum unfrag_outcome)i),
			    unfrag_outcome_judged((enum unfrag_outcome)i) ? "yes" : "no",
			    unfrag_outcome_text((enum unfrag_outcome)i));
	for (i = 0; i < UNFRAG_FEATURE_MAX; i++)
		text_expect(manual, "| *%s* : %s : %s", unfrag_feature_name((enum unfrag_feature)i),
			    unfrag_feature_since((enum unfrag_feature)i),
			    unfrag_feature_text((enum unfrag_feature)i));
	for (i = 0; i < UNFRAG_HOOK_MAX; i++)
		text_expect(manual, "*%s*", unfrag_hook_name((enum unfrag_hook)i));
	for (i = 0; i < UNFRAG_STATE_MAX; i++)
		text_expect(manual, "*%s*", unfrag_state_name((enum unfrag_state)i));
	text_expect(manual, "Default: %d", UNFRAG_PRIORITY_DEFAULT);
}

/* In namespaces and a BPF file system that end with it. */
static char *printed(const char *commands)
{
	return text_of(
		"unshare -n -m --propagation private sh -ec '"
		"mount -t bpf none /mnt; export UNFRAG_BPFFS=/mnt; PATH=%s:$PATH;"
		"object=%s/only_dns.bpf.o; unfrag attach -n one $object >/dev/null;"
		"unfrag defrag on >/dev/null; %s'",
		TEST_BUILD "/src/cli", TEST_BUILD "/examples", commands);
}

static void the_manual_has_every_key_and_column(void)
{
	text_auto char *manual = page("unfrag.8"), *json = NULL, *text = NULL;
	struct words keys = { 0 }, columns = { 0 };
	char *line, *rest = NULL, *colon;
	size_t i;

	test_require_root();
	json = printed(
		"unfrag probe --json; unfrag attach -n two -p 1 --json $object;"
		"unfrag replace --json two $object; unfrag list --json;"
		"unfrag stats --json; unfrag detach --json two;"
		"unfrag defrag on --holder me --json; unfrag defrag status --json;"
		"unfrag defrag off --holder me --json; ip link set lo up;"
		"unfrag guard on --json; unfrag guard tune --json --share 40;"
		"unfrag guard status --json; unfrag guard status --all --json;"
		"unfrag guard off --json; unfrag guard on --at xdp --dev lo --json;"
		"unfrag guard off --json");
	for (colon = strstr(json, "\":"); colon; colon = strstr(colon + 1, "\":")) {
		char *name = memrchr(json, '"', (size_t)(colon - json));

		words_add(&keys, name + 1, (size_t)(colon - name - 1));
	}
	assert_true(keys.count > 30);
	text = printed(
		"unfrag probe; unfrag list; unfrag stats; unfrag defrag status;"
		"unfrag guard on; unfrag guard status; unfrag guard status --all;"
		"unfrag guard top;"
		"unfrag stats --openmetrics | sed -n \"s/^# TYPE/TYPE/p\"");
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strspn(line, UPPER) > 1)
			words_collect(&columns, line, "", UPPER LOWER NUMBERS "_");
	assert_true(columns.count > 20);
	for (i = 0; i < keys.count; i++)
		text_expect(manual, "*%s*", keys.word[i]);
	for (i = 0; i < columns.count; i++)
		if (!strstr("TYPE counter gauge", columns.word[i]))
			text_expect(manual, "*%s*", columns.word[i]);
}

/* All that <unfrag/unfrag.h> includes. */
static char *library_headers(void)
{
	return text_of("cd '%s' && cat $(sed -n 's/^#include <unfrag.\\(.*\\)>/\\1/p' unfrag.h)",
		       HEADERS);
}

static void the_library_s_manual_has_every_function_as_declared(void)
{
	text_auto char *header = library_headers();
	text_auto char *map = text_file(TEST_SOURCE "/src/lib/libunfrag.map");
	text_auto char *manual = page("libunfrag.3");

	text_expect_functions(manual, header, map);
}

static void the_library_s_manual_has_every_constant(void)
{
	text_auto char *header = library_headers();
	text_auto char *manual = page("libunfrag.3");
	struct words all = { 0 }, want = { 0 }, have = { 0 };
	size_t i, len;

	text_uncomment(header);
	words_collect(&all, header, "UNFRAG_", UPPER NUMBERS "_");
	words_collect(&have, manual, "UNFRAG_", UPPER NUMBERS "_");
	for (i = 0; i < all.count; i++) {
		len = strlen(all.word[i]);
		if (all.word[i][len - 1] != '_' && strcmp(all.word[i] + len - 4, "_MAX"))
			words_add(&want, all.word[i], len);
	}
	assert_true(want.count > 20);
	words_expect(&want, &have, "libunfrag.3");
}

/* Changes the header. */
static void expect_members(char *header, const char *structs, const char *page_name)
{
	text_auto char *manual = page(page_name);
	struct words members = { 0 };
	size_t i;

	text_uncomment(header);
	text_unpreprocess(header);
	words_members(&members, header, structs);
	assert_true(members.count > 10);
	for (i = 0; i < members.count; i++)
		text_expect(manual, "*%s*", members.word[i]);
}

static void the_manual_has_every_member(void)
{
	text_auto char *library = library_headers();
	text_auto char *all = text_of("cat '%s'/*.h", HEADERS);

	expect_members(library, "struct unfrag_", "libunfrag.3");
	expect_members(all, "struct unfrag_facts ", "unfrag-bpf.7");
}

/* Those with a doc comment are public. */
static void the_manual_has_every_call_of_bpf_programs(void)
{
	text_auto char *header = text_of("cat '%s'/*.bpf.h", HEADERS);
	text_auto char *manual = page("unfrag-bpf.7");
	const char *p, *comment, *name, key[] = "*/\nUNFRAG_INLINE ";
	struct words calls = { 0 };
	size_t i;

	for (p = strstr(header, key); p; p = strstr(p + 1, key)) {
		comment = p;
		while (comment > header && strncmp(comment, "/*", 2))
			comment--;
		name = strstr(p, "unfrag_");
		if (comment[2] == '*')
			words_add(&calls, name, strspn(name, LOWER NUMBERS "_"));
	}
	assert_true(calls.count > 5);
	for (i = 0; i < calls.count; i++)
		text_expect(manual, "*%s*", calls.word[i]);
}

static const struct test tests[] = {
	TEST(the_manual_has_every_verb_and_option),
	TEST(the_manual_has_every_verb_and_option_of_policy),
	TEST(bash_offers_every_verb_and_option),
	TEST(bash_offers_values),
	TEST(zsh_offers_every_verb_and_option),
	TEST(fish_offers_every_verb_and_option),
	TEST(the_manual_has_outcomes_features_hooks_and_states),
	TEST(the_manual_has_every_key_and_column),
	TEST(the_library_s_manual_has_every_function_as_declared),
	TEST(the_library_s_manual_has_every_constant),
	TEST(the_manual_has_every_member),
	TEST(the_manual_has_every_call_of_bpf_programs),
};

TEST_MAIN(tests);
