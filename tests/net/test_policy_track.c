// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "ct state" is what others know of connections: a ruleset that asks for it makes nobody track any,
 * and sees what is there where nftables has turned tracking on.
 */
#include <child.h>
#include <policed.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>

#define PINGS 3 /* of each family */

static const char *const states[] = { "new", "established", "untracked", "invalid" };

/* For each state a rule that counts, in a ruleset that knows nothing else. */
static void load_states(const struct life *l)
{
	policed_load(l, policed_file("table inet t {\nchain c {\n"
				     "type filter hook input priority %d; policy accept;\n"
				     "ct state new counter\nct state established counter\n"
				     "ct state untracked counter\nct state invalid counter\n}\n}\n",
				     life_priority(0)));
}

/* Sends, and all of it is of the one state. */
static void expect_state(const struct life *l, const char *state)
{
	uint64_t before[4], more;
	char rule[64];

	for (size_t i = 0; i < 4; i++) {
		snprintf(rule, sizeof(rule), "ct state %s counter", states[i]);
		before[i] = policed_packets(rule);
	}
	policed_send(l, AF_INET, PINGS);
	policed_send(l, AF_INET6, PINGS);
	for (size_t i = 0; i < 4; i++) {
		snprintf(rule, sizeof(rule), "ct state %s counter", states[i]);
		more = policed_packets(rule) - before[i];
		if (more != (strcmp(states[i], state) ? 0 : 2 * PINGS))
			printf("# %llu packets are %s\n", (unsigned long long)more, states[i]);
		assert_int_equal(more, strcmp(states[i], state) ? 0 : 2 * PINGS);
	}
}

/* Connections that the kernel knows in the namespace. */
static int connections(const struct life *l)
{
	char text[32];

	assert_int_equal(lab_ns_output(l->ns, text, sizeof(text),
				       "cat /proc/sys/net/netfilter/nf_conntrack_count"),
			 0);
	return atoi(text);
}

static void tracking_is_not_turned_on(void *state)
{
	const struct life *l = state;
	struct command c;

	load_states(l);
	expect_state(l, "invalid");
	assert_int_equal(connections(l), 0);
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 0, "no connection tracking of IPv6 runs in this network namespace");
	expect_state(l, "invalid");
	assert_int_equal(connections(l), 0);
}

static void nft(const struct life *l, const char *chain)
{
	assert_int_equal(lab_ns_run(l->ns, "nft 'table inet track { chain %s; }'", chain), 0);
}

static void what_nftables_tracks_is_seen(void *state)
{
	const struct life *l = state;

	load_states(l);
	nft(l, "in { type filter hook input priority 300; ct state new accept; }");
	/* Nobody answers, so each of them is as new as the first. */
	expect_state(l, "new");
	assert_true(connections(l) > 0);
	nft(l, "out { type filter hook output priority -300; notrack; }");
	expect_state(l, "untracked");
}

#define POLICED_TEST(fn) TEST_WITH(fn, policed_up, policed_down)

static const struct test tests[] = {
	POLICED_TEST(tracking_is_not_turned_on),
	POLICED_TEST(what_nftables_tracks_is_seen),
};

TEST_MAIN(tests);
