// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a ruleset in force may take while it is in force: memory for elements that come later, and
 * room for packets that are logged. And rules, as many as there are to be.
 */
#include <jansson.h>
#include <policed.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <test.h>

static json_int_t memory_of_what_is_in_force(void)
{
	struct command c;
	json_t *root;
	json_int_t bytes;

	command_run(&c, "policy", "show", "--terse", "--json", POLICED_NAME);
	root = json_loads(c.out, 0, NULL);
	bytes = json_integer_value(json_object_get(json_array_get(root, 0), "memory"));
	json_decref(root);
	assert_true(bytes > 0);
	return bytes;
}

/* n addresses that can't be joined. */
static const char *elements_file(unsigned int n)
{
	char *text = NULL;
	const char *path;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (unsigned int i = 0; i < n; i++)
		fprintf(f, "10.0.%u.%u\n", i / 128, i % 128 * 2);
	assert_int_equal(fclose(f), 0);
	path = policed_file("%s", text);
	free(text);
	return path;
}

static void sets_grow_no_further_than_memory_allows(void *state)
{
	const struct life *l = state;
	json_int_t empty, full;
	char limit[32];
	struct command c;

	policed_load(l, policed_file("table ip t { set s { type ipv4_addr; }\n"
				     " set p { type ipv4_addr . inet_service; }\n"
				     " chain c { type filter hook input priority %d;\n"
				     " ip saddr @s drop\n ip saddr . udp sport @p drop\n }\n}\n",
				     life_priority(0)));
	empty = memory_of_what_is_in_force();
	snprintf(limit, sizeof(limit), "%lld", (long long)empty + 8000);
	command_run(&c, "policy", "reload", "--memory", limit, POLICED_NAME);
	assert_int_equal(memory_of_what_is_in_force(), empty);
	command_run(&c, "policy", "set", "import", POLICED_NAME, "s", elements_file(2000));
	command_expect(&c, 1, "set 's' the ruleset would take");
	command_run(&c, "policy", "set", "list", POLICED_NAME, "s");
	assert_string_equal(c.out, "");
	command_run(&c, "policy", "set", "import", POLICED_NAME, "s", elements_file(500));
	full = memory_of_what_is_in_force();
	assert_true(full > empty + 500 * 8 && full <= empty + 8000);
	for (int port = 1; !c.status; port++) {
		snprintf(limit, sizeof(limit), "10.0.0.1 . %d", 2 * port);
		command_run(&c, "policy", "set", "add", POLICED_NAME, "p", limit);
		assert_true(port < 100);
	}
	command_expect(&c, 1, "set 'p' the ruleset would take");
	command_run(&c, "policy", "set", "flush", POLICED_NAME, "s");
	command_run(&c, "policy", "set", "add", POLICED_NAME, "p", limit);
	assert_int_equal(c.status, 0);
}

static void show_counts_logged_packets_that_nobody_read(void *state)
{
	const struct life *l = state;
	struct command c;
	json_t *root;

	policed_load(l,
		     policed_file("table inet t { chain c { type filter hook input priority %d;\n"
				  " meta l4proto udp log\n }\n}\n",
				  life_priority(0)));
	command_run(&c, "policy", "show", POLICED_NAME);
	assert_null(strstr(c.out, "logged packets"));
	/* More than the ring buffer has room for; the socket's buffer may overflow, too. */
	for (int i = 0; i < 6000; i++)
		assert_int_equal(send(l->tx[0], &i, sizeof(i), 0), sizeof(i));
	command_run(&c, "policy", "show", POLICED_NAME);
	assert_non_null(strstr(c.out, " logged packets were lost"));
	command_run(&c, "policy", "show", "--json", POLICED_NAME);
	root = json_loads(c.out, 0, NULL);
	assert_true(json_integer_value(json_object_get(json_array_get(root, 0), "lost")) > 0);
	json_decref(root);
}

#define RULES 4096

/* So many, of which the last one is met. */
static void four_thousand_rules_are_judged_to_the_last(void *state)
{
	const struct life *l = state;
	static const char before_it[] = "meta l4proto udp counter";
	char *rules = NULL;
	struct command c;
	size_t len;
	FILE *f = open_memstream(&rules, &len);

	for (unsigned int i = 0; i + 2 < RULES; i++)
		fprintf(f, "ip saddr 10.%u.%u.%u udp dport 9 counter drop\n", i / 65536,
			i / 256 % 256, i % 256);
	fprintf(f, "%s\nudp dport 9 counter accept\n", before_it);
	assert_int_equal(fclose(f), 0);
	command_run(&c, "policy", "load", "--netns", l->path, "--name", POLICED_NAME,
		    policed_file("table inet t {\nchain c {\ntype filter hook input priority %d; "
				 "policy drop\n%s}\n}\n",
				 life_priority(0), rules));
	free(rules);
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "loaded '" POLICED_NAME "': 4096 rules, 1 chain, "));
	life_expect_pings(l);
	assert_int_equal(policed_packets(before_it), 2);
	assert_int_equal(policed_packets("udp dport 9 counter accept"), 2);
	assert_int_equal(policed_packets("ip saddr 10.0.15.253 udp dport 9 counter drop"), 0);
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 0, NULL);
	life_expect_pings(l);
	assert_int_equal(policed_packets("udp dport 9 counter accept"), 4);
}

#define POLICED_TEST(fn) TEST_WITH(fn, policed_up, policed_down)

static const struct test tests[] = {
	POLICED_TEST(sets_grow_no_further_than_memory_allows),
	POLICED_TEST(four_thousand_rules_are_judged_to_the_last),
	POLICED_TEST(show_counts_logged_packets_that_nobody_read),
};

TEST_MAIN(tests);
