// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rulesets in force by the command: loaded, reloaded, unloaded, and what is left when one of them
 * fails. Cut short: test_policy_kill.c.
 */
#include <child.h>
#include <errno.h>
#include <frag.h>
#include <jansson.h>
#include <net.h>
#include <policed.h>
#include <pthread.h>
#include <send.h>
#include <sock.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>
#include <unistd.h>

#define RELOADS 60 /* POLICED_RELOADS in the environment: so many */

#define CHAIN(policy, rules) \
	"table inet t {\nchain c {\ntype filter hook input priority %d; policy " policy \
	";\n" rules "\n}\n}\n"

static void reload(const char *path, int status, const char *word)
{
	struct command c;

	if (path)
		command_run(&c, "policy", "reload", POLICED_NAME, path);
	else
		command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, status, word);
}

static void a_ruleset_is_in_force_until_it_is_unloaded(void *state)
{
	const struct life *l = state;
	struct command c;

	policed_load(l, policed_file(CHAIN("drop", "udp dport 9 meta nfproto ipv4 counter accept"),
				     life_priority(0)));
	life_expect_links(2);
	life_expect_passing(l, true, false);
	assert_int_equal(policed_packets("udp dport 9 meta nfproto ipv4 counter accept"), 1);
	assert_int_equal(command_run(&c, "list"), 0);
	assert_non_null(strstr(c.out, POLICED_NAME "  ready"));
	command_run(&c, "policy", "unload", POLICED_NAME);
	command_expect(&c, 0, NULL);
	assert_string_equal(c.out, "unloaded '" POLICED_NAME "'\n");
	life_expect_nothing();
	assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 0);
	life_expect_pings(l);
}

static void load_and_reload_say_what_they_did(void *state)
{
	const struct life *l = state;
	const char *path = policed_file(CHAIN("drop", "udp dport { 9, 10 } accept"),
					life_priority(0));
	struct command c;
	json_t *root;

	command_run(&c, "policy", "load", "--json", "--netns", l->path, "--name", POLICED_NAME,
		    path);
	command_expect(&c, 0, NULL);
	root = json_loads(c.out, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(root, "name")), POLICED_NAME);
	assert_string_equal(json_string_value(json_object_get(root, "file")), path);
	assert_int_equal(json_integer_value(json_object_get(root, "rules")), 1);
	assert_true(json_integer_value(json_object_get(root, "memory")) > 0);
	assert_true(json_is_false(json_object_get(root, "closed")));
	assert_int_equal(json_array_size(json_object_get(root, "places")), 1);
	json_decref(root);
	command_run(&c, "policy", "reload", POLICED_NAME);
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "reloaded '" POLICED_NAME "': 1 rule, 1 chain, "));
	assert_non_null(strstr(c.out, " of memory\n"));
}

static void that_states_are_asked_where_nothing_tracks_is_said(void *state)
{
	const struct life *l = state;
	const char *path = policed_file(
		"table ip t {\nchain c {\ntype filter hook input priority %d\n"
		"ct state vmap { invalid : continue, established : accept }\n}\n}\n",
		life_priority(0));
	struct command c;

	command_run(&c, "policy", "load", "--netns", l->path, "--name", POLICED_NAME, path);
	command_expect(&c, 0, "warning: no connection tracking of IPv4 runs");
	assert_null(strstr(c.err, "IPv6"));
	reload(NULL, 0, "warning: no connection tracking of IPv4 runs");
	test_ok(lab_ns_run(l->ns, "nft 'add table t; add chain t c; add rule t c ct state new'"));
	assert_int_equal(unfrag_conntrack_status(l->path, UNFRAG_FAMILIES_IPV4), 1);
	assert_int_equal(unfrag_conntrack_status(l->path, UNFRAG_FAMILIES_IPV6), 0);
	reload(NULL, 0, NULL);
}

/* What `policy diff` of two says, and ends with. */
static void diff(const char *a, const char *b, int status, const char *word)
{
	struct command c;

	assert_int_equal(command_run(&c, "policy", "diff", a, b), status);
	if (word && !strstr(c.out, word) && !strstr(c.err, word))
		print_error("not said: %s, but: %s%s\n", word, c.out, c.err);
	assert_true(!word || strstr(c.out, word) || strstr(c.err, word));
}

