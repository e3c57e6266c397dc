// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What rules know of the fragments that a packet came in: whether there were any, and the sizes of
 * the largest and the smallest one. Fragments of known sizes cross a router, in both families and
 * in every order, and what the gate saw of them is told by "policy watch".
 */
#include <child.h>
#include <net.h>
#include <policed.h>
#include <poll.h>
#include <send.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>

#define DATA       2400u /* bytes of payload of each datagram, UDP header included */
#define PIECES_MAX 6

struct pieces {
	struct lab_router *router;
	struct background watch;
	pid_t keeper;
	uint16_t number; /* of a datagram: its source port and identification */
	void *life;
};

#define LOG(hook) "chain " hook " {\ntype filter hook " hook " priority %d;\nudp dport 9 log\n}\n"

static void up(void **state)
{
	struct pieces *p = calloc(1, sizeof(*p));
	struct command c;

	assert_non_null(p);
	*state = p;
	p->number = 1000;
	policed_up(&p->life);
	test_ok(lab_router_new(&p->router));
	p->keeper = life_keeper(p->router->middle);
	command_run(&c, "policy", "load", "--netns", lab_ns_path(p->router->middle), "--name",
		    POLICED_NAME,
		    policed_file("table inet t {\n" LOG("prerouting") LOG("input") LOG("forward")
					 LOG("output") LOG("postrouting") "}\n",
				 life_priority(0), life_priority(0), life_priority(0),
				 life_priority(0), life_priority(0)));
	command_expect(&c, 0, NULL);
	background_start(&p->watch, "policy", "watch");
	background_says(&p->watch, true, "watching; Ctrl-C ends it\n");
}

static void down(void *state)
{
	struct pieces *p = state;

	lab_child_kill(p->keeper);
	lab_router_free(p->router);
	policed_down(p->life);
	free(p);
}

/* A datagram that others are not mistaken for. */
static void make(struct pieces *p, struct lab_datagram *dg, int family, const char *to)
{
	static const unsigned char data[DATA];

	p->number++;
	test_ok(lab_datagram_init(dg, family, lab_client_addr(family), to));
	dg->identification = p->number;
	test_ok(lab_datagram_set_udp(dg, p->number, LIFE_PORT, data, DATA - 8));
}

/* The line of a datagram at a hook, as far as it is there; "" if there is none yet. */
static void find_line(const struct pieces *p, const char *hook, char *out, size_t size)
{
	char number[32], name[32];
	const char *line, *end;

	snprintf(number, sizeof(number), ":%u > ", p->number);
	snprintf(name, sizeof(name), "  %s: rule", hook);
	for (line = p->watch.out; (end = strchr(line, '\n')); line = end + 1) {
		snprintf(out, size, "%.*s", (int)(end - line), line);
		if (strstr(out, number) && strstr(out, name))
			return;
	}
	out[0] = '\0';
}

/* The latest datagram was seen so at these hooks, up to NULL. */
static void expect(struct pieces *p, const char *const *hooks, const char *what)
{
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;
	char line[512];

	for (; *hooks; hooks++) {
		do {
			poll(NULL, 0, 1);
			find_line(p, *hooks, line, sizeof(line));
		} while (!line[0] && lab_ms_left(deadline));
		if (!strstr(line, what))
			printf("# not '%s' at %s: %s\n", what, *hooks, line);
		assert_non_null(strstr(line, what));
	}
}

/* Whether a line has both. */
static bool has_both(const char *text, const char *first, const char *second)
{
	char line[512];
	const char *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		if (strstr(line, first) && strstr(line, second))
			return true;
	}
	return false;
}

static const char *const through[] = { "prerouting", "forward", "postrouting", NULL };
static const char *const inwards[] = { "prerouting", "input", NULL };
static const char *const outwards[] = { "output", "postrouting", NULL };

/* Of IP packets: of the whole one, and of the smallest and largest fragment. */
static void expect_sizes(struct pieces *p, const char *const *hooks, size_t whole, size_t smallest,
			 size_t largest)
{
	char what[96];

	snprintf(what, sizeof(what), ", %zu bytes, of fragments of %zu to %zu ", whole, smallest,
		 largest);
	expect(p, hooks, what);
}

