// SPDX-License-Identifier: GPL-2.0-or-later
/* Files and sets of every size: who may read them, what limits them, and what sets become. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rulefile.h"

#define CHAIN "chain c { type filter hook input priority 0\n"

static void named_sets_hold_what_rules_look_up(void *state)
{
	struct rulefile *f = state;

	rulefile_write(f,
		       "table inet t {\n"
		       " set a { type ipv4_addr; flags interval\n"
		       "  elements = { 10.0.0.0/8, 11.0.0.0/8, 1.2.3.4, 255.0.0.0/8 }\n }\n"
		       " set b { type mark; elements = { 1, 0x100 }; }\n"
		       " set c { type mark; flags interval; elements = { 1-0x100 }; }\n"
		       " set d { type dscp; elements = { cs1, ef }; }\n"
		       " set e { type ifname; elements = { \"lo\" }; }\n"
		       " set f { type inet_service; elements = { 5, 6 }; }\n"
		       " " CHAIN
		       "ip saddr @a\nmeta mark @b\nmeta mark @c\nip dscp @d\n"
		       "iifname @e\n }\n}\n");
	rulefile_must_read(f);
	rulefile_set_is(f, 0,
			"ip saddr: 1020304, a000000-affffff, b000000-bffffff, ff000000-ffffffff");
	rulefile_set_is(f, 1, "meta mark: 1, 100");
	rulefile_set_is(f, 2, "meta mark: 1-100");
	rulefile_set_is(f, 3, "ip dscp: 8, 2e");
	rulefile_set_is(f, 4, "meta iifname: 6c6f0000000000000000000000000000");
	rulefile_set_is(f, 5, "nothing: 5, 6");
	assert_true(f->rs.sets[0].is_named);
	assert_string_equal(f->rs.sets[0].name, "a");
	rulefile_rule_is(f, 2, "meta mark in set 2");
}

static void concatenations_have_a_span_for_each_field(void *state)
{
	struct rulefile *f = state;

	rulefile_write(f,
		       "table ip t {\n"
		       " set a { type ipv4_addr . inet_service; flags interval\n"
		       "  elements = { 10.0.0.0/8 . 80, 1.2.3.4 . 90-99 }\n }\n"
		       " set b { type mark . inet_proto . ipv6_addr . ifname\n"
		       "  elements = { 5 . tcp . ::1 . \"lo\" }\n }\n"
		       " " CHAIN
		       "ip saddr . tcp dport @a accept\n }\n}\n"
		       "table inet u {\n"
		       " set b { type mark . inet_proto . ipv6_addr . ifname\n"
		       "  elements = { 5 . tcp . ::1 . \"lo\" }\n }\n"
		       " " CHAIN
		       "meta mark . meta l4proto . ip6 saddr . iifname @b accept\n"
		       "meta mark . ip saddr { 1-0x200 . 10.0.0.0/8 }\n }\n}\n");
	rulefile_must_refuse(f, "table ip t, set b: no rule uses it");
	rulefile_write(f,
		       "table ip t {\n"
		       " set a { type ipv4_addr . inet_service; flags interval\n"
		       "  elements = { 10.0.0.0/8 . 80, 1.2.3.4 . 90-99 }\n }\n"
		       " " CHAIN
		       "ip saddr . tcp dport @a accept\n }\n}\n"
		       "table inet u {\n"
		       " set b { type mark . inet_proto . ipv6_addr . ifname\n"
		       "  elements = { 5 . tcp . ::1 . \"lo\" }\n }\n"
		       " " CHAIN
		       "meta mark . meta l4proto . ip6 saddr . iifname @b accept\n"
		       "meta mark . ip saddr { 1-0x200 . 10.0.0.0/8 }\n }\n}\n");
	rulefile_must_read(f);
	rulefile_set_is(f, 0, "ip saddr . th dport: 1020304 . 5a-63, a000000-affffff . 50");
	rulefile_set_is(f, 1,
			"meta mark . meta l4proto . ip6 saddr . meta iifname: "
			"5 . 6 . 1 . 6c6f0000000000000000000000000000");
	rulefile_set_is(f, 2, "meta mark . ip saddr: 1-200 . a000000-affffff");
	rulefile_rule_is(
		f, 1,
		"meta nfproto in a; meta mark . meta l4proto . ip6 saddr . meta iifname in "
		"set 1; accept");
}

/* Each field beside another one, as single values and with a range. */
static void any_fields_can_be_concatenated(void *state)
{
	static const char *const list[][2] = {
		{ "meta l4proto . meta mark { 6 . 1-5 }", "meta l4proto . meta mark: 6 . 1-5" },
		{ "meta mark . meta l4proto { 0x200 . 17 }", "meta mark . meta l4proto: 200 . 11" },
		{ "meta length . meta l4proto { 1-300 . 6-8 }",
		  "meta length . meta l4proto: 1-12c . 6-8" },
		{ "meta nfproto . meta mark { ipv4 . 1-5 }", "meta nfproto . meta mark: 2 . 1-5" },
		{ "meta nfproto . meta l4proto { ipv6 . 6 }",
		  "meta nfproto . meta l4proto: a . 6" },
		{ "ip protocol . ip ttl { 6 . 1-64 }", "ip protocol . ip ttl: 6 . 1-40" },
		{ "ip dscp . ip ttl { ef . 64 }", "ip dscp . ip ttl: 2e . 40" },
		{ "ip ttl . ip dscp { 64 . 8-10 }", "ip ttl . ip dscp: 40 . 8-a" },
		{ "ct state . ip ttl { new . 1-5 }", "ct state . ip ttl: 8 . 1-5" },
		{ "tcp flags . tcp dport { syn . 1-5 }", "tcp flags . th dport: 2 . 1-5" },
		{ "iif . meta l4proto { \"lo\" . 6-8 }", "meta iif . meta l4proto: 1 . 6-8" },
	};
	struct rulefile *f = state;
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(*list); i++) {
		rulefile_write(f, "table inet t {\n " CHAIN "%s drop\n }\n}\n", list[i][0]);
		rulefile_must_read(f);
		rulefile_set_is(f, 0, list[i][1]);
	}
}

