// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard in a namespace with real traffic, by the command: at each of its places it counts what
 * comes, refuses what can't become a datagram, says so, and is gone without a trace when it is off.
 */
#include <background.h>
#include <child.h>
#include <errno.h>
#include <lab.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <test.h>
#include <ward.h>

static const int families[2] = { AF_INET, AF_INET6 };

/* What holds at every place. */
static void expect_guarding(struct ward *g)
{
	for (int i = 0; i < 2; i++) {
		int f = families[i];

		ward_exchange(g, f, 100);
		ward_exchange(g, f, 101);
		assert_int_equal(ward_number(g, f, opened), 2);
		assert_int_equal(ward_number(g, f, completed), 2);
		assert_int_equal(ward_number(g, f, fragments), 6);
		assert_int_equal(ward_number(g, f, passed), 6);
		assert_int_equal(ward_number(g, f, refused), 0);
		assert_int_equal(ward_number(g, f, memory), 0);
		assert_int_equal(ward_number(g, f, datagrams), 0);
		/* The same piece again, and one that covers it in part. */
		ward_send(g, f, 102, 1);
		ward_send(g, f, 102, 1);
		ward_send_at(g, f, 102, 600, 1200, true);
		ward_wait(g, f, reasons[UNFRAG_REASON_OVERLAP], 1);
		assert_int_equal(ward_number(g, f, reasons[UNFRAG_REASON_DUPLICATE]), 1);
		assert_int_equal(ward_number(g, f, given_up), 1);
		assert_true(ward_number(g, f, memory) > 1200);
		ward_send(g, f, 102, 4);
		ward_wait(g, f, reasons[UNFRAG_REASON_REFUSED], 1);
		ward_send_at(g, f, 103, 65528, 1200, true);
		ward_wait(g, f, reasons[UNFRAG_REASON_OVERSIZE], 1);
		assert_int_equal(ward_number(g, f, refused), 4);
		assert_int_equal(ward_number(g, f, opened), 3);
	}
}

static void at_netfilter_it_counts_and_refuses(void *state)
{
	struct unfrag_guard_info info;
	struct ward *g = state;

	ward_on(g, "--timeout", "60s");
	assert_int_equal(ward_state(g, &info), UNFRAG_STATE_READY);
	assert_int_equal(info.place, UNFRAG_GUARD_NETFILTER);
	assert_int_equal(info.priority, atoi(g->priority));
	expect_guarding(g);
	ward_off(g);
}

static void on_at(struct ward *g, const char *place, const char *mode)
{
	struct command c;

	assert_int_equal(ward_run(g, &c, "on", "--at", place, "--dev", LAB_SERVER_IF, "--dev", "lo",
				  "--datagrams", "256", "--timeout", "60s", "--xdp", mode),
			 0);
}

static void at_tc_it_counts_and_refuses(void *state)
{
	struct unfrag_guard_info info;
	struct ward *g = state;
	struct command c;

	assert_int_equal(ward_run(g, &c, "on", "--at", "tc", "--dev", LAB_SERVER_IF, "--dev", "lo",
				  "--datagrams", "256", "--timeout", "60s"),
			 0);
	assert_int_equal(ward_state(g, &info), UNFRAG_STATE_READY);
	assert_int_equal(info.device_count, 2);
	assert_string_equal(info.device[0].name, LAB_SERVER_IF);
	assert_string_equal(info.device[1].name, "lo");
	expect_guarding(g);
	ward_off(g);
}

static void at_xdp_it_counts_and_refuses(void *state)
{
	struct unfrag_guard_info info;
	struct ward *g = state;

	on_at(g, "xdp", "auto");
	assert_int_equal(ward_state(g, &info), UNFRAG_STATE_READY);
	/* A wire between namespaces can, loopback can't. */
	assert_int_equal(info.device[0].mode, UNFRAG_GUARD_NATIVE);
	assert_int_equal(info.device[1].mode, UNFRAG_GUARD_GENERIC);
	expect_guarding(g);
	ward_off(g);
}

static void at_generic_xdp_it_counts_and_refuses(void *state)
{
	struct unfrag_guard_info info;
	struct ward *g = state;

	on_at(g, "xdp", "generic");
	assert_int_equal(ward_state(g, &info), UNFRAG_STATE_READY);
	assert_int_equal(info.device[0].mode, UNFRAG_GUARD_GENERIC);
	expect_guarding(g);
	ward_off(g);
}

static void run_stopped(struct ward *g, struct command *c, unsigned int n)
{
	const char *const args[] = { "guard",     "on",    "--netns",     g->path,       "--at",
				     "tc",        "--dev", LAB_SERVER_IF, "--datagrams", "256",
				     "--timeout", "60s",   NULL };

	memset(c, 0, sizeof(*c));
	c->watch = true;
	c->stop_at = n;
	c->stop_errno = EINVAL;
	command_v(c, args);
}