/* Where the payload is cut, but for its end. */
static const uint16_t cuts[][PIECES_MAX] = {
	{ 1200 },
	{ 1000 },
	{ 1400 },
	{ 480, 960, 1440, 1920 },
	{ 1400, 1408 },
	{ 8, 1408 },
	{ 8, 16, 24, 32, 1440 },
	{ 1040, 1800, 2200, 2208, 2392 },
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Fragments of `dg`, later ones with the headers of `later`. sizes: of the smallest and largest. */
static void cut(const struct lab_datagram *dg, const struct lab_datagram *later,
		const uint16_t *ends, struct lab_packets *out, size_t sizes[2])
{
	size_t at = 0, end, len;

	sizes[0] = SIZE_MAX;
	sizes[1] = 0;
	for (int i = 0; at < DATA; i++, at = end) {
		end = i < PIECES_MAX && ends[i] ? ends[i] : DATA;
		test_ok(lab_fragment_at(at ? later : dg, at, end - at, end < DATA, out));
		lab_packet_at(out, out->count - 1, &len);
		sizes[0] = least(sizes[0], len);
		sizes[1] = len > sizes[1] ? len : sizes[1];
	}
}

static void send_cut(struct pieces *p, struct lab_sender *sender, const struct lab_datagram *dg,
		     const struct lab_datagram *later, const uint16_t *ends, enum lab_order order,
		     size_t sizes[2])
{
	lab_auto_packets struct lab_packets packets = { 0 };

	cut(dg, later, ends, &packets, sizes);
	test_ok(lab_packets_order(&packets, order, order == LAB_RANDOM, p->number));
	test_ok(lab_send_all(sender, &packets));
}

static void sizes_are_those_that_crossed(struct pieces *p, int family)
{
	struct lab_sender *sender;
	size_t sizes[2];

	test_ok(lab_link_sender(&sender, p->router->client, LAB_CLIENT_IF));
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		for (unsigned int order = 0; order < LAB_ORDER_MAX; order++) {
			lab_auto_datagram struct lab_datagram dg = { 0 };

			make(p, &dg, family, lab_server_addr(family));
			send_cut(p, sender, &dg, &dg, cuts[i], (enum lab_order)order, sizes);
			expect_sizes(p, through, DATA + (family == AF_INET ? 20 : 40), sizes[0],
				     sizes[1]);
		}
	lab_sender_free(sender);
}

static void sizes_are_those_that_crossed_ipv4(void *state)
{
	sizes_are_those_that_crossed(state, AF_INET);
}

static void sizes_are_those_that_crossed_ipv6(void *state)
{
	sizes_are_those_that_crossed(state, AF_INET6);
}

static void send_to_router(struct pieces *p)
{
	static const char *const left[2] = { LAB_LEFT_V4, LAB_LEFT_V6 };
	struct lab_sender *sender;
	size_t sizes[2];

	test_ok(lab_link_sender(&sender, p->router->client, LAB_CLIENT_IF));
	for (int f = 0; f < 2; f++) {
		lab_auto_datagram struct lab_datagram dg = { 0 };

		make(p, &dg, f ? AF_INET6 : AF_INET, left[f]);
		send_cut(p, sender, &dg, &dg, cuts[1], LAB_IN_ORDER, sizes);
		expect_sizes(p, inwards, DATA + (f ? 40 : 20), sizes[0], sizes[1]);
	}
	lab_sender_free(sender);
}

/* Fragments that a raw socket of the router makes are put together at output. */
static void send_from_router(struct pieces *p)
{
	size_t sizes[2];

	for (int f = 0; f < 2; f++) {
		lab_auto_datagram struct lab_datagram dg = { 0 };
		int family = f ? AF_INET6 : AF_INET;
		struct lab_sender *sender;

		test_ok(lab_raw_sender(&sender, p->router->middle, family));
		make(p, &dg, family, lab_server_addr(family));
		send_cut(p, sender, &dg, &dg, cuts[1], LAB_IN_ORDER, sizes);
		lab_sender_free(sender);
		expect_sizes(p, outwards, DATA + (f ? 40 : 20), sizes[0], sizes[1]);
	}
}

static void sizes_are_known_of_what_the_router_gets_and_sends(void *state)
{
	send_to_router(state);
	send_from_router(state);
}

/* Options that are not copied stand in the first fragment alone. */
static void sizes_are_right_with_options(void *state)
{
	static const unsigned char options[] = { 0x94, 4, 0, 0, 0x07, 35, 4, [39] = 0 };
	struct pieces *p = state;
	struct lab_sender *sender;
	size_t sizes[2], i, n;

	test_ok(lab_link_sender(&sender, p->router->client, LAB_CLIENT_IF));
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		for (n = 0; n <= sizeof(options); n += 4) {
			lab_auto_datagram struct lab_datagram dg = { 0 };
			struct lab_datagram later;

			make(p, &dg, AF_INET, LAB_SERVER_V4);
			dg.headers = options;
			dg.headers_len = sizeof(options);
			later = dg;
			later.headers_len = n;
			send_cut(p, sender, &dg, &later, cuts[i], LAB_REVERSED, sizes);
			expect_sizes(p, through, DATA + 20 + sizeof(options), sizes[0], sizes[1]);
		}
	lab_sender_free(sender);
}

/* Hop-by-Hop options, Destination options, and a Routing header without segments left. */
static void sizes_are_right_with_extension_headers(void *state)
{
	static const unsigned char all[] = {
		60, 0, 1, 4, 0, 0, 0, 0, /* PadN of 4 bytes */
		43, 0, 1, 4, 0, 0, 0, 0, /* likewise */
		44, 0, 4, 0, 0, 0, 0, 0, /* type 4, none left */
	};
	static const struct {
		uint8_t from, to, first;
	} chains[] = { { 0, 8, 0 },   { 0, 16, 0 },  { 0, 24, 0 },
		       { 8, 16, 60 }, { 8, 24, 60 }, { 16, 24, 43 } };
	struct pieces *p = state;
	struct lab_sender *sender;
	size_t sizes[2];

	test_ok(lab_link_sender(&sender, p->router->client, LAB_CLIENT_IF));
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		lab_auto_datagram struct lab_datagram dg = { 0 };

		make(p, &dg, AF_INET6, LAB_SERVER_V6);
		dg.headers = all + chains[i].from;
		dg.headers_len = (size_t)(chains[i].to - chains[i].from);
		dg.headers_first = chains[i].first;
		send_cut(p, sender, &dg, &dg, cuts[4], LAB_ODD_THEN_EVEN, sizes);
		expect_sizes(p, through, DATA + 40 + dg.headers_len, sizes[0], sizes[1]);
	}
	lab_sender_free(sender);
}