/* Which nftables compares at once, so that it is enough if one of them differs. */
static void neighbours_that_differ_are_one_comparison(void *state)
{
	struct rulefile *f = state;

	rulefile_write(f, "table ip t {\n " CHAIN "udp sport != 53 udp dport != 54 drop\n }\n}\n");
	rulefile_must_read(f);
	if (!f->rs.n_sets)
		return; /* another version takes them apart */
	rulefile_rule_is(f, 0, "meta l4proto in 11; th sport . th dport not in set 0; drop");
	rulefile_set_is(f, 0, "th sport . th dport: 35 . 36");
	assert_string_equal(f->rs.rules[0].text, "udp sport . udp dport != { 53 . 54 } drop");
}

static void maps_of_verdicts_name_chains(void *state)
{
	struct rulefile *f = state;

	rulefile_write(f,
		       "table ip t {\n chain u { }\n"
		       " map m { type inet_service : verdict\n"
		       "  elements = { 22 : jump u, 80 : accept, 81 : continue, 82 : return }\n }\n"
		       " " CHAIN
		       "tcp dport vmap @m\n"
		       "tcp dport vmap { 1 : accept, 2-5 : goto u, 6-9 : drop }\n"
		       "ct state vmap { invalid : drop, established : accept }\n"
		       "ip saddr . tcp dport vmap { 1.2.3.4 . 5 : drop }\n }\n}\n");
	rulefile_must_read(f);
	rulefile_set_is(f, 0, "th dport: 16 : jump u, 50 : accept, 51 : continue, 52 : return");
	rulefile_set_is(f, 1, "th dport: 1 : accept, 2-5 : goto u, 6-9 : drop");
	rulefile_set_is(f, 2, "ct state: 1 : drop, 2 : accept");
	rulefile_set_is(f, 3, "ip saddr . th dport: 1020304 . 5 : drop");
	assert_false(f->rs.sets[1].is_named);
	rulefile_rule_is(f, 0, "meta l4proto in 6; th dport vmap 0");
}

/* Elements that are said, taken away and said again, as files do that are made by programs. */
static void what_counts_is_what_is_there_in_the_end(void *state)
{
	struct rulefile *f = state;

	rulefile_write(f,
		       "flush ruleset\ntable ip t { }\ndelete table ip t\n"
		       "table ip t {\n set s { type ipv4_addr; elements = { 1.1.1.1, 2.2.2.2 }; }\n"
		       " " CHAIN
		       "ip saddr @s accept\n }\n}\n"
		       "add element ip t s { 3.3.3.3, 1.1.1.1 }\n"
		       "delete element ip t s { 2.2.2.2 }\n");
	rulefile_must_read(f);
	rulefile_set_is(f, 0, "ip saddr: 1010101, 3030303");
}