/* A kernel that knows no tcx link says so with EINVAL. That call is among the last. */
static void without_tcx_it_is_a_filter_of_clsact(void *state)
{
	struct unfrag_guard_info info;
	struct ward *g = state;
	struct command c;
	unsigned int n;

	run_stopped(g, &c, 0);
	assert_int_equal(ward_state(g, &info), UNFRAG_STATE_READY);
	assert_int_equal(info.device[0].mode, UNFRAG_GUARD_TCX);
	ward_off(g);
	for (n = c.calls; n > 0 && info.device[0].mode != UNFRAG_GUARD_CLSACT; n--) {
		run_stopped(g, &c, n);
		if (c.status) {
			ward_expect_nothing(g);
			continue;
		}
		assert_int_equal(ward_state(g, &info), UNFRAG_STATE_READY);
		if (info.device[0].mode != UNFRAG_GUARD_CLSACT)
			ward_off(g);
	}
	assert_int_equal(info.device[0].mode, UNFRAG_GUARD_CLSACT);
	expect_guarding(g);
	assert_int_equal(lab_ns_run(g->ns, "tc filter del dev " LAB_SERVER_IF " ingress"), 0);
	assert_int_equal(ward_state(g, NULL), UNFRAG_STATE_BROKEN);
	assert_int_equal(ward_run(g, &c, "off"), 0);
	ward_expect_nothing(g);
}

static void several_devices_share_one_account(void *state)
{
	struct ward *g = state;
	struct command c;

	assert_int_equal(
		lab_ns_run(g->ns,
			   "ip link add other type veth peer name another && ip link set other up"),
		0);
	assert_int_equal(ward_run(g, &c, "on", "--at", "tc", "--dev", "other", "--dev",
				  LAB_SERVER_IF, "--datagrams", "256"),
			 0);
	ward_exchange(g, AF_INET, 1);
	assert_int_equal(ward_number(g, AF_INET, completed), 1);
	assert_int_equal(lab_ns_run(g->ns, "ip link del other"), 0);
	assert_int_equal(ward_state(g, NULL), UNFRAG_STATE_BROKEN);
	assert_int_equal(ward_run(g, &c, "status"), 0);
	assert_non_null(strstr(c.err, "'other'"));
	assert_int_equal(ward_run(g, &c, "off"), 0);
	ward_expect_nothing(g);
}

/* Without a packet that would look. */
static void what_is_over_is_out_of_the_account(void *state)
{
	struct ward *g = state;

	ward_on(g, "--timeout", "1s");
	for (int i = 0; i < 2; i++) {
		ward_send(g, families[i], 1, 1);
		ward_wait(g, families[i], opened, 1);
	}
	for (int i = 0; i < 2; i++) {
		ward_wait(g, families[i], memory, 0);
		assert_int_equal(ward_number(g, families[i], timed_out), 1);
		assert_int_equal(ward_number(g, families[i], datagrams), 0);
	}
	ward_off(g);
}

static void the_kernel_s_own_figure_is_shown(void *state)
{
	struct ward *g = state;

	ward_on(g);
	ward_send(g, AF_INET, 7, 1);
	ward_wait(g, AF_INET, datagrams, 1);
	assert_true(ward_number(g, AF_INET, kernel_memory) > 1200);
	assert_true(ward_number(g, AF_INET, memory) >= ward_number(g, AF_INET, kernel_memory));
	assert_true(ward_number(g, AF_INET, kernel_limit) > ward_number(g, AF_INET, memory_limit));
	ward_off(g);
}

static void a_rule_that_is_switched_off_lets_pass(void *state)
{
	struct ward *g = state;
	struct command c;

	ward_on(g, "--allow", "duplicate,length");
	ward_send(g, AF_INET, 7, 1);
	ward_send(g, AF_INET, 7, 1);
	ward_wait(g, AF_INET, passed, 2);
	assert_int_equal(ward_run(g, &c, "tune", "--allow", "none"), 0);
	ward_send(g, AF_INET, 7, 1);
	ward_wait(g, AF_INET, reasons[UNFRAG_REASON_DUPLICATE], 1);
	assert_int_equal(ward_number(g, AF_INET, passed), 2);
	ward_off(g);
}

#define BEGUN     12
#define STRANGERS 400

