// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sets of a ruleset in force: read back as they were written, changed as a whole or not at all,
 * while packets come by.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <change.h>
#include <child.h>
#include <command.h>
#include <errno.h>
#include <fcntl.h>
#include <life.h>
#include <loaded.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <test.h>
#include <testrun.h>
#include <time.h>

#define NAME  "edge"
#define INPUT 1u

static const char ruleset[] =
	"table inet t {\n"
	" set four { type ipv4_addr; flags interval; elements = { 10.0.0.1 }; }\n"
	" set six { type ipv6_addr; flags interval; }\n"
	" set ports { type inet_service; flags interval; }\n"
	" set protocols { type inet_proto; }\n"
	" set marks { type mark; flags interval; }\n"
	" set names { type ifname; flags interval; }\n"
	" set types { type icmp_type; }\n"
	" set pairs { type ipv4_addr . inet_service; flags interval; }\n"
	" map verdicts { type ipv4_addr : verdict; elements = { 10.9.9.9 : drop }; }\n"
	" chain c { type filter hook input priority 0; policy drop;\n"
	"  ip saddr @four accept\n  ip6 saddr @six accept\n  th sport @ports accept\n"
	"  meta l4proto @protocols accept\n  meta mark @marks accept\n"
	"  iifname @names accept\n  icmp type @types accept\n  ip saddr . th dport @pairs accept\n"
	"  ip saddr vmap @verdicts\n }\n}\n"
	"table ip other {\n set four { type ipv4_addr; }\n}\n";

struct fixture {
	void *life;
	struct loaded loaded;
	struct policy_listing listing;
	struct unfrag_attachment *att;
	struct instance *instance; /* found by its pins */
};

static void up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bpf_program *programs[GATE_RANKS_MAX];
	const struct unfrag_place place = { UNFRAG_FAMILIES_BOTH, INPUT, 0, 0 };
	struct unfrag_attach_opts opts;
	struct complaint c = { "" };

	assert_non_null(f);
	life_up(&f->life);
	*state = f;
	loaded_read(&f->loaded, &f->listing, ruleset);
	loaded_start(&f->loaded, &(struct instance_opts){ .listing = &f->listing });
	opts = life_opts(f->life, 0, 0);
	opts.flags = 0;
	opts.priority = 0;
	opts.places = &place;
	opts.n_places = 1;
	opts.programs = programs;
	opts.n_programs = instance_programs(f->loaded.instance, programs);
	test_ok(unfrag_attachment_attach(&f->att, NAME, instance_object(f->loaded.instance), NULL,
					 &opts));
	test_ok(instance_open(&f->instance, f->att, &c));
}

static void down(void *state)
{
	struct fixture *f = state;

	if (f->att)
		unfrag_attachment_detach(f->att);
	unfrag_attachment_free(f->att);
	instance_free(f->instance);
	loaded_release(&f->loaded);
	policy_listing_release(&f->listing);
	life_down(f->life);
	free(f);
}

static uint32_t set_of(const struct fixture *f, const char *name)
{
	struct complaint c = { "" };
	uint32_t set = 0;

	test_ok(change_find(instance_ruleset(f->instance), "t", name, &set, &c));
	return set;
}

static int change(struct fixture *f, const char *name, enum change what, const char *text,
		  struct complaint *c)
{
	uint32_t set = set_of(f, name);
	struct elements e = { .lines = NULL };
	size_t n;
	int r = elements_parse(&e, &instance_ruleset(f->instance)->sets[set], text, strlen(text),
			       "file", c);

	if (!r)
		r = change_set(f->instance, set, what, &e, "file", &n, c);
	elements_release(&e);
	return r;
}

static void change_ok(struct fixture *f, const char *name, enum change what, const char *text)
{
	struct complaint c = { "" };
	int r = change(f, name, what, text, &c);

	if (r)
		printf("# %s\n", c.text);
	assert_int_equal(r, 0);
}