static void write_big(struct rulefile *f, const char *flags, size_t n, const char *after)
{
	FILE *out = fopen(f->path, "w");
	size_t i;

	assert_non_null(out);
	fprintf(out, "table ip t {\n set s { type ipv4_addr; %s\n  elements = {\n", flags);
	for (i = 0; i < n; i++)
		fprintf(out, "10.%zu.%zu.%zu,\n", i >> 15 & 255, i >> 7 & 255, 2 * i & 255);
	fprintf(out, "  }\n }\n " CHAIN "ip saddr @s drop\n }\n}\n%s", after);
	assert_int_equal(fclose(out), 0);
}

static void expect_big(const struct rulefile *f, size_t n)
{
	const struct set *s = &f->rs.sets[0];
	size_t i;

	assert_int_equal(s->n_elements, n);
	for (i = 0; i < n; i++) {
		assert_true(s->elements[i].span->from == s->elements[i].span->to);
		assert_int_equal(s->elements[i].span->from, 10u << 24 | (i >> 15 & 255) << 16 |
								    (i >> 7 & 255) << 8 |
								    (2 * i & 255));
	}
}

#define BIG 50000

static void big_sets_come_whole(void *state)
{
	struct rulefile *f = state;

	test_require_root();
	write_big(f, "", BIG, "");
	rulefile_must_read(f);
	expect_big(f, BIG);
	write_big(f, "flags interval;", BIG, "");
	rulefile_must_read(f);
	expect_big(f, BIG);
}

/* Then what libnftables sent is not all, and the kernel is asked. */
static void big_sets_that_were_changed_come_whole(void *state)
{
	struct rulefile *f = state;

	test_require_root();
	write_big(f, "", BIG + 1, "delete element ip t s { 10.1.134.160 }\n");
	assert_int_equal((BIG >> 15 & 255) << 16 | (BIG >> 7 & 255) << 8 | (2 * BIG & 255),
			 1 << 16 | 134 << 8 | 160);
	rulefile_must_read(f);
	expect_big(f, BIG);
}

#define NOBODY       65534
#define NO_NAMESPACE 77 /* exit status of a process that could make none */

/* Reads the file in a process without privilege. The test fails unless that is as it should be. */
static void read_as_nobody(struct rulefile *f, bool (*is_right)(const struct rulefile *f))
{
	int status;
	pid_t pid;

	assert_int_equal(chmod(f->path, 0644), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(2);
		f->result = policy_read(&f->rs, f->path,
					&(struct policy_read_opts){ .netns = -1,
								    .messages = &f->messages });
		_exit(f->result == -EPERM ? NO_NAMESPACE : !is_right(f));
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_NAMESPACE)
		test_skip("no user namespaces without privilege");
	assert_int_equal(status, 0);
}

static bool is_read(const struct rulefile *f)
{
	return !f->result;
}

static void nobody_in_particular_may_read(void *state)
{
	struct rulefile *f = state;

	test_require_root();
	rulefile_write(f, "table ip t { " CHAIN "iif lo accept\n}\n}\n");
	read_as_nobody(f, is_read);
}

static bool is_too_long(const struct rulefile *f)
{
	return f->result == -EMSGSIZE && rulefile_says(f, "sysctl net.core.wmem_max");
}

/* At the least, of an element on its way to the kernel. */
#define ELEMENT_BYTES 16

/* A socket has twice as much room as it is asked for. */
static void what_takes_privilege_says_so(void *state)
{
	struct rulefile *f = state;
	unsigned long most = 212992;
	FILE *sysctl;

	test_require_root();
	sysctl = fopen("/proc/sys/net/core/wmem_max", "r");
	if (sysctl) {
		assert_int_equal(fscanf(sysctl, "%lu", &most), 1);
		fclose(sysctl);
	}
	if (most > 16 << 20)
		test_skip("net.core.wmem_max is %lu: what is more takes long", most);
	write_big(f, "", most / ELEMENT_BYTES, "");
	read_as_nobody(f, is_read);
	write_big(f, "", 2 * most / ELEMENT_BYTES, "");
	read_as_nobody(f, is_too_long);
}

static void what_cannot_be_read_says_so(void *state)
{
	struct rulefile *f = state;

	unlink(f->path);
	assert_int_equal(rulefile_read(f, NULL), -ENOENT);
	assert_true(rulefile_says(f, "can't be read: No such file or directory"));
	assert_int_equal(mkdir(f->path, 0755), 0);
	rulefile_read(f, NULL);
	rmdir(f->path);
	assert_int_equal(f->result, -EISDIR);
	assert_true(rulefile_says(f, "can't be read: Is a directory"));
}