/* A fragment of two to a datagram. source: 0, or another one for each number. */
static void add_half(struct lab_packets *packets, int family, uint32_t source, uint32_t id,
		     bool first)
{
	const uint8_t forged[8] = { 32, 1, (uint8_t)(source >> 8), (uint8_t)source };
	static unsigned char data[1600];
	struct lab_datagram dg;

	test_ok(lab_datagram_init(&dg, family, lab_client_addr(family), lab_server_addr(family)));
	if (source)
		memcpy(&dg.src, forged, family == AF_INET ? 4 : 8);
	dg.payload = data;
	dg.payload_len = sizeof(data);
	dg.protocol = IPPROTO_UDP;
	dg.identification = id;
	test_ok(lab_fragment_at(&dg, first ? 0 : 800, 800, first, packets));
}

static void send_now(const struct ward *g, const struct lab_packets *packets)
{
	lab_auto_sender struct lab_sender *sender = NULL;

	test_ok(lab_link_sender(&sender, g->pair->client, LAB_CLIENT_IF));
	test_ok(lab_send_all(sender, packets));
}

static void begin_amid_strangers(struct ward *g, int family)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	uint32_t i;

	for (i = 0; i < BEGUN; i++)
		add_half(&packets, family, 0, i, true);
	for (i = 1; i <= STRANGERS; i++)
		add_half(&packets, family, i, i, true);
	send_now(g, &packets);
	ward_wait(g, family, fragments, BEGUN + STRANGERS);
	assert_true(ward_number(g, family, reasons[UNFRAG_REASON_MEMORY]) > STRANGERS / 4);
}

static void end_amid_strangers(struct ward *g, int family)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	uint32_t i;

	for (i = 0; i < BEGUN; i++) {
		add_half(&packets, family, STRANGERS + 1 + i, i, true);
		add_half(&packets, family, 0, i, false);
	}
	send_now(g, &packets);
	ward_wait(g, family, completed, BEGUN);
}

/* While memory has run out for strangers, which all sources are to become. */
static void datagrams_in_progress_outlast_other_prefixes(void *state)
{
	struct ward *g = state;
	struct command c;

	assert_int_equal(ward_run(g, &c, "on", "--at", "xdp", "--dev", LAB_SERVER_IF, "--datagrams",
				  "256", "--memory", "1M", "--share", "100", "--events", "1",
				  "--timeout", "60s"),
			 0);
	for (int i = 0; i < 2; i++)
		begin_amid_strangers(g, families[i]);
	assert_int_equal(ward_run(g, &c, "tune", "--ipv4-prefix", "9", "--ipv6-prefix", "33"), 0);
	for (int i = 0; i < 2; i++)
		end_amid_strangers(g, families[i]);
	ward_off(g);
}

static void top_has_the_source_that_holds_most(void *state)
{
	struct ward *g = state;
	struct command c;
	json_t *list, *first;

	ward_on(g);
	ward_exchange(g, AF_INET, 1);
	ward_send(g, AF_INET6, 1, 1);
	ward_send(g, AF_INET6, 2, 1);
	ward_wait(g, AF_INET6, datagrams, 2);
	assert_int_equal(ward_run(g, &c, "top"), 0);
	assert_non_null(strstr(c.out, LAB_CLIENT_V4));
	assert_non_null(strstr(c.out, "fd00:77:1::/64"));
	command_expect_lines(c.out);
	assert_int_equal(ward_run(g, &c, "top", "--json", "-n", "1"), 0);
	list = json_loads(c.out, 0, NULL);
	assert_int_equal(json_array_size(list), 1);
	first = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(first, "source")), "fd00:77:1::/64");
	assert_int_equal(json_integer_value(json_object_get(first, "datagrams")), 2);
	assert_true(json_integer_value(json_object_get(first, "memory_bytes")) > 2400);
	json_decref(list);
	ward_off(g);
}

static void json_has_what_the_library_tells(void *state)
{
	struct ward *g = state;
	json_t *root, *family;

	ward_on(g);
	ward_exchange(g, AF_INET6, 1);
	ward_send_at(g, AF_INET6, 3, 65528, 1200, true);
	ward_wait(g, AF_INET6, reasons[UNFRAG_REASON_OVERSIZE], 1);
	root = ward_status(g);
	assert_string_equal(json_string_value(json_object_get(root, "state")), "ready");
	assert_string_equal(json_string_value(json_object_get(root, "place")), "netfilter");
	assert_int_equal(json_array_size(json_object_get(root, "sysctls")), 5);
	family = json_object_get(root, "ipv6");
	assert_int_equal(json_integer_value(json_object_get(family, "opened")), 1);
	assert_int_equal(json_integer_value(json_object_get(family, "completed")), 1);
	assert_int_equal(json_integer_value(json_object_get(family, "fragments")), 4);
	assert_true(json_is_null(json_object_get(family, "kernel_memory_bytes")));
	family = json_object_get(family, "reasons");
	assert_int_equal(json_integer_value(json_object_get(family, "oversize")), 1);
	assert_int_equal(json_object_size(family), 16);
	json_decref(root);
	ward_off(g);
}