static void what_is_in_force_is_compared_by_its_name(void *state)
{
	const struct life *l = state;
	const char *path = policed_file(
		"table inet t {\n"
		"set a {\ntype ipv4_addr\nflags interval\n"
		"elements = { 10.0.0.0/8, 11.0.0.0/8, 1.2.3.4 }\n}\n"
		"set b {\ntype ipv4_addr . inet_service\nflags interval\n"
		"elements = { 10.0.0.0/8 . 80-90, 1.1.1.1-1.1.1.7 . 5 }\n}\n"
		"chain c {\ntype filter hook input priority %d\n"
		"ip saddr @a ip saddr . tcp dport @b counter drop\n"
		"ip saddr . tcp dport { 1.2.3.4 . 5 } accept\n}\n}\n",
		life_priority(0));
	struct command c;
	FILE *file;

	policed_load(l, path);
	diff(POLICED_NAME, path, 0, NULL);
	diff(path, POLICED_NAME, 0, NULL);
	diff(POLICED_NAME, POLICED_NAME, 0, NULL);
	command_run(&c, "policy", "set", "delete", POLICED_NAME, "a", "11.0.0.0/8");
	command_expect(&c, 0, NULL);
	diff(path, POLICED_NAME, 1, "- 10.0.0.0-11.255.255.255");
	diff(POLICED_NAME, "no-such-thing", 2, "can't be read");
	/* A file of that name here: either could be meant. */
	assert_int_equal(chdir("/tmp"), 0);
	file = fopen(POLICED_NAME, "wx");
	assert_non_null(file);
	fclose(file);
	diff(POLICED_NAME, path, 2, "'" POLICED_NAME "' is in force, and a file here; say './");
	diff("./" POLICED_NAME, path, 2, "no chain has a hook");
	unlink(POLICED_NAME);
	policed_file(
		"table inet t {\nchain c {\ntype filter hook input priority %d\n"
		"accept\n}\n}\n",
		life_priority(0));
	diff(POLICED_NAME, path, 1, "+ accept");
}

static void reload_puts_another_ruleset_in_force_and_moves_its_chains(void *state)
{
	const struct life *l = state;

	policed_load(l, policed_file(CHAIN("accept", ""), life_priority(0)));
	life_expect_pings(l);
	policed_file(
		"table ip a {\nchain c {\ntype filter hook output priority %d;\n}\n}\n"
		"table ip6 b {\nchain c {\ntype filter hook input priority %d; policy drop;\n"
		"}\n}\n",
		life_priority(1), life_priority(2));
	reload(NULL, 0, NULL);
	life_expect_links(2);
	life_expect_passing(l, true, false);
	policed_file(CHAIN("drop", "meta nfproto ipv6 accept"), life_priority(0));
	reload(NULL, 0, NULL);
	life_expect_links(2);
	life_expect_passing(l, false, true);
}

static void several_priorities_at_one_hook_are_met_in_order(void *state)
{
	const struct life *l = state;

	policed_load(l, policed_file("table inet t {\n"
				     "chain late {\ntype filter hook input priority %d;\n"
				     "udp dport 9 counter drop\n}\n"
				     "chain early {\ntype filter hook input priority %d;\n"
				     "meta nfproto ipv6 udp dport 9 counter accept\n"
				     "meta nfproto ipv4 udp dport 9 counter drop\n}\n}\n",
				     life_priority(9), life_priority(3)));
	life_expect_links(4);
	life_expect_passing(l, false, false);
	assert_int_equal(policed_packets("meta nfproto ipv6 udp dport 9 counter accept"), 1);
	assert_int_equal(policed_packets("meta nfproto ipv4 udp dport 9 counter drop"), 1);
	assert_int_equal(policed_packets("udp dport 9 counter drop"), 1);
}

static void counters_of_rules_that_stay_go_on(void *state)
{
	const struct life *l = state;

	policed_load(l,
		     policed_file(CHAIN("accept", "udp dport 9 counter accept"), life_priority(0)));
	life_expect_pings(l);
	policed_file(CHAIN("accept", "udp dport 10 counter drop\nudp dport 9 counter accept"),
		     life_priority(0));
	reload(NULL, 0, NULL);
	assert_int_equal(policed_packets("udp dport 9 counter accept"), 2);
	assert_int_equal(policed_packets("udp dport 10 counter drop"), 0);
	life_expect_pings(l);
	assert_int_equal(policed_packets("udp dport 9 counter accept"), 4);
}

