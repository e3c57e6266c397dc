// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What rulesets in force show on real traffic: the text and the numbers that nftables has for the
 * same rules and the same packets.
 */
#include <child.h>
#include <jansson.h>
#include <policed.h>
#include <stdio.h>
#include <string.h>
#include <test.h>
#include <time.h>

#define SEVEN 7 /* datagrams of IPv4, 29 bytes each */
#define THREE 3 /* of IPv6, 49 bytes */

/* Every rule leaves a packet to the next one, so that nftables behind the gate meets it too. */
#define RULES \
	"table inet t {\n" \
	"	counter seen {\n		packets 5 bytes 500\n	}\n" \
	"	counter few {\n	}\n" \
	"	set hosts {\n" \
	"		type ipv4_addr\n		flags interval\n" \
	"		elements = { 127.0.0.0/8, 192.168.0.0-192.168.0.9 }\n" \
	"	}\n" \
	"	chain sub {\n" \
	"		udp dport 9 counter return\n" \
	"		counter\n" \
	"	}\n" \
	"	chain c {\n" \
	"		type filter hook input priority %d; policy accept;\n" \
	"		counter name \"seen\"\n" \
	"		meta nfproto ipv4 counter name \"few\" meta mark 77 counter\n" \
	"		ip6 nexthdr udp counter jump sub\n" \
	"		ip saddr @hosts counter packets 100 bytes 1000 comment \"# = {\"\n" \
	"		meta length 40-60 limit rate 1/day burst 2 packets counter\n" \
	"		tcp dport { 22, 80-90 } counter drop\n" \
	"		udp sport != 9 counter counter log prefix \"counter 5 \"\n" \
	"	}\n" \
	"}\n" \
	"table ip6 six {\n" \
	"	chain c {\n" \
	"		type filter hook input priority %d; policy accept;\n" \
	"		ip6 saddr ::1 ip6 hoplimit > 1 counter\n" \
	"	}\n" \
	"}\n"

static void send_ten(const struct life *l)
{
	policed_send(l, AF_INET, SEVEN);
	policed_send(l, AF_INET6, THREE);
}

/* All lines but those that begin with '#', and but empty ones. */
static void strip(char *text)
{
	char *to = text, *line, *end;

	for (line = text; *line; line = end) {
		end = strchr(line, '\n');
		assert_non_null(end);
		end++;
		if (*line == '#' || *line == '\n')
			continue;
		memmove(to, line, (size_t)(end - line));
		to += end - line;
	}
	*to = '\0';
}

/* As if it had been loaded at that priority; both have as many digits. */
static void change_priority(char *text, int32_t from, int32_t to)
{
	char before[32], after[32], *at;

	snprintf(before, sizeof(before), "priority %d;", from);
	snprintf(after, sizeof(after), "priority %d;", to);
	assert_int_equal(strlen(before), strlen(after));
	at = strstr(text, before);
	assert_non_null(at);
	memcpy(at, after, strlen(after));
}

static void text_and_numbers_are_those_of_nftables(void *state)
{
	const struct life *l = state;
	char theirs[8192], *text;
	struct command c;

	policed_load(l, policed_file(RULES, life_priority(0), life_priority(1)));
	assert_int_equal(lab_ns_run(l->ns, "nft -f %s",
				    policed_file(RULES, life_priority(2), life_priority(3))),
			 0);
	send_ten(l);
	assert_int_equal(lab_ns_output(l->ns, theirs, sizeof(theirs), "nft list ruleset"), 0);
	command_run(&c, "policy", "show", POLICED_NAME);
	command_expect(&c, 0, NULL);
	text = c.out;
	strip(text);
	strip(theirs);
	change_priority(theirs, life_priority(2), life_priority(0));
	change_priority(theirs, life_priority(3), life_priority(1));
	if (strcmp(text, theirs))
		printf("# nftables:\n%s# the gate:\n%s", theirs, text);
	assert_string_equal(text, theirs);
	/* And both what was sent. */
	assert_non_null(strstr(text, "packets 15 bytes 850\n"));
	assert_non_null(strstr(text, "packets 7 bytes 203\n"));
	assert_non_null(strstr(text, "ip6 nexthdr udp counter packets 3 bytes 147 jump sub\n"));
	assert_non_null(strstr(text, "@hosts counter packets 107 bytes 1203 comment"));
	assert_non_null(strstr(text, "burst 2 packets counter packets 2 bytes 98\n"));
	assert_non_null(strstr(text, "counter packets 0 bytes 0 drop\n"));
}

