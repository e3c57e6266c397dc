// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy watch: each packet that a rule logs is a line, over reloads and in floods, or it is
 * told that it is none.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <child.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <policed.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>
#include <time.h>
#include <unistd.h>

#define FLOOD 20000 /* more than the log has room for */

#define RULES(rules) \
	"table inet t {\nchain c {\ntype filter hook input priority %d;\n" rules "\n}\n}\n"

#define BOTH \
	"meta nfproto ipv4 udp dport 9 log prefix \"four: \" accept\n" \
	"meta nfproto ipv6 log counter comment \"six\""

static void start(struct background *r)
{
	background_start(r, "policy", "watch", POLICED_NAME);
	background_says(r, true, "watching; Ctrl-C ends it\n");
}

static unsigned int port_of(int fd)
{
	struct sockaddr_in6 any = { 0 };
	socklen_t len = sizeof(any);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &len), 0);
	return ntohs(any.sin6_port); /* it stands at the same place in both families */
}

static size_t count_lines(const char *text, const char *with)
{
	size_t n = 0;

	for (text = strstr(text, with); text; text = strstr(text + 1, with))
		n++;
	return n;
}

static void expect_match(const char *text, const char *fmt, unsigned int port)
{
	char pattern[512];
	regex_t re;
	int r;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(pattern, sizeof(pattern), fmt, port);
#pragma GCC diagnostic pop
	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	r = regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	if (r)
		printf("# no line is like '%s' in:\n%s", pattern, text);
	assert_int_equal(r, 0);
}

#define CLOCK "^[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}  "

static void a_line_has_time_prefix_packet_devices_hook_and_rule(void *state)
{
	const struct life *l = state;
	struct background r;

	policed_load(l, policed_file(RULES(BOTH), life_priority(0)));
	policed_send(l, AF_INET, 1); /* for nobody */
	start(&r);
	policed_send(l, AF_INET, 1);
	policed_send(l, AF_INET6, 2);
	background_says(&r, false, "rule 'meta nfproto ipv6 log counter comment \"six\"'");
	assert_int_equal(background_end(&r, SIGINT), 0);
	assert_int_equal(count_lines(r.out, "\n"), 3);
	command_expect_lines(r.out);
	expect_match(r.out,
		     CLOCK
		     "four:   udp 127\\.0\\.0\\.1:%u > 127\\.0\\.0\\.1:9, 29 bytes iif lo  "
		     "input: rule 'meta nfproto ipv4 udp dport 9 log prefix \"four: \" "
		     "accept' of chain 'inet t c'$",
		     port_of(l->tx[0]));
	expect_match(r.out,
		     CLOCK
		     "udp \\[::1\\]:%u > \\[::1\\]:9, 49 bytes iif lo  input: rule "
		     "'meta nfproto ipv6 log counter comment \"six\"' of chain 'inet t c'$",
		     port_of(l->tx[1]));
	assert_string_equal(r.err, "unfrag: watching; Ctrl-C ends it\n");
}

static json_t *parse_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');
	json_t *root;

	assert_non_null(end);
	*end = '\0';
	*text = end + 1;
	root = json_loads(line, 0, NULL);
	assert_non_null(root);
	return root;
}

static const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key)) ?: "";
}