#define NAMED(rule) \
	"table inet t {\ncounter seen {\n}\nchain c {\n" \
	"type filter hook input priority %d;\n" rule "\n}\n}\n"

/* Whatever rules count in them. */
static void named_counters_go_on(void *state)
{
	const struct life *l = state;

	policed_load(l, policed_file(NAMED("udp dport 9 counter name seen"), life_priority(0)));
	life_expect_pings(l);
	policed_file(NAMED("udp sport != 9 counter name seen accept"), life_priority(0));
	reload(NULL, 0, NULL);
	life_expect_pings(l);
	assert_int_equal(policed_packets("udp sport != 9 counter name \"seen\" accept"), 4);
}

/* Each is refused with a word, by load and by reload. */
static const struct {
	const char *rules;
	const char *word;
} bad[] = {
	{ "table inet t { chain", "syntax error" },
	{ "table inet t {\nchain c {\nudp dport 9 accept\n}\n}\n", "no chain has a hook" },
	{ "table ip t {\nchain c {\ntype nat hook prerouting priority -100;\n"
	  "dnat to 10.0.0.1\n}\n}\n",
	  "nat" },
	{ "table inet t {\nchain c {\ntype filter hook input priority 0;\nreject\n}\n}\n",
	  "reject" },
	{ "table inet t {\nchain c {\ntype filter hook prerouting priority -400;\n}\n}\n", "-400" },
};

static void what_can_not_be_loaded_changes_nothing(void *state)
{
	const struct life *l = state;
	struct command c;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		command_run(&c, "policy", "load", "--netns", l->path, "--name", POLICED_NAME,
			    policed_file("%s", bad[i].rules));
		command_expect(&c, 1, bad[i].word);
		life_expect_nothing();
	}
	policed_load(l,
		     policed_file(CHAIN("accept", "udp dport 9 counter accept"), life_priority(0)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		policed_file("%s", bad[i].rules);
		reload(NULL, 1, bad[i].word);
		reload(NULL, 1, "stays in force");
		life_expect_links(2);
	}
	life_expect_pings(l);
	assert_int_equal(policed_packets("udp dport 9 counter accept"), 2);
	reload("/no/such/file.nft", 1, "/no/such/file.nft");
}

static void a_place_that_is_taken_is_named(void *state)
{
	const struct life *l = state;
	struct command c;
	char want[64];

	policed_load(l, policed_file(CHAIN("accept", ""), life_priority(4)));
	command_run(&c, "policy", "load", "--netns", l->path, "--name", "other",
		    policed_file(CHAIN("accept", ""), life_priority(4)));
	snprintf(want, sizeof(want), "priority %d at ipv4 input is taken", life_priority(4));
	command_expect(&c, 1, want);
	assert_int_equal(life_links(), 2);
	/* Nor does one that is in force move there. */
	command_run(&c, "policy", "load", "--netns", l->path, "--name", "other",
		    policed_file(CHAIN("drop", "udp dport 9 accept"), life_priority(5)));
	command_expect(&c, 0, NULL);
	policed_file(CHAIN("drop", "accept"), life_priority(4));
	command_run(&c, "policy", "reload", "other");
	command_expect(&c, 1, want);
	command_expect(&c, 1, "stays in force");
	command_run(&c, "policy", "show", "other");
	assert_non_null(strstr(c.out, "udp dport 9 accept\n"));
	life_expect_links(4);
	life_expect_pings(l);
	life_remove("other");
}

static void memory_is_kept_to(void *state)
{
	const struct life *l = state;
	const char *path = policed_file(CHAIN("accept", "udp dport 9 accept"), life_priority(0));
	struct command c;

	command_run(&c, "policy", "load", "--memory", "1K", "--netns", l->path, "--name",
		    POLICED_NAME, path);
	command_expect(&c, 1, "memory");
	life_expect_nothing();
	policed_load(l, path);
	command_run(&c, "policy", "reload", "--memory", "1K", POLICED_NAME);
	command_expect(&c, 1, "memory");
	reload(NULL, 0, NULL);
	command_run(&c, "policy", "load", "--memory", "lots", path);
	command_expect(&c, 2, "lots");
}