static void expect_listed(const struct fixture *f, const char *name, const char *want)
{
	uint32_t set = set_of(f, name);
	const struct set *of = &instance_ruleset(f->instance)->sets[set];
	struct complaint c = { "" };
	struct element *e;
	char got[4096] = "";
	size_t n, i, len = 0;

	test_ok(instance_elements(f->instance, set, &e, &n, &c));
	for (i = 0; i < n; i++) {
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s", i ? ", " : "",
					elements_spell(of, &e[i]).text);
		assert_true(len < sizeof(got));
	}
	free(e);
	assert_string_equal(got, want);
}

static void round_trip(struct fixture *f, const char *name, const char *text)
{
	change_ok(f, name, CHANGE_REPLACE, text);
	expect_listed(f, name, text);
}

static void elements_of_every_kind_come_back_as_they_were_written(void *state)
{
	struct fixture *f = state;

	expect_listed(f, "four", "10.0.0.1");
	round_trip(f, "four", "0.0.0.0, 10.0.0.1-10.0.0.6, 10.1.0.0/16, 255.255.255.255");
	round_trip(f, "four", "0.0.0.0/0");
	round_trip(f, "six", "2001:db8::1, 2001:db8:1::/48, fe80::1-fe80::9, ff00::/8");
	round_trip(f, "ports", "0, 53, 80-90, 65535");
	round_trip(f, "protocols", "tcp, udp");
	round_trip(f, "marks", "0x1, 0x10-0x1f, 0xffffffff");
	round_trip(f, "names", "\"eth0\", \"ppp*\", \"veth-1\"");
	round_trip(f, "pairs", "10.0.0.1 . 53, 10.0.0.1 . 80-90, 10.1.0.0/16 . 443");
	round_trip(f, "pairs", "");
	round_trip(f, "four", "");
}

static void what_is_added_and_deleted_is_there_and_not(void *state)
{
	struct fixture *f = state;

	change_ok(f, "four", CHANGE_REPLACE, "10.0.0.0/24\n10.0.2.0/24 # more\n\n");
	change_ok(f, "four", CHANGE_ADD, "10.0.1.0/24, 10.9.0.1");
	expect_listed(f, "four", "10.0.0.0-10.0.2.255, 10.9.0.1");
	change_ok(f, "four", CHANGE_DELETE, "10.0.0.0, 10.0.1.0/25\n10.0.2.255\n10.9.0.1");
	expect_listed(f, "four", "10.0.0.1-10.0.0.255, 10.0.1.128-10.0.2.254");
	change_ok(f, "pairs", CHANGE_REPLACE, "10.0.0.0/24 . 80-89, 10.0.1.0/24 . 80-89");
	change_ok(f, "pairs", CHANGE_ADD, "10.7.0.1 . 53");
	change_ok(f, "pairs", CHANGE_DELETE, "10.0.1.0/24 . 80-84\n10.7.0.1 . 53");
	expect_listed(f, "pairs", "10.0.0.0/24 . 80-89, 10.0.1.0/24 . 85-89");
	change_ok(f, "pairs", CHANGE_DELETE, "10.0.0.0/23 . 85-89\n10.0.0.0/24 . 80-84");
	expect_listed(f, "pairs", "");
}

static void expect_refused(struct fixture *f, const char *name, enum change what, const char *text,
			   const char *word)
{
	struct complaint c = { "" };

	assert_true(change(f, name, what, text, &c) < 0);
	if (!strstr(c.text, word))
		printf("# %s\n", c.text);
	assert_non_null(strstr(c.text, word));
}

static void elements_may_have_the_names_that_they_have_in_rulesets(void *state)
{
	struct fixture *f = state;

	change_ok(f, "ports", CHANGE_REPLACE, "domain, ssh-25, 0x50");
	expect_listed(f, "ports", "22-25, 53, 80");
	change_ok(f, "types", CHANGE_REPLACE, "echo-request, echo-reply, 11");
	expect_listed(f, "types", "0, 8, 11");
	expect_refused(f, "types", CHANGE_ADD, "packet-too-big", "'packet-too-big'");
	expect_refused(f, "ports", CHANGE_ADD, "no-service", "'no-service'");
}