static json_int_t number_at(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void expect_event(json_t *o, const struct life *l, bool v6)
{
	static const char *const none[] = { "largest_fragment", "smallest_fragment", "oif" };

	assert_string_equal(text_at(o, "prefix"), v6 ? "" : "four: ");
	assert_string_equal(text_at(o, "hook"), "input");
	assert_string_equal(text_at(o, "family"), v6 ? "ipv6" : "ipv4");
	assert_string_equal(text_at(o, "table"), "inet t");
	assert_string_equal(text_at(o, "chain"), "c");
	assert_string_equal(text_at(o, "rule"),
			    v6 ? "meta nfproto ipv6 log counter comment \"six\"" :
				 "meta nfproto ipv4 udp dport 9 log prefix \"four: \" accept");
	assert_string_equal(text_at(o, "source"), v6 ? "::1" : "127.0.0.1");
	assert_string_equal(text_at(o, "destination"), v6 ? "::1" : "127.0.0.1");
	assert_int_equal(number_at(o, "protocol"), 17);
	assert_int_equal(number_at(o, "source_port"), port_of(l->tx[v6]));
	assert_int_equal(number_at(o, "destination_port"), LIFE_PORT);
	assert_int_equal(number_at(o, "length"), v6 ? 49 : 29);
	assert_true(json_is_false(json_object_get(o, "reassembled")));
	assert_string_equal(text_at(o, "iif"), "lo");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_null(json_object_get(o, none[i]));
	json_decref(o);
}

static void json_has_what_the_manual_says(void *state)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	const struct life *l = state;
	struct background r;
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;
	time_t began = time(NULL);
	char *text;
	json_t *o;

	policed_load(l, policed_file(RULES(BOTH), life_priority(0)));
	/* It says nothing but lines of JSON, so packets tell when it watches. */
	background_start(&r, "policy", "watch", "--json");
	do {
		policed_send(l, AF_INET, 1);
		nanosleep(&pause, NULL);
	} while (!background_has(&r, false, "}\n") && lab_ms_left(deadline));
	policed_send(l, AF_INET6, 1);
	background_says(&r, false, "ipv6");
	assert_int_equal(background_end(&r, SIGTERM), 0);
	assert_string_equal(r.err, "");
	text = r.out;
	o = parse_line(&text);
	assert_true(json_real_value(json_object_get(o, "time")) >= (double)began);
	assert_true(json_real_value(json_object_get(o, "time")) <= (double)time(NULL) + 1);
	expect_event(o, l, false);
	for (o = parse_line(&text); !strcmp(text_at(o, "family"), "ipv4"); o = parse_line(&text))
		expect_event(o, l, false);
	expect_event(o, l, true);
	assert_string_equal(text, "");
}

/* Sends until told to stop, one datagram at a time. */
struct talk {
	const struct life *life;
	atomic_bool stop;
	size_t sent, lost;
};