static void names_in_use_and_other_programs_are_left_alone(void *state)
{
	const struct life *l = state;
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH, 2);
	const char *path = policed_file(CHAIN("accept", ""), life_priority(1));
	struct unfrag_attachment *att;
	struct command c;

	test_ok(life_attach(&att, POLICED_NAME, LIFE_OBJECT("plain"), &opts));
	command_run(&c, "policy", "load", "--netns", l->path, "--name", POLICED_NAME, path);
	command_expect(&c, 1, "policy reload " POLICED_NAME);
	reload(path, 1, "no ruleset");
	command_run(&c, "policy", "unload", POLICED_NAME);
	command_expect(&c, 1, "unfrag detach " POLICED_NAME);
	assert_int_equal(life_info(att).state, UNFRAG_STATE_READY);
	life_end(att);
	reload(NULL, 1, POLICED_NAME);
	command_run(&c, "policy", "unload", POLICED_NAME);
	command_expect(&c, 1, POLICED_NAME);
}

static void load_over(const char *netns, const char *path, int status, const char *word)
{
	struct command c;

	command_run(&c, "policy", "load", "--replace", "--netns", netns, "--name", POLICED_NAME,
		    path);
	command_expect(&c, status, word);
}

static void replace_takes_the_place_of_a_ruleset_and_of_nothing_else(void *state)
{
	const struct life *l = state;
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH, 2);
	const char *path = policed_file(CHAIN("accept", "udp dport 9 counter accept"),
					life_priority(1));
	struct unfrag_attachment *att;

	test_ok(life_attach(&att, POLICED_NAME, LIFE_OBJECT("plain"), &opts));
	load_over(l->path, path, 1, "unfrag detach " POLICED_NAME);
	assert_int_equal(life_info(att).state, UNFRAG_STATE_READY);
	life_end(att);
	load_over(l->path, path, 0, NULL);
	life_expect_pings(l);
	load_over("/proc/self/ns/net", path, 1, "another network namespace");
	load_over(l->path, path, 0, NULL);
	life_expect_pings(l);
	assert_int_equal(policed_packets("udp dport 9 counter accept"), 4);
	load_over(l->path, "/no/such/file.nft", 1, "stays in force");
	life_expect_links(2);
}

static void usage_is_told(void *state)
{
	struct command c;

	(void)state;
	command_run(&c, "policy", "load");
	command_expect(&c, 2, "one file");
	command_run(&c, "policy", "load", "-");
	command_expect(&c, 2, "--name");
	command_run(&c, "policy", "load", "--on-fail", "maybe", "x");
	command_expect(&c, 2, "maybe");
	command_run(&c, "policy", "reload");
	command_expect(&c, 2, "a name");
	command_run(&c, "policy", "unload");
	command_expect(&c, 2, "a name");
	command_run(&c, "run");
	command_expect(&c, 2, "one file");
	command_run(&c, "policy", "load", "--netns", "no-such-ns", "/dev/null");
	command_expect(&c, 1, "no-such-ns");
}

/* The server gets datagrams to LIFE_PORT and none to the next one, whatever their pieces. */
static void datagrams_in_pieces_are_judged_as_a_whole(void *state)
{
	lab_auto_router struct lab_router *router = NULL;
	static const int families[2] = { AF_INET, AF_INET6 };
	unsigned char data[3000] = "";
	struct lab_sender *sender;
	struct command c;
	pid_t keeper;

	(void)state;
	test_ok(lab_router_new(&router));
	keeper = life_keeper(router->middle);
	test_ok(lab_link_sender(&sender, router->client, LAB_CLIENT_IF));
	command_run(&c, "policy", "load", "--netns", lab_ns_path(router->middle), "--name",
		    POLICED_NAME,
		    policed_file("table inet t {\nchain c {\ntype filter hook forward priority %d; "
				 "policy drop;\nudp dport 9 counter accept\n}\n}\n",
				 life_priority(0)));
	command_expect(&c, 0, NULL);
	for (int f = 0; f < 2; f++) {
		lab_autoclose int good =
			test_ok(lab_udp_server(router->server, families[f], NULL, LIFE_PORT));
		lab_autoclose int evil =
			test_ok(lab_udp_server(router->server, families[f], NULL, LIFE_PORT + 1));

		for (int i = 0; i < 2; i++) {
			lab_auto_datagram struct lab_datagram dg = { 0 };
			lab_auto_packets struct lab_packets packets = { 0 };

			test_ok(lab_datagram_init(&dg, families[f], lab_client_addr(families[f]),
						  lab_server_addr(families[f])));
			dg.identification = 77 + (uint32_t)i;
			test_ok(lab_datagram_set_udp(&dg, 1000, LIFE_PORT + !i, data,
						     sizeof(data)));
			test_ok(lab_fragment(&dg, 512, &packets));
			test_ok(lab_send_all(sender, &packets));
		}
		assert_int_equal(lab_recv_deadline(good, data, sizeof(data), LIFE_DEADLINE_MS),
				 sizeof(data));
		assert_int_equal(lab_wait_readable(evil, 0), -ETIMEDOUT);
	}
	assert_int_equal(policed_packets("udp dport 9 counter accept"), 2);
	lab_sender_free(sender);
	lab_child_kill(keeper);
	life_remove(POLICED_NAME);
}