static void includes_and_variables_work(void *state)
{
	struct rulefile *f = state;
	char path[80];
	FILE *out;

	snprintf(path, sizeof(path), "%s.part", f->path);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs("define hosts = { 10.0.0.1, 10.0.0.2 }\n", out);
	fclose(out);
	rulefile_write(f, "include \"%s\"\ntable ip t { " CHAIN "ip saddr $hosts drop\n}\n}\n",
		       path);
	rulefile_read(f, NULL);
	unlink(path);
	assert_int_equal(f->result, 0);
	rulefile_rule_is(f, 0, "ip saddr in a000001-a000002; drop");
}

static void loading_ends_in_time(void *state)
{
	const struct policy_read_opts opts = { .netns = -1, .timeout_ms = 100 };
	struct rulefile *f = state;
	char path[80];

	/* Nobody ever writes into it. */
	unlink(f->path);
	snprintf(path, sizeof(path), "%s", f->path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(rulefile_read(f, &opts), -ETIMEDOUT);
	assert_true(rulefile_says(f, "takes longer than is allowed"));
}

static void a_listing_has_its_limit(void *state)
{
	const struct policy_read_opts opts = { .netns = -1, .memory = 1 << 20 };
	struct rulefile *f = state;

	test_require_root();
	write_big(f, "", BIG, "");
	rulefile_read(f, &opts);
	assert_true(f->result == -EFBIG || f->result == -ENOMEM);
	assert_true(f->messages.n > 0);
}

static void read_in_a_namespace(struct rulefile *f)
{
	/* A device that is nowhere else, with a number of its own. */
	if (system("ip link add name unfragtest index 77 type dummy 2>/dev/null || "
		   "ip link add name unfragtest index 77 type veth peer name unfragpeer"))
		_exit(77);
	f->result =
		policy_read(&f->rs, f->path,
			    &(struct policy_read_opts){ .netns = -1, .messages = &f->messages });
	_exit(f->result || f->rs.rules[0].statements[0].match.spans[0].from != 77);
}

static void devices_have_the_numbers_of_where_the_ruleset_is_for(void *state)
{
	struct rulefile *f = state;
	int status;
	pid_t pid;

	test_require_root();
	rulefile_write(f, "table ip t { " CHAIN "iif \"unfragtest\" accept\n}\n}\n");
	rulefile_must_refuse(f, "Interface does not exist");
	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(2);
		read_in_a_namespace(f);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		test_skip("no device of any kind can be made");
	assert_int_equal(status, 0);
}

/* Whatever a listing holds, it is read or refused. */
static void broken_listings_are_refused(void *state)
{
	struct policy_messages messages = { 0 };
	struct rulefile *f = state;
	struct policy_listing cut;
	struct ruleset rs;
	size_t i;
	int r;

	rulefile_write(f, "table ip t { set s { type ipv4_addr; elements = { 1.2.3.4 }; }\n " CHAIN
			  "ip saddr @s counter limit rate 5/second log prefix \"x\" drop\n}\n}\n");
	rulefile_must_read(f);
	for (i = 0; i < 8 * f->listing.len; i += 3) {
		cut = (struct policy_listing){ malloc(f->listing.len), f->listing.len };
		assert_non_null(cut.data);
		memcpy(cut.data, f->listing.data, cut.len);
		((uint8_t *)cut.data)[i / 8] ^= (uint8_t)(1u << i % 8);
		r = policy_parse(&rs, &cut, &messages);
		assert_true(!r || (r == -EINVAL && messages.n));
		if (!r)
			ruleset_release(&rs);
		policy_messages_release(&messages);
		cut.len = i / 8;
		r = policy_parse(&rs, &cut, &messages);
		assert_true(!r || (r == -EINVAL && messages.n));
		if (!r)
			ruleset_release(&rs);
		policy_messages_release(&messages);
		policy_listing_release(&cut);
	}
}

#define WITH(fn) TEST_WITH(fn, rulefile_setup, rulefile_teardown)

static const struct test tests[] = {
	WITH(named_sets_hold_what_rules_look_up),
	WITH(concatenations_have_a_span_for_each_field),
	WITH(any_fields_can_be_concatenated),
	WITH(neighbours_that_differ_are_one_comparison),
	WITH(maps_of_verdicts_name_chains),
	WITH(what_counts_is_what_is_there_in_the_end),
	WITH(big_sets_come_whole),
	WITH(big_sets_that_were_changed_come_whole),
	WITH(nobody_in_particular_may_read),
	WITH(what_takes_privilege_says_so),
	WITH(what_cannot_be_read_says_so),
	WITH(includes_and_variables_work),
	WITH(loading_ends_in_time),
	WITH(a_listing_has_its_limit),
	WITH(devices_have_the_numbers_of_where_the_ruleset_is_for),
	WITH(broken_listings_are_refused),
};

TEST_MAIN(tests);
