// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * packaging/unfrag@.service without systemd: its commands as they stand in the file, with the
 * capabilities that it leaves them, in a namespace. If systemd-analyze is there it looks too.
 */
#include <child.h>
#include <errno.h>
#include <linux/capability.h>
#include <policed.h>
#include <policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <test.h>
#include <unistd.h>

#define UNIT      TEST_BUILD "/packaging/unfrag@.service"
#define WORDS_MAX 16
#define MANY      70000 /* elements; more than a socket takes without privilege */

struct unit {
	struct life *life;
	char dir[32];        /* in place of /etc/unfrag */
	const char *on_fail; /* as a drop-in sets it; NULL: as the unit does */
};

static void up(void **state)
{
	struct unit *u = calloc(1, sizeof(*u));
	void *life;

	assert_non_null(u);
	*state = u;
	policed_up(&life);
	u->life = life;
	strcpy(u->dir, "/tmp/unfrag-unit-XXXXXX");
	assert_non_null(mkdtemp(u->dir));
}

static void down(void *state)
{
	struct unit *u = state;

	lab_ns_run(NULL, "rm -rf '%s'", u->dir);
	policed_down(u->life);
	free(u);
}

/* What stands behind KEY= in the file; "" if there is none. */
static void value_of(const char *key, char *out, size_t size)
{
	size_t len = strlen(key);
	char line[1024];
	FILE *f = fopen(UNIT, "r");

	assert_non_null(f);
	out[0] = '\0';
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && line[len] == '=')
			snprintf(out, size, "%.*s", (int)strcspn(line + len + 1, "\n"),
				 line + len + 1);
	fclose(f);
}

static void replace(char *text, size_t size, const char *from, const char *to)
{
	char *copy, *at;

	while ((at = strstr(text, from))) {
		copy = strdup(at + strlen(from));
		assert_non_null(copy);
		snprintf(at, size - (size_t)(at - text), "%s%s", to, copy);
		free(copy);
	}
}

/* Words of a line for the instance: specifiers, variables and the directory filled in. */
static void words_of(const struct unit *u, const char *key, char *line, size_t size,
		     const char **words)
{
	char variable[64], dir[40], *word, *rest = NULL;
	size_t n = 0;

	value_of(key, line, size);
	value_of("Environment", variable, sizeof(variable));
	assert_int_equal(strncmp(variable, "ON_FAIL=", 8), 0);
	snprintf(dir, sizeof(dir), "%s/", u->dir);
	replace(line, size, "${ON_FAIL}", u->on_fail ? u->on_fail : variable + 8);
	replace(line, size, "%i", POLICED_NAME);
	replace(line, size, "/etc/unfrag/", dir);
	for (word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(n < WORDS_MAX - 1);
		words[n++] = word;
	}
	words[n] = NULL;
	assert_true(n > 2);
	assert_string_equal(strrchr(words[0], '/'), "/unfrag");
}

static bool keeps(int capability)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
		{ "CAP_BPF", CAP_BPF },
		{ "CAP_NET_ADMIN", CAP_NET_ADMIN },
		{ "CAP_PERFMON", CAP_PERFMON },
		{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN },
	};
	char set[256], *word, *rest = NULL;
	size_t n_words = 0, n_known = 0;
	bool is_kept = false;

	value_of("CapabilityBoundingSet", set, sizeof(set));
	for (word = strtok_r(set, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		n_words++;
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			if (strcmp(known[i].name, word) != 0)
				continue;
			n_known++;
			is_kept |= known[i].number == capability;
		}
	}
	if (n_words != n_known)
		_exit(126); /* what would the others be for? */
	return is_kept;
}

static void as_the_unit(struct command *c)
{
	int i;

	(void)c;
	for (i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!keeps(i) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0))
			_exit(126);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(126);
}