static void what_is_shown_can_be_loaded_and_goes_on(void *state)
{
	const struct life *l = state;
	struct command before, c;
	const char *path;

	policed_load(l, policed_file(RULES, life_priority(0), life_priority(1)));
	send_ten(l);
	command_run(&before, "policy", "show", POLICED_NAME);
	command_expect(&before, 0, NULL);
	path = policed_file("%s", before.out);
	/* As the same rules of before, which go on, and as those of a ruleset that is new. */
	for (int i = 0; i < 2; i++) {
		if (i)
			assert_int_equal(command_run(&c, "policy", "unload", POLICED_NAME), 0);
		if (i)
			policed_load(l, path);
		else
			command_run(&c, "policy", "reload", POLICED_NAME);
		command_run(&c, "policy", "show", POLICED_NAME);
		command_expect(&c, 0, NULL);
		strip(c.out);
		if (!i)
			strip(before.out);
		assert_string_equal(c.out, before.out);
	}
	send_ten(l);
	command_run(&c, "policy", "show", POLICED_NAME);
	assert_non_null(strstr(c.out, "packets 25 bytes 1200\n"));
	assert_non_null(strstr(c.out, "@hosts counter packets 114 bytes 1406 comment"));
}

static json_t *show_json(const char *more)
{
	struct command c;
	json_t *root;

	command_run(&c, "policy", "show", "--json", POLICED_NAME, more);
	command_expect(&c, 0, NULL);
	root = json_loads(c.out, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(root), 1);
	return root;
}

/* Of rule `rule` of chain `chain` of the table; or a named counter, with chain -1. */
static void expect_counter(const json_t *table, int chain, size_t rule, size_t n,
			   json_int_t packets, json_int_t bytes)
{
	const json_t *list = json_object_get(table, "counters"), *counter;

	if (chain >= 0) {
		list = json_object_get(json_array_get(json_object_get(table, "chains"),
						      (size_t)chain),
				       "rules");
		list = json_object_get(json_array_get(list, rule), "counters");
	}
	counter = json_array_get(list, n);
	assert_non_null(counter);
	assert_int_equal(json_integer_value(json_object_get(counter, "packets")), packets);
	assert_int_equal(json_integer_value(json_object_get(counter, "bytes")), bytes);
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	assert_non_null(text);
	return text;
}

static void json_has_what_the_manual_says(void *state)
{
	const struct life *l = state;
	const char *path = policed_file(RULES, life_priority(0), life_priority(1));
	json_t *root, *one, *table, *set;
	int64_t now = time(NULL);

	policed_load(l, path);
	send_ten(l);
	root = show_json(NULL);
	one = json_array_get(root, 0);
	assert_string_equal(text_at(one, "name"), POLICED_NAME);
	assert_string_equal(text_at(one, "file"), path);
	assert_true(json_is_string(json_object_get(one, "netns")));
	assert_true(json_integer_value(json_object_get(one, "since")) >= now - 1);
	assert_true(json_integer_value(json_object_get(one, "memory")) > 0);
	assert_true(json_is_false(json_object_get(one, "closed")));
	assert_int_equal(json_array_size(json_object_get(one, "places")), 2);
	assert_int_equal(json_array_size(json_object_get(one, "tables")), 2);
	table = json_array_get(json_object_get(one, "tables"), 0);
	assert_string_equal(text_at(table, "family"), "inet");
	expect_counter(table, -1, 0, 0, 15, 850);
	expect_counter(table, -1, 0, 1, 7, 203);
	expect_counter(table, 0, 0, 0, 3, 147);
	expect_counter(table, 0, 1, 0, 0, 0);
	expect_counter(table, 1, 0, 0, 15, 850);
	expect_counter(table, 1, 3, 0, 107, 1203);
	expect_counter(table, 1, 4, 0, 2, 98);
	expect_counter(table, 1, 6, 1, 10, 350);
	set = json_array_get(json_object_get(table, "sets"), 0);
	assert_string_equal(text_at(set, "name"), "hosts");
	assert_string_equal(text_at(set, "type"), "ipv4_addr");
	assert_true(json_is_true(json_object_get(set, "intervals")));
	assert_int_equal(json_integer_value(json_object_get(set, "size")), 2);
	assert_int_equal(json_array_size(json_object_get(set, "elements")), 2);
	table = json_array_get(json_object_get(one, "tables"), 1);
	expect_counter(table, 0, 0, 0, 3, 147);
	json_decref(root);
}

