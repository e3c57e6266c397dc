// SPDX-License-Identifier: GPL-2.0-or-later
/* Refusals name the line of the file, and where that is not certain they name none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rulefile.h"

#define BASE "type filter hook input priority 0\n"

/* A refusal of the file itself: "/tmp/FILE:LINE: table ip t, chain c, rule N: reject: ..." */
static bool says(const struct rulefile *f, const char *file, unsigned int line, const char *where)
{
	char words[256];

	snprintf(words, sizeof(words), "%s:%u: table %s: reject: not supported", file, line, where);
	return rulefile_says(f, words);
}

static void must_say(struct rulefile *f, const char *file, unsigned int line, const char *where)
{
	if (!says(f, file, line, where)) {
		print_error("not said: %s:%u: table %s\n", file, line, where);
		for (size_t i = 0; i < f->messages.n; i++)
			print_error("said: %s\n", f->messages.text[i]);
	}
	assert_true(says(f, file, line, where));
}

/* Each file has `reject` as these rules of "ip t, chain c", on these lines. */
static void refuse(struct rulefile *f, const char *text, const unsigned int (*at)[2])
{
	char where[64];
	size_t n = 0;

	rulefile_write(f, "%s", text);
	assert_int_not_equal(rulefile_read(f, NULL), 0);
	for (; (*at)[0]; at++, n++) {
		snprintf(where, sizeof(where), "ip t, chain c, rule %u", (*at)[0]);
		must_say(f, f->path, (*at)[1], where);
	}
	assert_int_equal(f->messages.n, n);
}

#define REFUSE(f, text, ...) refuse(f, text, (const unsigned int[][2]){ __VA_ARGS__, { 0, 0 } })

static void a_rule_that_is_read_knows_its_line(void *state)
{
	struct rulefile *f = state;
	char place[128];

	rulefile_write(f, "table ip t {\n chain c { " BASE "accept\n\n drop\n }\n}\n");
	assert_int_equal(rulefile_read(f, NULL), 0);
	assert_int_equal(f->rs.n_rules, 2);
	snprintf(place, sizeof(place), "%s:3", f->path);
	assert_string_equal(f->rs.rules[0].place, place);
	snprintf(place, sizeof(place), "%s:5", f->path);
	assert_string_equal(f->rs.rules[1].place, place);
}

static void rules_are_counted_within_their_chain(void *state)
{
	REFUSE(state,
	       "table ip t {\n"
	       " chain a { accept; }\n"
	       " chain c { " BASE
	       "accept; reject; accept; reject\n"
	       "  drop\n"
	       "\n"
	       "  reject; }\n"
	       "}\n",
	       { 2, 4 }, { 4, 4 }, { 6, 7 });
}

static void rules_begin_where_their_first_word_is(void *state)
{
	REFUSE(state,
	       "table ip t {\n"
	       " chain c { " BASE
	       "  ip saddr {\n"
	       "   1.2.3.4, # one; {\n"
	       "   5.6.7.8,\n"
	       "  } reject\n"
	       "  ip saddr \\\n"
	       "   1.2.3.4 \\\n"
	       "   reject\n"
	       "  log prefix \"} a; # \" reject; reject comment \"{ # accept\"\n"
	       " }\n"
	       "}\n",
	       { 1, 3 }, { 2, 7 }, { 3, 10 }, { 4, 10 });
}

static void comments_and_strings_are_no_rules(void *state)
{
	REFUSE(state,
	       "#!/usr/sbin/nft -f\n"
	       "define X = { 1.2.3.4, # } \"\n"
	       "  5.6.7.8 }\n"
	       "define Y = \"lo\"\n"
	       "table ip t { # a { comment \"\n"
	       " comment \"drop; } accept\"\n"
	       " set s {\n"
	       "  type ipv4_addr; flags interval; elements = { 1.2.3.4,\n"
	       "   10.0.0.0/8 }\n"
	       " }\n"
	       " map m { type inet_service : verdict; elements = { 5 : drop, 6 : accept }; }\n"
	       " counter n { }\n"
	       " chain c {\n"
	       "  comment \"drop;\"\n"
	       "  " BASE
	       "  policy drop\n"
	       "  # accept; {\n"
	       "  iif $Y ip saddr $X reject # drop;\n"
	       "  tcp dport vmap @m; counter name n; ip saddr @s reject\n"
	       " }\n"
	       "}\n",
	       { 1, 18 }, { 4, 19 });
}

static void commands_add_and_take_away(void *state)
{
	REFUSE(state,
	       "add table ip t\n"
	       "add chain ip t c { " BASE
	       "policy drop; }\n"
	       "add rule ip t c reject\n"
	       "flush ruleset\n"
	       "table t { chain c { " BASE
	       "accept; }\n chain d { }\n}\n"
	       "delete table ip t\n"
	       "table ip t { chain c { " BASE
	       "reject; }\n chain d { drop; }\n}\n"
	       "add rule ip t c accept; add rule t c reject\n"
	       "insert rule ip t c reject\n"
	       "insert rule ip t c drop\n"
	       "flush chain ip t d\n"
	       "table t {\n"
	       " chain c { reject; }\n"
	       "}\n"
	       "add set ip t s { type ipv4_addr; }\n",
	       { 2, 16 }, { 3, 12 }, { 5, 15 }, { 6, 20 });
}