/* Runs ExecStart and so on, and asserts how it ends and a word of what it says. */
static void run(const struct unit *u, const char *key, int status, const char *word)
{
	struct command c = { .ns = u->life->ns, .before = as_the_unit };
	const char *words[WORDS_MAX];
	char line[1024];

	words_of(u, key, line, sizeof(line), words);
	command_v(&c, words + 1);
	command_expect(&c, status, word);
}

static void write_rules(const struct unit *u, const char *policy, const char *rules)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" POLICED_NAME ".nft", u->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"table inet t {\nchain c {\ntype filter hook input priority %d; policy %s;\n%s\n"
		"}\n}\n",
		life_priority(0), policy, rules);
	assert_int_equal(fclose(f), 0);
}

static void it_starts_reloads_and_stops(void *state)
{
	const struct unit *u = state;

	write_rules(u, "drop", "meta nfproto ipv4 counter accept");
	run(u, "ExecStart", 0, NULL);
	life_expect_passing(u->life, true, false);
	write_rules(u, "drop", "meta nfproto ipv6 accept\nmeta nfproto ipv4 counter accept");
	run(u, "ExecReload", 0, NULL);
	life_expect_pings(u->life);
	assert_int_equal(policed_packets("meta nfproto ipv4 counter accept"), 2);
	run(u, "ExecStop", 0, NULL);
	life_expect_nothing();
	life_expect_pings(u->life);
	run(u, "ExecStop", 1, POLICED_NAME);
}

static void a_reload_that_fails_leaves_the_old_one(void *state)
{
	const struct unit *u = state;
	struct command c;

	write_rules(u, "drop", "meta nfproto ipv4 counter accept");
	run(u, "ExecStart", 0, NULL);
	write_rules(u, "drop", "reject");
	run(u, "ExecReload", 1, "stays in force");
	life_expect_passing(u->life, true, false);
	/* Others may have put another file in force; the unit's is its own. */
	command_run(&c, "policy", "reload", POLICED_NAME,
		    policed_file("table ip t {\nchain c {\ntype filter hook input priority %d;\n"
				 "}\n}\n",
				 life_priority(0)));
	command_expect(&c, 0, NULL);
	write_rules(u, "drop", "meta nfproto ipv6 accept");
	run(u, "ExecReload", 0, NULL);
	life_expect_passing(u->life, false, true);
}

static void a_start_that_fails_is_open_unless_asked_otherwise(void *state)
{
	struct unit *u = state;

	run(u, "ExecStart", 1, "can't be read");
	life_expect_nothing();
	write_rules(u, "drop", "reject");
	run(u, "ExecStart", 1, "reject");
	life_expect_nothing();
	life_expect_pings(u->life);
}

/* What drops all stands at priority 0: no other process is in this namespace. */
static void a_start_that_fails_is_closed_if_asked(void *state)
{
	struct unit *u = state;

	u->on_fail = "closed";
	run(u, "ExecStart", 1, "EVERY PACKET IS DROPPED");
	life_expect_passing(u->life, false, false);
	write_rules(u, "drop", "reject");
	run(u, "ExecStart", 1, "stays in force");
	life_expect_passing(u->life, false, false);
	write_rules(u, "drop", "meta nfproto ipv6 accept");
	run(u, "ExecStart", 0, NULL);
	life_expect_passing(u->life, false, true);
	life_expect_links(2);
	/* What is in force is better than nothing getting through. */
	write_rules(u, "drop", "reject");
	run(u, "ExecStart", 1, "stays in force");
	life_expect_passing(u->life, false, true);
	run(u, "ExecStop", 0, NULL);
	life_expect_nothing();
}

