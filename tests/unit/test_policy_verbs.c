// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "policy check" and "policy diff" as commands: what they say of files, in which form, how they
 * end. Nothing is loaded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <test.h>
#include <unistd.h>

#include "layout.h"
#include "text.h"
#include "tuple_table.h"
#include "vectors.h"

#define UNFRAG TEST_BUILD "/src/cli/unfrag"

static char dir[64];

static void up(void **state)
{
	*state = dir;
	strcpy(dir, "/tmp/unfrag-verbs-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
}

static void down(void *state)
{
	(void)state;
	text_run("rm -r '%s'", dir);
}

/* Both streams, and the exit status at the end. */
static char *run(const char *arguments)
{
	return text_of("cd '%s' && { '%s' policy %s; echo \"exit $?\"; } 2>&1", dir, UNFRAG,
		       arguments);
}

static void expect(const char *arguments, const char *words)
{
	text_auto char *said = run(arguments);

	text_expect(said, "%s", words);
}

static void expect_all(const char *arguments, const char *all)
{
	text_auto char *said = run(arguments);

	if (strcmp(said, all))
		printf("# %s says: %s", arguments, said);
	assert_string_equal(said, all);
}

static void write_file(const char *name, const char *text)
{
	text_write(text, "%s/%s", dir, name);
}

static const char in_vain[] =
	"table inet t {\n"
	"\tset hosts { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.3 }; }\n"
	"\tchain alone {\n\t\taccept\n\t}\n"
	"\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n"
	"\t\tip saddr @hosts counter accept\n"
	"\t\tip saddr 10.0.0.0/8 accept\n"
	"\t\tip saddr 10.1.0.0/16 drop\n"
	"\t\tlimit rate 5/second log accept\n\t}\n}\n";

static void check_says_what_there_is_and_what_is_in_vain(void *state)
{
	(void)state;
	write_file("a.nft", in_vain);
	expect("check a.nft", "a.nft: 5 rules, 2 chains, 1 set with 2 elements, ");
	expect("check a.nft", " of memory\nexit 0\n");
	expect("check a.nft", "a.nft: warning: no rule leads to chain 'inet t alone'");
	expect("check a.nft", "a.nft:10: warning: rule 'ip saddr 10.1.0.0/16 drop'");
	expect("check - <a.nft", "-: 5 rules, 2 chains, ");
	expect("check -v a.nft", "\n  counters  ");
	expect("check -v a.nft", " bytes for each CPU\n");
	expect("check -v a.nft", "\n  events    1.0M\n");
	expect("check", "one file with a ruleset is needed");
	expect("check --memory lots a.nft", "--memory 'lots' is no size");
}

/* And the line of the README that explains a packet. */
static void the_examples_say_what_they_mean(void *state)
{
	text_auto char *edge = run("check " TEST_SOURCE "/examples/edge.nft");
	text_auto char *dns = run("check " TEST_SOURCE "/examples/only_dns.nft");
	text_auto char *why = run("explain " TEST_SOURCE
				  "/examples/edge.nft --packet "
				  "'udp 10.0.0.1:5353 > 10.8.0.2:53 len 4000 iif eth0'");

	(void)state;
	assert_null(strstr(edge, "warning"));
	text_expect(edge, "exit 0\n");
	assert_null(strstr(dns, "warning"));
	text_expect(dns, "exit 0\n");
	text_expect(why, "ip saddr @refused counter drop");
	text_expect(why, "exit 0\n");
}

static void check_refuses_what_takes_more_memory(void *state)
{
	(void)state;
	write_file("a.nft", in_vain);
	expect("check --memory 2M a.nft", " of memory\nexit 0\n");
	expect("check --memory 64K a.nft",
	       "a.nft: the ruleset takes 1.0M and may take 64.0K (rules ");
	expect("check --memory 64K a.nft", "exit 1\n");
}

/* The keys that the manual's section on "check" has. */
static void expect_keys(const char *json)
{
	text_auto char *manual = text_file(TEST_SOURCE "/doc/unfrag-policy.8.scd");
	text_auto char *section = NULL, *keys = NULL;
	char *p, *end;

	text_unescape(manual);
	section = text_between(manual, "\n## check\n", "\n## ");
	assert_non_null(section);
	keys = text_between(section, "Print JSON:", "\n\n");
	assert_non_null(keys);
	for (p = keys; (p = strchr(p, '*')); p = end + 1) {
		end = strchr(p + 1, '*');
		assert_non_null(end);
		text_expect(json, "\"%.*s\":", (int)(end - p - 1), p + 1);
	}
}

static void check_in_json_has_what_the_manual_says(void *state)
{
	text_auto char *json = NULL, *bad = NULL;

	(void)state;
	write_file("a.nft", in_vain);
	write_file("bad.nft",
		   "table ip t { chain c { type filter hook input priority 0;\n"
		   "reject\n}\n}\n");
	json = run("check --json a.nft");
	bad = run("check --json bad.nft");
	expect_keys(json);
	text_expect(json, "\"rules\": 5,");
	text_expect(json, "\"valid\": true,");
	text_expect(json, "no rule leads to chain");
	text_expect(json, "exit 0\n");
	text_expect(bad, "\"valid\": false,");
	text_expect(bad, "bad.nft:2: table ip t, chain c, rule 1: reject: not supported");
	text_expect(bad, "exit 1\n");
	assert_null(strstr(bad, "\"rules\""));
}

static void nobody_in_particular_may_check(void *state)
{
	text_auto char *said = NULL;

	(void)state;
	test_require_root();
	write_file("a.nft", in_vain);
	said = text_of(
		"cd '%s' && { setpriv --reuid 65534 --regid 65534 --clear-groups '%s' policy "
		"check a.nft; echo \"exit $?\"; } 2>&1",
		dir, UNFRAG);
	if (strstr(said, "no network namespace can be made"))
		test_skip("no user namespaces without privilege");
	text_expect(said, "a.nft: 5 rules, 2 chains, ");
	text_expect(said, "exit 0\n");
}

static const char before[] =
	"table inet t {\n"
	"\tcounter n { packets 5 bytes 50; }\n"
	"\tset s { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 12.0.0.1 }; }\n"
	"\tchain c {\n\t\ttype filter hook input priority 0; policy accept;\n"
	"\t\ttcp dport 1 counter packets 7 bytes 70 accept\n"
	"\t\ttcp dport 2 accept\n\t\ttcp dport 3 accept\n"
	"\t\tip saddr @s counter name n drop\n\t}\n}\n";

static const char after[] =
	"table inet t {\n"
	"\tset s { type ipv4_addr; flags interval; elements = { 10.0.0.0/9, 12.0.0.1 }; }\n"
	"\tchain c {\n\t\ttype filter hook input priority 5; policy drop;\n"
	"\t\ttcp dport 2 accept comment \"why\"\n\t\ttcp dport 3 accept\n"
	"\t\ttcp dport 1 counter accept\n"
	"\t\tip saddr @s drop\n\t}\n}\n";

static const char changes[] =
	"table inet t, set s\n"
	"+ 10.0.0.0-10.127.255.255\n"
	"- 10.0.0.0-10.255.255.255\n"
	"table inet t, counter n\n"
	"- (all of it)\n"
	"table inet t, chain c\n"
	"- type filter hook input priority 0; policy accept;\n"
	"- tcp dport 1 counter accept\n"
	"- tcp dport 2 accept\n"
	"+ type filter hook input priority 5; policy drop;\n"
	"+ tcp dport 2 accept comment \"why\"\n"
	"- ip saddr @s counter name \"n\" drop\n"
	"+ tcp dport 1 counter accept\n"
	"+ ip saddr @s drop\n"
	"exit 1\n";

static void diff_tells_what_comes_and_goes(void *state)
{
	text_auto char *json = NULL;

	(void)state;
	write_file("a.nft", before);
	write_file("b.nft", after);
	expect_all("diff a.nft b.nft", changes);
	expect_all("diff - b.nft <a.nft", changes);
	json = run("diff --json a.nft b.nft");
	text_flatten(json);
	text_expect(json,
		    "{ \"same\": false, \"changes\": [ { \"in\": \"table inet t, set s\", "
		    "\"change\": \"added\", \"what\": \"10.0.0.0-10.127.255.255\" }, ");
	text_expect(json,
		    "{ \"in\": \"table inet t, counter n\", \"change\": \"removed\", "
		    "\"what\": null }, ");
	text_expect(json, "exit 1");
}

static void diff_of_the_same_is_silent(void *state)
{
	(void)state;
	write_file("a.nft", before);
	text_run("sed 's/packets 7 bytes 70//; s/packets 5 bytes 50;//' '%s/a.nft' >'%s/b.nft'",
		 dir, dir);
	text_run("sed 's|10.0.0.0/8|10.0.0.0/9, 10.128.0.0/9|' '%s/a.nft' >'%s/c.nft'", dir, dir);
	expect_all("diff a.nft b.nft", "exit 0\n");
	expect_all("diff a.nft c.nft", "exit 0\n");
	expect("diff --json a.nft b.nft", "\"same\": true");
}

static void diff_ends_otherwise_at_trouble(void *state)
{
	(void)state;
	write_file("a.nft", before);
	expect("diff a.nft none.nft", "exit 2\n");
	expect("diff a.nft", "two rulesets are needed, files or names");
	expect("diff a.nft", "exit 2\n");
	expect("diff - - <a.nft", "standard input can be read only once");
}

static void the_manual_has_the_limits(void)
{
	text_auto char *manual = text_file(TEST_SOURCE "/doc/unfrag-policy.8.scd"), *limits = NULL;

	limits = text_between(manual, "\n# LIMITS\n", "\n# ");
	assert_non_null(limits);
	text_flatten(limits);
	text_expect(limits, "| %u : steps of rules:", GATE_ENTRIES_MAX);
	text_expect(limits, "| %u : named sets, maps,", GATE_SETS_MAX);
	text_expect(limits, "| %u : fields of a concatenation", GATE_TUPLE_FIELDS);
	text_expect(limits, "| %u : combinations of prefix lengths", GATE_SHAPES_MAX);
	text_expect(limits, "| %u : elements of one set of concatenations", TUPLES_MAX);
	text_expect(limits, "| %u : jumps and gotos", GATE_JUMPS_MAX);
	text_expect(limits, "| %u : priorities at one hook", GATE_RANKS_MAX);
	text_expect(limits, "| %u : kinds of packets", VECTORS_MAX);
	text_expect(limits, "| %u : steps that one packet may cost", GATE_STEPS_MAX);
}

#define VERB_TEST(fn) TEST_WITH(fn, up, down)

static const struct test tests[] = {
	VERB_TEST(check_says_what_there_is_and_what_is_in_vain),
	VERB_TEST(the_examples_say_what_they_mean),
	VERB_TEST(check_refuses_what_takes_more_memory),
	VERB_TEST(check_in_json_has_what_the_manual_says),
	VERB_TEST(nobody_in_particular_may_check),
	VERB_TEST(diff_tells_what_comes_and_goes),
	VERB_TEST(diff_of_the_same_is_silent),
	VERB_TEST(diff_ends_otherwise_at_trouble),
	TEST(the_manual_has_the_limits),
};

TEST_MAIN(tests);