static void includes_are_files_of_their_own(void *state)
{
	struct rulefile *f = state;
	char dir[] = "/tmp/unfrag-test-XXXXXX", path[3][64];
	FILE *out;
	int i;

	assert_non_null(mkdtemp(dir));
	for (i = 0; i < 3; i++)
		snprintf(path[i], sizeof(path[i]), "%s/%d.nft", dir, i);
	out = fopen(path[0], "w");
	fprintf(out, "\nreject\ninclude \"%s\"\nreject\n", path[1]);
	fclose(out);
	out = fopen(path[1], "w");
	fprintf(out, "accept\n\n\nreject\n");
	fclose(out);
	out = fopen(path[2], "w");
	fprintf(out, "table ip u { chain c { reject; }\n}\n");
	fclose(out);
	rulefile_write(f,
		       "include \"%s/[2].nft\"; table ip t { chain c { " BASE
		       "include \"%s\"\nreject\n}\n}\n"
		       "include \"%s/none*.nft\"\n",
		       dir, path[0], dir);
	rulefile_read(f, NULL);
	must_say(f, path[2], 1, "ip u, chain c, rule 1");
	must_say(f, path[0], 2, "ip t, chain c, rule 1");
	must_say(f, path[1], 4, "ip t, chain c, rule 3");
	must_say(f, path[0], 4, "ip t, chain c, rule 4");
	must_say(f, f->path, 3, "ip t, chain c, rule 5");
	for (i = 0; i < 3; i++)
		unlink(path[i]);
	rmdir(dir);
}

/* Sets are told before rules; those without a name are a part of one. */
static void a_set_in_a_rule_is_refused_where_the_rule_is(void *state)
{
	struct rulefile *f = state;
	char words[160];

	rulefile_write(f, "table ip t { chain c { " BASE
			  "accept\n"
			  "tcp dport vmap {\n 5 : drop,\n * : accept }\n}\n}\n");
	snprintf(words, sizeof(words),
		 "%s:3: table ip t, chain c, rule 2: a set: the element '*': not supported; ",
		 f->path);
	rulefile_must_refuse(f, words);
	assert_int_equal(f->messages.n, 1);
}

/* Chains, sets and whatever else is refused itself: where its block is, or a chain's hook. */
static void what_is_no_rule_has_a_line_too(void *state)
{
	static const char *const words[] = {
		"2: table arp a: packets of this family",
		"6: table ip t, set s: timeouts: not supported",
		"8: table ip t, set m: a map of what is no verdict",
		"9: table ip t, limit l: not supported",
		"12: table ip t, chain n: type nat: not supported",
	};
	struct rulefile *f = state;
	char want[160];
	size_t i;

	rulefile_write(f,
		       "# one\n"
		       "table arp a { }\n"
		       "table ip t {\n"
		       " counter c { }\n"
		       "\n"
		       " set s { type ipv4_addr; timeout 5s; }\n"
		       " # { map m {\n"
		       " map m { type ipv4_addr : mark; }\n"
		       " limit l { rate 5/second; }\n"
		       " chain n {\n"
		       "  comment \"x\"\n"
		       "  type nat hook input priority 0\n"
		       " }\n"
		       " chain c { " BASE
		       " }\n"
		       "}\n");
	rulefile_read(f, NULL);
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		snprintf(want, sizeof(want), "%s:%s", f->path, words[i]);
		rulefile_must_refuse(f, want);
	}
}

/* A rule is put amid others by what only the kernel knows. */
static void what_is_not_certain_is_not_said(void *state)
{
	struct rulefile *f = state;
	char words[128];

	rulefile_write(f, "table ip t { chain c { " BASE
			  "accept; reject; }\n}\n"
			  "add rule ip t c index 0 accept\n");
	snprintf(words, sizeof(words), "%s: table ip t, chain c, rule 3: reject", f->path);
	rulefile_must_refuse(f, words);
	rulefile_write(f, "table ip t { chain c { " BASE "accept; reject; }\n}\n");
	rulefile_read(f, NULL);
	must_say(f, f->path, 2, "ip t, chain c, rule 2");
}

#define WITH(fn) TEST_WITH(fn, rulefile_setup, rulefile_teardown)

static const struct test tests[] = {
	WITH(a_rule_that_is_read_knows_its_line),
	WITH(rules_are_counted_within_their_chain),
	WITH(rules_begin_where_their_first_word_is),
	WITH(comments_and_strings_are_no_rules),
	WITH(commands_add_and_take_away),
	WITH(includes_are_files_of_their_own),
	WITH(what_is_not_certain_is_not_said),
	WITH(what_is_no_rule_has_a_line_too),
	WITH(a_set_in_a_rule_is_refused_where_the_rule_is),
};

TEST_MAIN(tests);
