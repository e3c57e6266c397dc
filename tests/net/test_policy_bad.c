// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What can't be loaded: "policy check" says why, and so does "policy reload", which leaves what is
 * in force as it is. What nftables itself refuses is told as nftables tells it.
 */
#include <child.h>
#include <jansson.h>
#include <policed.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>
#include <unistd.h>

#define GOOD "udp dport 9 counter accept"

#define IN_CHAIN(rules) \
	"table inet t {\nchain c {\ntype filter hook input priority 0\n" rules "\n}\n}\n"

static const struct {
	const char *text;
	const char *word;
	bool is_nftables; /* refused by nftables too, in the same words */
} bad[] = {
	{ "table inet t {\nchain c {\n", "syntax error", true },
	{ "chain t { }\n", "syntax error", true },
	{ IN_CHAIN("tcp dport 70000 accept"), "Service out of range", true },
	{ IN_CHAIN("ip saddr 10.0.0.0/33 accept"), "Error", true },
	{ IN_CHAIN("ip saddr @nobody accept"), "No such file or directory", true },
	{ IN_CHAIN("jump nowhere"), "Error", true },
	{ "include \"/no/such/file.nft\"\n", "File not found", true },
	{ IN_CHAIN("ip saddr $undefined accept"), "unknown identifier 'undefined'", true },
	{ "table inet t {\nset s {\ntype ipv4_addr\nelements = { 80 }\n}\nchain c {\n"
	  "type filter hook input priority 0\ntcp dport @s accept\n}\n}\n",
	  "datatype mismatch, expected internet network service", true },
	{ "table inet t {\nset s {\ntype ipv4_addr\nelements = { ::1 }\n}\n}\n", "Error", true },
	{ "table ip t {\nset s {\ntype ipv4_addr\nflags interval\n"
	  "elements = { 10.0.0.0/8, 10.0.0.0-11.0.0.0 }\n}\n}\n",
	  "conflicting intervals specified", true },
	{ "", "no chain has a hook", false },
	{ "table inet t {\nchain c {\nudp dport 9 accept\n}\n}\n", "no chain has a hook", false },
	{ IN_CHAIN("reject"), "reject", false },
	{ IN_CHAIN("add @seen { ip saddr }"), "Error", true },
	{ IN_CHAIN("accept comment \"unfrag: biggest > 5\""), "use reassembled", false },
	{ "table ip t {\nchain c {\ntype nat hook prerouting priority -100\n}\n}\n",
	  "load it with nft", false },
	{ "table bridge t {\nchain c {\ntype filter hook input priority 0\n}\n}\n", "bridge",
	  false },
	{ "table inet t {\nchain c {\ntype filter hook ingress device \"lo\" priority 0\n}\n}\n",
	  "a hook of devices", false },
	{ "table inet t {\nchain c {\ntype filter hook prerouting priority -400\n}\n}\n", "-400",
	  false },
};

/* Counted is what is in force, and that it is. */
static void expect_untouched(const struct life *l)
{
	uint64_t before = policed_packets(GOOD);

	life_expect_pings(l);
	assert_int_equal(policed_packets(GOOD), before + 2);
	life_expect_links(2);
}

static void load_good(const struct life *l)
{
	policed_load(l, policed_file("table inet t {\nchain c {\ntype filter hook input "
				     "priority %d; policy drop\n" GOOD "\n}\n}\n",
				     life_priority(0)));
}

static void expect_same_words(const char *path, const char *words)
{
	char theirs[4096];

	lab_ns_output(NULL, theirs, sizeof(theirs), "unshare -n nft -c -f '%s' 2>&1", path);
	assert_string_equal(words, theirs);
}

static void what_is_wrong_is_told_and_changes_nothing(void *state)
{
	const struct life *l = state;
	struct command c;
	const char *path;

	load_good(l);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		path = policed_file("%s", bad[i].text);
		command_run(&c, "policy", "check", path);
		if (!strstr(c.err, bad[i].word) || c.status != 1)
			printf("# %s", bad[i].text);
		command_expect(&c, 1, bad[i].word);
		if (bad[i].is_nftables)
			expect_same_words(path, c.err);
		command_run(&c, "policy", "reload", POLICED_NAME);
		command_expect(&c, 1, bad[i].word);
		command_expect(&c, 1, "what was in force stays in force");
		assert_string_equal(c.out, "");
	}
	expect_untouched(l);
}

static void what_can_not_be_read_is_told(void *state)
{
	const struct life *l = state;
	char fifo[] = "/tmp/unfrag-bad-XXXXXX";
	struct command c;

	load_good(l);
	command_run(&c, "policy", "reload", POLICED_NAME, "/no/such/file.nft");
	command_expect(&c, 1, "'/no/such/file.nft' can't be read: No such file or directory");
	command_run(&c, "policy", "reload", POLICED_NAME, "/tmp");
	command_expect(&c, 1, "'/tmp' can't be read: Is a directory");
	assert_non_null(mkdtemp(fifo));
	rmdir(fifo);
	command_run(&c, "policy", "load", "--netns", l->path, "--name", "other", fifo);
	command_expect(&c, 1, "can't be read: No such file or directory");
	/* The file of before, by name: gone, it can't be read again. */
	unlink(policed_file("x"));
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 1, "can't be read: No such file or directory");
	command_expect(&c, 1, "what was in force stays in force");
	expect_untouched(l);
}

/* The same in each build, as what libnftables says of them must not be too long to be looked at. */
static void write_bytes(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (unsigned int i = 0; i < 200000; i++)
		fputc((int)(131 * i + i / 256) & 0xff, f);
	assert_int_equal(fclose(f), 0);
}