static void bad_elements_change_nothing_and_are_named_with_their_lines(void *state)
{
	struct fixture *f = state;

	change_ok(f, "four", CHANGE_REPLACE, "10.0.0.1, 10.0.0.5-10.0.0.9");
	change_ok(f, "pairs", CHANGE_REPLACE, "10.0.0.1 . 53");
	expect_refused(f, "four", CHANGE_ADD, "10.0.0.2\n# x\n10.0.0.300\n", "file:3: ");
	expect_refused(f, "four", CHANGE_REPLACE, "10.0.0.2, 10", "'10'");
	expect_refused(f, "four", CHANGE_REPLACE, "10.0.0.9-10.0.0.2", "no IPv4");
	expect_refused(f, "four", CHANGE_REPLACE, "10.0.0.0/33", "no IPv4");
	expect_refused(f, "four", CHANGE_REPLACE, "2001:db8::1", "no IPv4");
	expect_refused(f, "four", CHANGE_REPLACE, "10.0.0.1 . 80", "more components");
	expect_refused(f, "six", CHANGE_REPLACE, "::1, 10.0.0.1", "is no IPv6 address");
	expect_refused(f, "six", CHANGE_REPLACE, "fe80::/129", "is no IPv6 address");
	expect_refused(f, "four", CHANGE_DELETE, "10.0.0.1\n10.0.0.6-10.0.0.10\n", "file:2: ");
	expect_refused(f, "four", CHANGE_DELETE, "10.0.0.2", "does not have");
	expect_refused(f, "ports", CHANGE_REPLACE, "65536", "'65536'");
	expect_refused(f, "ports", CHANGE_REPLACE, "-1", "'-1'");
	expect_refused(f, "protocols", CHANGE_REPLACE, "nonsense", "no protocol");
	expect_refused(f, "marks", CHANGE_REPLACE, "0x100000000", "is no number or range");
	expect_refused(f, "names", CHANGE_REPLACE, "a-name-that-is-too-long", "no name");
	expect_refused(f, "pairs", CHANGE_REPLACE, "10.0.0.1", "fewer components");
	expect_refused(f, "pairs", CHANGE_DELETE, "10.0.0.1 . 53-54", "does not have");
	expect_refused(f, "verdicts", CHANGE_ADD, "10.0.0.1", "map of verdicts");
	expect_listed(f, "four", "10.0.0.1, 10.0.0.5-10.0.0.9");
	expect_listed(f, "pairs", "10.0.0.1 . 53");
	expect_listed(f, "ports", "");
}

static void sets_of_one_name_are_told_apart_by_their_table(void *state)
{
	const struct ruleset *rs = instance_ruleset(((struct fixture *)state)->instance);
	struct complaint c = { "" };
	uint32_t set;

	test_err(change_find(rs, NULL, "four", &set, &c), -EINVAL);
	test_err(change_find(rs, NULL, "nothing", &set, &c), -ENOENT);
	test_ok(change_find(rs, "other", "four", &set, &c));
	assert_string_equal(rs->tables[rs->sets[set].table].name, "other");
	test_ok(change_find(rs, NULL, "pairs", &set, &c));
}

static bool passes(const struct fixture *f, uint32_t source, uint16_t dport)
{
	uint8_t packet[64];
	size_t len = loaded_udp(packet, source, 0x0a0a0a0a, 1024, dport);

	return loaded_packet(&f->loaded, 0, INPUT, packet, len) == GATE_ACCEPT;
}