static void sets_are_shown_as_they_are_now(void *state)
{
	const struct life *l = state;
	struct command c;

	policed_load(l, policed_file(RULES, life_priority(0), life_priority(1)));
	command_run(&c, "policy", "set", "add", POLICED_NAME, "hosts", "172.16.0.0/12");
	command_expect(&c, 0, NULL);
	command_run(&c, "policy", "show", POLICED_NAME);
	assert_non_null(strstr(c.out, "127.0.0.0/8, 172.16.0.0/12,"));
	command_run(&c, "policy", "show", "--terse", POLICED_NAME);
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "# elements: 3\n"));
	assert_null(strstr(c.out, "127.0.0.0"));
	assert_int_equal(command_run(&c, "policy", "set", "flush", POLICED_NAME, "hosts"), 0);
	command_run(&c, "policy", "show", POLICED_NAME);
	assert_null(strstr(c.out, "elements"));
	/* A reload makes of them what the file says. */
	assert_int_equal(command_run(&c, "policy", "reload", POLICED_NAME), 0);
	command_run(&c, "policy", "show", POLICED_NAME);
	assert_non_null(strstr(c.out, "elements = { 127.0.0.0/8, 192.168.0.0-192.168.0.9 }\n"));
}

/* The lines in front: where it is from, since when, and where it stands. */
static void heads_say_where_rulesets_are_from_and_stand(void *state)
{
	const struct life *l = state;
	const char *path = policed_file(
		"table ip t {\nchain c {\n"
		"type filter hook forward priority %d;\n}\n}\n",
		life_priority(0));
	char want[256], ns[64];
	struct command c;

	life_named_ns(l, ns, sizeof(ns));
	command_run(&c, "policy", "load", "--netns", ns, "--name", POLICED_NAME, path);
	command_expect(&c, 0, NULL);
	command_run(&c, "policy", "show");
	command_expect(&c, 0, NULL);
	snprintf(want, sizeof(want), "# " POLICED_NAME ": %s, since ", path);
	assert_true(!strncmp(c.out, want, strlen(want)));
	snprintf(want, sizeof(want), "\n# in %s: ipv4 forward %d\ntable ip t {\n", ns,
		 life_priority(0));
	if (!strstr(c.out, want))
		printf("# %s", c.out);
	assert_non_null(strstr(c.out, want));
	command_expect_lines(c.out);
	assert_int_equal(command_run(&c, "policy", "unload", POLICED_NAME), 0);
	assert_int_equal(lab_ns_run(NULL, "ip netns del %s", ns), 0);
	life_expect_named_ns_gone(l);
}

#define ONE \
	"table ip t {\nchain c {\ntype filter hook input priority %d; policy accept;\n" \
	"counter\n}\n}\n"

static void all_rulesets_are_shown_and_nothing_else(void *state)
{
	const struct life *l = state;
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH, 2);
	struct unfrag_attachment *att;
	struct command c;
	json_t *root;

	opts.priority = life_priority(5);
	command_run(&c, "policy", "show");
	command_expect(&c, 0, "no ruleset is in force");
	assert_string_equal(c.out, "");
	test_ok(life_attach(&att, "program", LIFE_OBJECT("plain"), &opts));
	policed_load(l, policed_file(ONE, life_priority(0)));
	command_run(&c, "policy", "load", "--netns", l->path, "--name", "other",
		    policed_file(ONE, life_priority(1)));
	command_expect(&c, 0, NULL);
	command_run(&c, "policy", "show");
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "# other: "));
	assert_non_null(strstr(c.out, "}\n\n# " POLICED_NAME ": "));
	assert_null(strstr(c.out, "program"));
	command_run(&c, "policy", "show", "--json");
	root = json_loads(c.out, 0, NULL);
	assert_int_equal(json_array_size(root), 2);
	json_decref(root);
	command_run(&c, "policy", "show", "program");
	command_expect(&c, 1, "'program' is no ruleset");
	command_run(&c, "policy", "show", "nothing");
	command_expect(&c, 1, "nothing");
	command_run(&c, "policy", "show", "other", POLICED_NAME);
	command_expect(&c, 2, "one name");
	life_remove("other");
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
}

#define POLICED_TEST(fn) TEST_WITH(fn, policed_up, policed_down)

static const struct test tests[] = {
	POLICED_TEST(text_and_numbers_are_those_of_nftables),
	POLICED_TEST(what_is_shown_can_be_loaded_and_goes_on),
	POLICED_TEST(json_has_what_the_manual_says),
	POLICED_TEST(sets_are_shown_as_they_are_now),
	POLICED_TEST(heads_say_where_rulesets_are_from_and_stand),
	POLICED_TEST(all_rulesets_are_shown_and_nothing_else),
};

TEST_MAIN(tests);