/* Sends over loopback until told to stop, one datagram at a time. */
struct talk {
	const struct life *life;
	atomic_bool stop;
	uint32_t sent, lost;
};

static void *keep_talking(void *arg)
{
	struct talk *t = arg;

	for (; !atomic_load(&t->stop); t->sent++)
		t->lost += !life_ping(t->life, AF_INET, 5000);
	return NULL;
}

#define SEVERAL(rules) \
	"table inet t {\nchain a {\nudp dport 9 counter accept\n}\nchain b {\ndrop\n}\n" \
	"chain c {\ntype filter hook input priority %d; policy drop;\n" rules "\n}\n}\n"

/*
 * In both rulesets every datagram is accepted by the rule that counts, to which other rules lead: a
 * packet that met half of each would be dropped, or would not be counted.
 */
static void reloads_under_traffic_judge_and_count_every_packet_once(void *state)
{
	const char *env = getenv("POLICED_RELOADS");
	int n = env ? atoi(env) : RELOADS;
	struct talk talk = { .life = state };
	pthread_t thread;

	policed_load(state, policed_file(SEVERAL("udp dport 9 jump a; jump b;"), life_priority(0)));
	assert_int_equal(pthread_create(&thread, NULL, keep_talking, &talk), 0);
	for (int i = 0; i < n; i++) {
		policed_file(i & 1 ? SEVERAL("udp dport 9 jump a; jump b;") :
				     SEVERAL("udp dport != 9 goto b; goto a;"),
			     life_priority(0));
		reload(NULL, 0, NULL);
	}
	atomic_store(&talk.stop, true);
	pthread_join(thread, NULL);
	printf("# %u datagrams met %d reloads\n", talk.sent, n);
	assert_int_equal(talk.lost, 0);
	assert_int_equal(policed_packets("udp dport 9 counter accept"), talk.sent);
	assert_int_equal(life_count(POLICED_NAME, UNFRAG_OUTCOME_SLOT_EMPTY), 0);
}

#define POLICED_TEST(fn) TEST_WITH(fn, policed_up, policed_down)

static const struct test tests[] = {
	POLICED_TEST(a_ruleset_is_in_force_until_it_is_unloaded),
	POLICED_TEST(load_and_reload_say_what_they_did),
	POLICED_TEST(that_states_are_asked_where_nothing_tracks_is_said),
	POLICED_TEST(what_is_in_force_is_compared_by_its_name),
	POLICED_TEST(reload_puts_another_ruleset_in_force_and_moves_its_chains),
	POLICED_TEST(several_priorities_at_one_hook_are_met_in_order),
	POLICED_TEST(counters_of_rules_that_stay_go_on),
	POLICED_TEST(named_counters_go_on),
	POLICED_TEST(what_can_not_be_loaded_changes_nothing),
	POLICED_TEST(a_place_that_is_taken_is_named),
	POLICED_TEST(memory_is_kept_to),
	POLICED_TEST(names_in_use_and_other_programs_are_left_alone),
	POLICED_TEST(replace_takes_the_place_of_a_ruleset_and_of_nothing_else),
	POLICED_TEST(usage_is_told),
	POLICED_TEST(datagrams_in_pieces_are_judged_as_a_whole),
	POLICED_TEST(reloads_under_traffic_judge_and_count_every_packet_once),
};

TEST_MAIN(tests);