/* Packets of an element that both contents have, in a process of their own, until it is told. */
static pid_t keep_passing(const struct fixture *f, const int ends[2])
{
	pid_t pid = fork();
	char byte;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	close(ends[1]);
	while (read(ends[0], &byte, 1) < 0 && errno == EAGAIN)
		if (!passes(f, 0x0a000001, 53) || passes(f, 0x0b000001, 53))
			_exit(1);
	_exit(0);
}

static void change_under_packets(struct fixture *f, const char *set, const char *one,
				 const char *other)
{
	int ends[2], status, i;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	change_ok(f, "four", CHANGE_REPLACE, "");
	change_ok(f, set, CHANGE_REPLACE, one);
	pid = keep_passing(f, ends);
	for (i = 0; i < 100; i++)
		change_ok(f, set, CHANGE_REPLACE, i & 1 ? one : other);
	close(ends[1]);
	close(ends[0]);
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
	change_ok(f, set, CHANGE_REPLACE, "");
}

static void a_packet_meets_the_old_set_or_the_new_one(void *state)
{
	struct fixture *f = state;

	change_under_packets(f, "four", "10.0.0.0/8, 12.0.0.1", "9.0.0.1, 10.0.0.1, 10.0.0.3");
	change_under_packets(f, "pairs", "10.0.0.0/8 . 50-60, 12.0.0.1 . 1",
			     "9.0.0.1 . 7, 10.0.0.1 . 53");
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void import_million(struct fixture *f, const char *set, const char *rest)
{
	char *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);
	double start;

	for (i = 0; i < 1000000; i++)
		fprintf(out, "10.%zu.%zu.%zu%s\n", i >> 15 & 255, i >> 7 & 255, 2 * i & 255, rest);
	fclose(out);
	start = now_ms();
	change_ok(f, set, CHANGE_REPLACE, text);
	printf("# a million elements of '%s' imported in %.0f ms\n", set, now_ms() - start);
	free(text);
	assert_true(passes(f, 0x0a000000 + 2 * 123456, 53));
	assert_true(!passes(f, 0x0a000000 + 2 * 123456 + 1, 53));
	start = now_ms();
	change_ok(f, set, CHANGE_ADD, *rest ? "11.0.0.1 . 53" : "11.0.0.1");
	printf("# one more added in %.0f ms\n", now_ms() - start);
	assert_true(passes(f, 0x0b000001, 53));
	assert_true(passes(f, 0x0a000000 + 2 * 999999, 53));
	change_ok(f, set, CHANGE_REPLACE, "");
}

static void a_million_elements_are_imported(void *state)
{
	struct fixture *f = state;

	change_ok(f, "four", CHANGE_REPLACE, "");
	import_million(f, "four", "");
	import_million(f, "pairs", " . 53");
}

static void the_command_lists_and_changes_sets(void *state)
{
	struct fixture *f = state;
	struct command c;

	command_run(&c, "policy", "set", "import", "--table", "t", NAME, "four", "/nonexistent");
	command_expect(&c, 1, "can't be read");
	command_run(&c, "policy", "set", "add", NAME, "pairs", "10.0.0.1", ".", "53,", "10.0.0.2",
		    ".", "80-90");
	command_expect(&c, 0, NULL);
	assert_string_equal(c.out, "set 'pairs' of 'edge' has 2 elements\n");
	command_run(&c, "policy", "set", "list", NAME, "pairs");
	command_expect(&c, 0, NULL);
	assert_string_equal(c.out, "10.0.0.1 . 53\n10.0.0.2 . 80-90\n");
	command_run(&c, "policy", "set", "delete", NAME, "pairs", "10.0.0.1 . 53",
		    "10.0.0.2 . 80-90");
	command_expect(&c, 0, NULL);
	assert_string_equal(c.out, "set 'pairs' of 'edge' has 0 elements\n");
	command_run(&c, "policy", "set", "add", NAME, "pairs", "10.0.0.1 .", "53", "10.0.0.2",
		    ". 80-90");
	command_expect(&c, 0, NULL);
	command_run(&c, "policy", "set", "delete", NAME, "pairs", "10.0.0.3 . 1");
	command_expect(&c, 1, "does not have all of '10.0.0.3 . 1'");
	command_run(&c, "policy", "set", "flush", "--json", NAME, "pairs");
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "\"elements\": 0"));
	command_run(&c, "policy", "set", "add", NAME, "four", "10.0.0.9");
	command_expect(&c, 1, "several sets 'four'");
	command_run(&c, "policy", "set", "add", NAME, "ports");
	command_expect(&c, 2, "elements are needed");
	test_ok(unfrag_attachment_lock(f->att));
	command_run(&c, "policy", "set", "add", NAME, "ports", "53");
	command_expect(&c, 1, "another process is changing");
	unfrag_attachment_unlock(f->att);
	command_run(&c, "policy", "set", "add", NAME, "ports", "53", "54", "1000-1024");
	command_expect(&c, 0, NULL);
	expect_listed(f, "ports", "53-54, 1000-1024");
}