/* Bytes of any kind, the last of them no end of a line, and much of them. */
static void what_is_no_text_is_refused(void *state)
{
	const struct life *l = state;
	struct command c;
	const char *path = policed_file("x");

	load_good(l);
	write_bytes(path);
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 1, "what was in force stays in force");
	assert_int_equal(lab_ns_run(NULL, "head -c 200000 /dev/zero >%s", path), 0);
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 1, "what was in force stays in force");
	expect_untouched(l);
}

static void write_priorities(unsigned int n)
{
	char text[4096];
	size_t len = (size_t)snprintf(text, sizeof(text), "table inet t {\n");

	for (unsigned int i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"chain c%u {\ntype filter hook input priority %d\n}\n", i,
					life_priority((int)i));
	snprintf(text + len, sizeof(text) - len, "}\n");
	policed_file("%s", text);
}

/* A set of n addresses that have no neighbours. */
static void write_set(size_t n)
{
	FILE *f = fopen(policed_file("x"), "w");

	assert_non_null(f);
	fprintf(f, "table ip t {\nset s {\ntype ipv4_addr\nelements = {\n");
	for (size_t i = 0; i < n; i++)
		fprintf(f, "10.%zu.%zu.%zu,\n", i >> 15, i >> 7 & 255, i * 2 & 255);
	fprintf(f, "}\n}\nchain c {\ntype filter hook input priority %d\nip saddr @s drop\n}\n}\n",
		life_priority(0));
	assert_int_equal(fclose(f), 0);
}

static void more_than_the_limits_is_refused(void *state)
{
	const struct life *l = state;
	struct command c;

	load_good(l);
	write_priorities(9);
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 1, "more than 8 priorities at one hook");
	write_set(20000);
	command_run(&c, "policy", "reload", "--memory", "64K", POLICED_NAME);
	command_expect(&c, 1, "memory");
	expect_untouched(l);
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 0, NULL);
	assert_int_equal(command_run(&c, "policy", "unload", POLICED_NAME), 0);
}

static void check_says_so_in_json_too(void *state)
{
	struct command c;
	json_t *root;

	(void)state;
	command_run(&c, "policy", "check", "--json", policed_file(IN_CHAIN("reject")));
	assert_int_equal(c.status, 1);
	root = json_loads(c.out, 0, NULL);
	assert_non_null(root);
	assert_true(json_is_false(json_object_get(root, "valid")));
	assert_true(json_array_size(json_object_get(root, "messages")) > 0);
	json_decref(root);
	command_run(&c, "policy", "check", "/no/such/file.nft");
	command_expect(&c, 1, "can't be read");
	command_run(&c, "policy", "check");
	command_expect(&c, 2, "one file");
	command_run(&c, "policy", "check", "--help");
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "\nSee unfrag-policy(8).\n"));
}

static void what_is_in_vain_is_told_with_its_line(void *state)
{
	const char *path = policed_file(IN_CHAIN("accept\ntcp dport 22 drop"));
	char want[256];
	struct command c;
	json_t *root;

	(void)state;
	snprintf(want, sizeof(want), "%s:5: warning: rule 'tcp dport 22 drop' of chain", path);
	command_run(&c, "policy", "check", path);
	command_expect(&c, 0, want);
	command_run(&c, "policy", "check", "--json", path);
	command_expect(&c, 0, NULL);
	root = json_loads(c.out, 0, NULL);
	snprintf(want, sizeof(want), "%s:5: rule 'tcp dport 22 drop' of chain 'inet t c'", path);
	assert_int_equal(json_array_size(json_object_get(root, "warnings")), 1);
	assert_ptr_equal(strstr(json_string_value(
					json_array_get(json_object_get(root, "warnings"), 0)),
				want),
			 json_string_value(json_array_get(json_object_get(root, "warnings"), 0)));
	json_decref(root);
}

static void close_stdin(struct command *c)
{
	(void)c;
	close(STDIN_FILENO);
}

static void a_standard_input_that_is_closed_is_told(void *state)
{
	struct command c = { .before = close_stdin };

	(void)state;
	command(&c, "policy", "check", "-", NULL);
	command_expect(&c, 1, "standard input can't be read: Bad file descriptor");
}

/* From standard input, which has no name to be read again. */
static void standard_input_is_read_once(void *state)
{
	const struct life *l = state;
	struct command c;

	assert_int_equal(
		lab_ns_run(NULL,
			   TEST_UNFRAG " policy load --netns %s --name " POLICED_NAME " - <%s",
			   l->path,
			   policed_file("table inet t {\nchain c {\ntype filter hook input "
					"priority %d; policy drop\n" GOOD "\n}\n}\n",
					life_priority(0))),
		0);
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 1, "was not loaded from a file; name one");
	command_run(&c, "policy", "show", POLICED_NAME);
	assert_non_null(strstr(c.out, "# " POLICED_NAME ": from no file, since "));
	expect_untouched(l);
}

#define POLICED_TEST(fn) TEST_WITH(fn, policed_up, policed_down)

static const struct test tests[] = {
	POLICED_TEST(what_is_wrong_is_told_and_changes_nothing),
	POLICED_TEST(what_can_not_be_read_is_told),
	POLICED_TEST(what_is_no_text_is_refused),
	POLICED_TEST(more_than_the_limits_is_refused),
	POLICED_TEST(check_says_so_in_json_too),
	POLICED_TEST(what_is_in_vain_is_told_with_its_line),
	POLICED_TEST(standard_input_is_read_once),
	POLICED_TEST(a_standard_input_that_is_closed_is_told),
};

TEST_MAIN(tests);