static void a_start_works_after_one_that_was_cut_short(void *state)
{
	const struct unit *u = state;
	char path[96], line[1024];
	const char *words[WORDS_MAX];
	struct command c = { .ns = u->life->ns };

	write_rules(u, "drop", "meta nfproto ipv4 counter accept");
	words_of(u, "ExecStart", line, sizeof(line), words);
	/* The last call but a few, whatever their number: when it begins to pin. */
	c.watch = true;
	command_v(&c, words + 1);
	command_expect(&c, 0, NULL);
	run(u, "ExecStop", 0, NULL);
	c.stop_at = c.calls - 20;
	command_v(&c, words + 1);
	assert_int_equal(c.status, 128 + 9);
	assert_int_equal(life_state(POLICED_NAME, NULL), UNFRAG_STATE_BROKEN);
	run(u, "ExecReload", 1, "broken");
	run(u, "ExecStart", 0, "taken away first");
	life_expect_passing(u->life, true, false);
	/* And after one that was not: counters go on. */
	run(u, "ExecStart", 0, NULL);
	life_expect_passing(u->life, true, false);
	assert_int_equal(policed_packets("meta nfproto ipv4 counter accept"), 2);
	snprintf(path, sizeof(path), "%s/" POLICED_NAME ".nft", u->dir);
	unlink(path);
	run(u, "ExecStart", 1, "stays in force");
	life_expect_passing(u->life, true, false);
}

static void many_elements_are_within_its_means(void *state)
{
	const struct unit *u = state;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" POLICED_NAME ".nft", u->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "table ip t {\nset s {\ntype ipv4_addr\nelements = {\n");
	for (unsigned int i = 0; i < MANY; i++)
		fprintf(f, "10.%u.%u.%u,\n", i >> 16, i >> 8 & 255, i & 255);
	fprintf(f, "}\n}\nchain c {\ntype filter hook input priority %d;\nip saddr @s drop\n}\n}\n",
		life_priority(0));
	assert_int_equal(fclose(f), 0);
	run(u, "ExecStart", 0, NULL);
	run(u, "ExecStop", 0, NULL);
}

/* A condition that does not hold is no failure: nothing would be filtered, and nobody told. */
static void it_comes_before_the_network_and_has_no_conditions(void *state)
{
	const struct unit *u = state;
	char text[256], said[4096];

	value_of("Before", text, sizeof(text));
	assert_non_null(strstr(text, "network-pre.target"));
	value_of("Wants", text, sizeof(text));
	assert_string_equal(text, "network-pre.target");
	value_of("DefaultDependencies", text, sizeof(text));
	assert_string_equal(text, "no");
	value_of("ConditionPathExists", text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(lab_ns_output(NULL, said, sizeof(said),
				       "command -v systemd-analyze >/dev/null || exit 0; "
				       "sed 's|=/.*/unfrag policy|=" TEST_UNFRAG " policy|' '" UNIT
				       "' >'%s/unfrag@.service' && "
				       "systemd-analyze verify --man=no '%s/unfrag@.service' 2>&1",
				       u->dir, u->dir),
			 0);
	assert_string_equal(said, "");
}

/* Or nothing would close what could not be loaded. */
static void a_slow_file_fails_before_systemd_ends_it(void *state)
{
	char text[32], *unit;
	unsigned long minutes;

	(void)state;
	value_of("TimeoutStartSec", text, sizeof(text));
	minutes = strtoul(text, &unit, 10);
	assert_string_equal(unit, "min");
	assert_true(minutes * 60000 >= 2 * POLICY_TIMEOUT_MS);
}

#define UNIT_TEST(fn) TEST_WITH(fn, up, down)

static const struct test tests[] = {
	UNIT_TEST(it_starts_reloads_and_stops),
	UNIT_TEST(a_reload_that_fails_leaves_the_old_one),
	UNIT_TEST(a_slow_file_fails_before_systemd_ends_it),
	UNIT_TEST(a_start_that_fails_is_open_unless_asked_otherwise),
	UNIT_TEST(a_start_that_fails_is_closed_if_asked),
	UNIT_TEST(a_start_works_after_one_that_was_cut_short),
	UNIT_TEST(many_elements_are_within_its_means),
	UNIT_TEST(it_comes_before_the_network_and_has_no_conditions),
};

TEST_MAIN(tests);