/* One fragment that is all: largest and smallest at once. */
static void send_atomic(struct pieces *p)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct lab_sender *sender;

	test_ok(lab_link_sender(&sender, p->router->client, LAB_CLIENT_IF));
	make(p, &dg, AF_INET6, LAB_SERVER_V6);
	dg.payload_len = 1000;
	test_ok(lab_fragment_at(&dg, 0, 1000, false, &packets));
	test_ok(lab_send_all(sender, &packets));
	expect_sizes(p, through, 1040, 1048, 1048);
	lab_sender_free(sender);
}

/* Of 1000 bytes behind its IP header. */
static void send_whole(struct pieces *p, struct lab_sender *sender, int family)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };

	make(p, &dg, family, lab_server_addr(family));
	dg.payload_len = 1000;
	test_ok(lab_whole(&dg, &packets));
	test_ok(lab_send_all(sender, &packets));
	expect(p, through, family == AF_INET6 ? ", 1040 bytes iif" : ", 1020 bytes iif");
}

static void only_whole_packets_have_no_fragments(void *state)
{
	struct pieces *p = state;
	struct lab_sender *sender;

	test_ok(lab_link_sender(&sender, p->router->client, LAB_CLIENT_IF));
	send_whole(p, sender, AF_INET);
	send_whole(p, sender, AF_INET6);
	lab_sender_free(sender);
	send_atomic(p);
}