/* Every line is a sample, or one of its family's head; the end is said. */
static void openmetrics_are_whole(void *state)
{
	struct ward *g = state;
	char *line, *rest = NULL, *end;
	struct command c;
	int samples = 0;

	ward_on(g);
	ward_send_at(g, AF_INET, 3, 65528, 1200, true);
	ward_wait(g, AF_INET, reasons[UNFRAG_REASON_OVERSIZE], 1);
	assert_int_equal(ward_run(g, &c, "status", "--openmetrics"), 0);
	assert_non_null(strstr(c.out,
			       "unfrag_guard_refused_total{family=\"ipv4\","
			       "reason=\"oversize\"} 1\n"));
	assert_non_null(strstr(c.out, "\n# EOF\n"));
	assert_string_equal(strstr(c.out, "# EOF"), "# EOF\n");
	for (line = strtok_r(c.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] == '#')
			continue;
		assert_int_equal(strncmp(line, "unfrag_guard_", 13), 0);
		strtoll(strstr(line, "} ") + 2, &end, 10);
		assert_string_equal(end, "");
		samples++;
	}
	assert_true(samples > 50);
	ward_off(g);
}

/* Sends until the watcher has told: it may not have begun. */
static void send_until_told(const struct ward *g, struct background *watch, bool on_stderr,
			    const char *word, int pieces)
{
	int64_t deadline = lab_now_ms() + 2 * LIFE_DEADLINE_MS;

	while (!background_has(watch, on_stderr, word) && lab_ms_left(deadline)) {
		for (int i = 0; i < pieces; i++)
			ward_send_at(g, AF_INET, 77, 65528, 1200, true);
		poll(NULL, 0, 20);
	}
	assert_true(background_has(watch, on_stderr, word));
}

static void watch_tells_refusals_until_it_is_interrupted(void *state)
{
	static const char *const forms[] = { NULL, "--json" };
	struct ward *g = state;
	struct background watch;
	json_t *line;

	ward_on(g);
	for (int i = 0; i < 2; i++) {
		background_start(&watch, "guard", "watch", "--netns", g->path, forms[i]);
		send_until_told(g, &watch, false, "oversize", 1);
		assert_non_null(strstr(watch.out, LAB_CLIENT_V4));
		assert_int_equal(background_end(&watch, SIGINT), 0);
		if (!forms[i])
			continue;
		watch.out[strcspn(watch.out, "\n")] = '\0';
		line = json_loads(watch.out, 0, NULL);
		assert_string_equal(json_string_value(json_object_get(line, "reason")), "oversize");
		assert_int_equal(json_integer_value(json_object_get(line, "offset")), 65528);
		json_decref(line);
	}
	ward_off(g);
}

static void watch_says_what_was_not_told(void *state)
{
	struct ward *g = state;
	struct background watch;

	ward_on(g, "--events", "1");
	background_start(&watch, "guard", "watch", "--netns", g->path);
	send_until_told(g, &watch, true, "were not told", 10);
	assert_int_equal(background_end(&watch, SIGTERM), 0);
	ward_off(g);
}

static const struct test tests[] = {
	TEST_WITH(at_netfilter_it_counts_and_refuses, ward_up, ward_down),
	TEST_WITH(at_tc_it_counts_and_refuses, ward_up, ward_down),
	TEST_WITH(at_xdp_it_counts_and_refuses, ward_up, ward_down),
	TEST_WITH(at_generic_xdp_it_counts_and_refuses, ward_up, ward_down),
	TEST_WITH(without_tcx_it_is_a_filter_of_clsact, ward_up, ward_down),
	TEST_WITH(several_devices_share_one_account, ward_up, ward_down),
	TEST_WITH(what_is_over_is_out_of_the_account, ward_up, ward_down),
	TEST_WITH(the_kernel_s_own_figure_is_shown, ward_up, ward_down),
	TEST_WITH(a_rule_that_is_switched_off_lets_pass, ward_up, ward_down),
	TEST_WITH(datagrams_in_progress_outlast_other_prefixes, ward_up, ward_down),
	TEST_WITH(top_has_the_source_that_holds_most, ward_up, ward_down),
	TEST_WITH(json_has_what_the_library_tells, ward_up, ward_down),
	TEST_WITH(openmetrics_are_whole, ward_up, ward_down),
	TEST_WITH(watch_tells_refusals_until_it_is_interrupted, ward_up, ward_down),
	TEST_WITH(watch_says_what_was_not_told, ward_up, ward_down),
};

TEST_MAIN(tests);