/* What a shell says of a command with that input. */
static int with_input(const char *input, const char *args)
{
	return lab_ns_run(NULL, "printf '%s' | " TEST_UNFRAG " policy set %s", input, args);
}

static void the_command_takes_standard_input(void *state)
{
	struct fixture *f = state;

	assert_int_equal(with_input("53, 80-90 # dns and more\\n443", "import " NAME " ports -"),
			 0);
	expect_listed(f, "ports", "53, 80-90, 443");
	assert_int_equal(with_input("54\\n", "add " NAME " ports -"), 0);
	expect_listed(f, "ports", "53-54, 80-90, 443");
	/* All of it or nothing. */
	assert_int_equal(with_input("1\\n2\\n70000\\n", "import " NAME " ports -"), 1);
	assert_int_equal(with_input("443\\n444\\n", "delete " NAME " ports -"), 1);
	expect_listed(f, "ports", "53-54, 80-90, 443");
	assert_int_equal(with_input("443\\n81\\n", "delete " NAME " ports -"), 0);
	expect_listed(f, "ports", "53-54, 80, 82-90");
}

static const struct {
	const char *what, *element, *more;
	const char *word;
} misuse[] = {
	{ "replace", NULL, NULL, "unknown word 'replace'" },
	{ "flush", "53", NULL, "'flush' takes no elements" },
	{ "list", "53", NULL, "'list' takes no elements" },
	{ "import", NULL, NULL, "a file is needed" },
	{ "import", "a", "b", "'b' is too much" },
	{ "add", "-", "53", "'53' is too much" },
};

static void misuse_of_the_command_is_told(void *state)
{
	struct command c;

	(void)state;
	for (size_t i = 0; i < sizeof(misuse) / sizeof(misuse[0]); i++) {
		command_run(&c, "policy", "set", misuse[i].what, NAME, "ports", misuse[i].element,
			    misuse[i].more);
		command_expect(&c, 2, misuse[i].word);
	}
	command_run(&c, "policy", "set", "list", NAME);
	command_expect(&c, 2, "a name and a set are needed");
}

static const struct test tests[] = {
	TEST_WITH(elements_of_every_kind_come_back_as_they_were_written, up, down),
	TEST_WITH(elements_may_have_the_names_that_they_have_in_rulesets, up, down),
	TEST_WITH(what_is_added_and_deleted_is_there_and_not, up, down),
	TEST_WITH(bad_elements_change_nothing_and_are_named_with_their_lines, up, down),
	TEST_WITH(sets_of_one_name_are_told_apart_by_their_table, up, down),
	TEST_WITH(a_packet_meets_the_old_set_or_the_new_one, up, down),
	TEST_WITH(a_million_elements_are_imported, up, down),
	TEST_WITH(the_command_lists_and_changes_sets, up, down),
	TEST_WITH(the_command_takes_standard_input, up, down),
	TEST_WITH(misuse_of_the_command_is_told, up, down),
};

TEST_MAIN(tests);