/* Conditions, and how many of four packets they hold for: fragmented at 1400 bytes, and whole. */
static const struct {
	const char *text;
	int n;
} conditions[] = {
	{ "reassembled", 2 },
	{ "not reassembled", 2 },
	{ "largest > 1420", 1 }, /* 1420 and 1020 in IPv4, 1448 and 1048 in IPv6 */
	{ "largest >= 1420", 2 },
	{ "largest == 1448", 1 },
	{ "largest <= 65535", 2 },
	{ "largest < 1420", 0 },
	{ "smallest < 1048", 1 },
	{ "smallest != 1020", 1 },
	{ "smallest == 1048, largest > 1420", 1 },
	{ "reassembled, smallest >= 1020", 2 },
	{ "not reassembled, smallest >= 0", 0 },
};

static void send_four(struct pieces *p)
{
	static const uint16_t at_1400[PIECES_MAX] = { 1400 };
	struct lab_sender *sender;
	size_t sizes[2];

	test_ok(lab_link_sender(&sender, p->router->client, LAB_CLIENT_IF));
	for (int f = 0; f < 2; f++) {
		lab_auto_datagram struct lab_datagram dg = { 0 };
		int family = f ? AF_INET6 : AF_INET;

		make(p, &dg, family, lab_server_addr(family));
		send_cut(p, sender, &dg, &dg, at_1400, LAB_IN_ORDER, sizes);
		expect_sizes(p, through, DATA + (f ? 40 : 20), sizes[0], sizes[1]);
		send_whole(p, sender, family);
	}
	lab_sender_free(sender);
}

static void load_conditions(const struct pieces *p)
{
	char rules[4096] = "";
	struct command c;
	size_t i, n = 0;

	for (i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		n += (size_t)snprintf(rules + n, sizeof(rules) - n,
				      "udp dport 9 counter comment \"unfrag: %s\"\n",
				      conditions[i].text);
	command_run(
		&c, "policy", "load", "--netns", lab_ns_path(p->router->middle), "--name", "other",
		policed_file("table inet t {\nchain c {\ntype filter hook forward priority %d;\n"
			     "%slog prefix \"seen \"\n}\n}\n",
			     life_priority(1), rules));
	command_expect(&c, 0, NULL);
}

static void rules_are_met_by_what_they_say_of_fragments(void *state)
{
	struct pieces *p = state;
	struct background json;
	struct command c;
	int64_t deadline;
	char line[128];

	load_conditions(p);
	send_four(p);
	command_run(&c, "policy", "show", "other");
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		snprintf(line, sizeof(line), "counter packets %d bytes ", conditions[i].n);
		if (!has_both(c.out, line, conditions[i].text))
			printf("# not %d: %s\n%s", conditions[i].n, conditions[i].text, c.out);
		assert_true(has_both(c.out, line, conditions[i].text));
	}
	deadline = lab_now_ms() + LIFE_DEADLINE_MS;
	background_start(&json, "policy", "watch", "--json", "other");
	do
		send_four(p);
	while (!background_has(&json, false, "1048") && lab_ms_left(deadline));
	send_four(p); /* of these it missed none */
	background_says(&json, false,
			"\"length\":2420,\"reassembled\":true,\"largest_fragment\":1420,"
			"\"smallest_fragment\":1020,");
	background_says(&json, false,
			"\"length\":2440,\"reassembled\":true,\"largest_fragment\":1448,"
			"\"smallest_fragment\":1048,");
	background_says(&json, false, "\"length\":1020,\"reassembled\":false,\"iif\"");
	assert_int_equal(background_end(&json, SIGINT), 0);
	life_remove("other");
}

#define PIECES_TEST(fn) TEST_WITH(fn, up, down)

static const struct test tests[] = {
	PIECES_TEST(sizes_are_those_that_crossed_ipv4),
	PIECES_TEST(sizes_are_those_that_crossed_ipv6),
	PIECES_TEST(sizes_are_known_of_what_the_router_gets_and_sends),
	PIECES_TEST(sizes_are_right_with_options),
	PIECES_TEST(sizes_are_right_with_extension_headers),
	PIECES_TEST(only_whole_packets_have_no_fragments),
	PIECES_TEST(rules_are_met_by_what_they_say_of_fragments),
};

TEST_MAIN(tests);