static void *keep_talking(void *arg)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct talk *t = arg;

	for (; !atomic_load(&t->stop); t->sent++) {
		t->lost += !life_ping(t->life, AF_INET, 5000);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void reload(const char *path)
{
	struct command c;

	command_run(&c, "policy", "reload", POLICED_NAME, path);
	command_expect(&c, 0, NULL);
}

/* After each reload a packet of the new ruleset, so that none comes and goes unseen. */
static void it_goes_on_over_reloads_and_shows_every_packet_once(void *state)
{
	struct talk talk = { .life = state };
	struct background r;
	pthread_t thread;
	char rule[64];

	policed_load(state, policed_file(RULES("log prefix \"reload 0.\""), life_priority(0)));
	start(&r);
	assert_int_equal(pthread_create(&thread, NULL, keep_talking, &talk), 0);
	for (int i = 1; i <= 6; i++) {
		reload(policed_file(RULES("log prefix \"reload %d.\""), life_priority(0), i));
		snprintf(rule, sizeof(rule), "reload %d.", i);
		background_says(&r, false, rule);
	}
	atomic_store(&talk.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(background_end(&r, SIGINT), 0);
	assert_int_equal(talk.lost, 0);
	assert_string_equal(r.err, "unfrag: watching; Ctrl-C ends it\n");
	assert_int_equal(count_lines(r.out, "udp 127.0.0.1"), talk.sent);
}

/* Stopped, it sees nothing of a ruleset that comes and goes, and it knows that there was one. */
static void a_ruleset_that_came_and_went_unseen_is_told(void *state)
{
	const struct life *l = state;
	struct background r;

	policed_load(l, policed_file(RULES("log prefix \"first\""), life_priority(0)));
	start(&r);
	policed_send(l, AF_INET, 1);
	background_says(&r, false, "first");
	assert_int_equal(kill(r.pid, SIGSTOP), 0);
	policed_send(l, AF_INET, 1);
	reload(policed_file(RULES("log prefix \"second\""), life_priority(0)));
	policed_send(l, AF_INET, 1);
	reload(policed_file(RULES("log prefix \"third\""), life_priority(0)));
	policed_send(l, AF_INET, 1);
	assert_int_equal(kill(r.pid, SIGCONT), 0);
	background_says(&r, true,
			"reloaded 2 times at once: what was logged in between was not told");
	background_says(&r, false, "third");
	assert_int_equal(background_end(&r, SIGINT), 0);
	assert_int_equal(count_lines(r.out, "first\""), 2);
	assert_int_equal(count_lines(r.out, "third\""), 1);
	assert_int_equal(count_lines(r.out, "\n"), 3);
}

static void what_came_too_fast_is_counted(void *state)
{
	const char *words = " more logged packets were not told: they came too fast\n";
	struct background r;
	const struct life *l = state;
	const char *at;
	size_t lost;

	policed_load(l, policed_file(RULES("log"), life_priority(0)));
	start(&r);
	assert_int_equal(kill(r.pid, SIGSTOP), 0);
	policed_send(l, AF_INET, FLOOD);
	assert_int_equal(kill(r.pid, SIGCONT), 0);
	background_says(&r, true, words);
	assert_int_equal(background_end(&r, SIGINT), 0);
	at = strstr(r.err, words);
	while (at[-1] != ' ')
		at--;
	lost = strtoul(at, NULL, 10);
	printf("# %zu of %d lost\n", lost, FLOOD);
	assert_int_equal(count_lines(r.out, "\n") + lost, FLOOD);
	assert_int_equal(count_lines(r.err, "\n"), 2);
}

static void an_unload_ends_it(void *state)
{
	const struct life *l = state;
	struct background r;
	struct command c;

	policed_load(l, policed_file(RULES("log"), life_priority(0)));
	start(&r);
	policed_send(l, AF_INET, 3);
	command_run(&c, "policy", "unload", POLICED_NAME);
	command_expect(&c, 0, NULL);
	assert_int_equal(background_end(&r, 0), 0);
	assert_int_equal(count_lines(r.out, "udp"), 3);
	assert_string_equal(r.err,
			    "unfrag: watching; Ctrl-C ends it\n"
			    "unfrag: '" POLICED_NAME "' is no longer in force\n");
}

static void only_one_watches(void *state)
{
	const struct life *l = state;
	struct background r;
	struct command c;

	policed_load(l, policed_file(RULES("log"), life_priority(0)));
	start(&r);
	command_run(&c, "policy", "watch");
	command_expect(&c, 1, "is being watched by another process");
	policed_send(l, AF_INET, 1);
	background_says(&r, false, "udp");
	assert_int_equal(background_end(&r, SIGKILL), 128 + SIGKILL);
	/* The kernel gives back what it held. */
	start(&r);
	assert_int_equal(background_end(&r, SIGINT), 0);
}

static void it_ends_when_nobody_reads(void *state)
{
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;
	const struct life *l = state;
	int ends[2], status;
	pid_t pid;

	policed_load(l, policed_file(RULES("log"), life_priority(0)));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = test_ok(lab_ns_spawn(NULL,
				   (const char *const[]){ TEST_UNFRAG, "policy", "watch", NULL },
				   ends[1]));
	close(ends[1]);
	close(ends[0]);
	while ((status = lab_child_wait(pid, 20)) == -ETIMEDOUT && lab_ms_left(deadline))
		policed_send(l, AF_INET, 1);
	assert_int_equal(status, 1);
}

static void what_can_not_be_watched_is_told(void *state)
{
	const struct life *l = state;
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH, 2);
	struct unfrag_attachment *att;
	struct command c;

	command_run(&c, "policy", "watch");
	command_expect(&c, 1, "no ruleset is in force");
	command_run(&c, "policy", "watch", "nothing");
	command_expect(&c, 1, "nothing");
	test_ok(life_attach(&att, "program", LIFE_OBJECT("plain"), &opts));
	command_run(&c, "policy", "watch", "program");
	command_expect(&c, 1, "'program'");
	command_run(&c, "policy", "watch");
	command_expect(&c, 1, "no ruleset is in force");
	life_end(att);
	policed_load(l, policed_file(RULES("log"), life_priority(0)));
	command_run(&c, "policy", "load", "--netns", l->path, "--name", "other",
		    policed_file(RULES("log"), life_priority(1)));
	command_run(&c, "policy", "watch");
	command_expect(&c, 1, "2 rulesets are in force: say which");
	command_run(&c, "policy", "watch", "a", "b");
	command_expect(&c, 2, "one name");
	life_remove("other");
}

#define POLICED_TEST(fn) TEST_WITH(fn, policed_up, policed_down)

static const struct test tests[] = {
	POLICED_TEST(a_line_has_time_prefix_packet_devices_hook_and_rule),
	POLICED_TEST(json_has_what_the_manual_says),
	POLICED_TEST(it_goes_on_over_reloads_and_shows_every_packet_once),
	POLICED_TEST(a_ruleset_that_came_and_went_unseen_is_told),
	POLICED_TEST(what_came_too_fast_is_counted),
	POLICED_TEST(an_unload_ends_it),
	POLICED_TEST(only_one_watches),
	POLICED_TEST(it_ends_when_nobody_reads),
	POLICED_TEST(what_can_not_be_watched_is_told),
};

TEST_MAIN(tests);
