// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag pcap -i: fragments that come over a wire, while it looks on.
 */
#include <fcntl.h>
#include <lab.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tape.h>
#include <test.h>
#include <time.h>
#include <unistd.h>

#define UNFRAG    TEST_BUILD "/src/cli/unfrag"
#define PATIENCE  20000 /* ms that are waited for what must come */
#define HEADER    24    /* bytes of a capture without packets */
#define ETHER_LEN 14

struct live {
	struct lab_pair *pair;
	struct lab_sender *sender;
	char out[128], said[128];
	pid_t pid;
};

static void setup(void **state)
{
	struct live *l = calloc(1, sizeof(*l));

	*state = l;
	test_require_root();
	tape_setup(state);
	snprintf(l->out, sizeof(l->out), "%s", tape_path("live.pcap"));
	snprintf(l->said, sizeof(l->said), "%s", tape_path("said"));
	test_ok(lab_pair_new(&l->pair));
	test_ok(lab_link_sender(&l->sender, l->pair->client, LAB_CLIENT_IF));
}

static void teardown(void *state)
{
	struct live *l = state;

	if (l->pid > 0)
		lab_child_kill(l->pid);
	lab_sender_free(l->sender);
	lab_pair_free(l->pair);
	if (l->out[0])
		tape_teardown(state);
	free(l);
}

static long size_of(const char *path)
{
	FILE *f = fopen(path, "r");
	long n;

	if (!f)
		return -1;
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	fclose(f);
	return n;
}

/* Until what was written is at least so long. */
static void wait_for(const struct live *l, long bytes)
{
	const struct timespec pause = { 0, 10000000 };
	int ms;

	for (ms = 0; ms < PATIENCE && size_of(l->out) < bytes; ms += 10)
		nanosleep(&pause, NULL);
	assert_true(size_of(l->out) >= bytes);
}

/* What it writes is there as soon as there is nothing to do: the header says that it looks on. */
static void start(struct live *l, const char *arguments)
{
	char line[512];
	const char *const argv[] = { "sh", "-c", line, NULL };

	snprintf(line, sizeof(line), "exec '%s' pcap -i %s -w - %s >'%s' 2>'%s'", UNFRAG,
		 LAB_SERVER_IF, arguments, l->out, l->said);
	l->pid = test_ok(lab_ns_spawn(l->pair->server, argv, -1));
	wait_for(l, HEADER);
}

/* A datagram, its last fragment first. */
static void make(struct lab_packets *packets, struct lab_packets *whole)
{
	static const unsigned char data[2000];
	lab_auto_datagram struct lab_datagram dg = { 0 };

	test_ok(lab_datagram_init(&dg, AF_INET, LAB_CLIENT_V4, LAB_SERVER_V4));
	dg.identification = 1;
	test_ok(lab_datagram_set_udp(&dg, 1000, 7777, data, sizeof(data)));
	test_ok(lab_whole(&dg, whole));
	test_ok(lab_fragment(&dg, 1000, packets));
	test_ok(lab_packets_order(packets, LAB_REVERSED, false, 0));
}

static void expect_whole(const struct live *l, const struct lab_packets *whole)
{
	struct tape out;
	size_t len;
	const unsigned char *ip = lab_packet_at(whole, 0, &len);

	tape_read(&out, l->out);
	assert_int_equal(out.count, 1);
	assert_int_equal(out.packets[0].caplen, ETHER_LEN + len);
	assert_memory_equal(out.packets[0].data + ETHER_LEN, ip, len);
	tape_release(&out);
}

static void expect_said(const struct live *l, const char *words)
{
	char text[1024] = "";
	FILE *f = fopen(l->said, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	if (!strstr(text, words))
		printf("# %s", text);
	assert_non_null(strstr(text, words));
}

static void an_interrupt_ends_it_tidily(void *state)
{
	lab_auto_packets struct lab_packets packets = { 0 }, whole = { 0 };
	struct live *l = state;
	size_t len;

	make(&packets, &whole);
	start(l, "-f 'udp port 7777'");
	test_ok(lab_send_all(l->sender, &packets));
	lab_packet_at(&whole, 0, &len);
	wait_for(l, HEADER + 16 + ETHER_LEN + (long)len);
	assert_int_equal(kill(l->pid, SIGINT), 0);
	assert_int_equal(lab_child_wait(l->pid, PATIENCE), 0);
	l->pid = 0;
	expect_whole(l, &whole);
	expect_said(l, "1 datagrams whole from 3 fragments, 0 fragments incomplete\n");
}

/* Which packets these are does not matter: some may be of multicast. */
static void a_count_ends_it(void *state)
{
	lab_auto_packets struct lab_packets packets = { 0 }, whole = { 0 };
	struct live *l = state;
	int i;

	make(&packets, &whole);
	start(l, "-c 30");
	for (i = 0; i < 10; i++)
		test_ok(lab_send_all(l->sender, &packets));
	assert_int_equal(lab_child_wait(l->pid, PATIENCE), 0);
	l->pid = 0;
	expect_said(l, "30 packets read");
}

static void an_interface_that_is_not_there_is_told(void *state)
{
	struct live *l = state;
	char said[512];

	test_ok(lab_ns_output(l->pair->server, said, sizeof(said),
			      "'%s' pcap -i nowhere 2>&1; echo \"exit $?\"", UNFRAG));
	if (!strstr(said, "exit 1"))
		printf("# %s", said);
	assert_non_null(strstr(said, "nothing can be captured from interface 'nowhere'"));
	assert_non_null(strstr(said, "exit 1\n"));
}

static const struct test tests[] = {
	TEST_WITH(an_interrupt_ends_it_tidily, setup, teardown),
	TEST_WITH(a_count_ends_it, setup, teardown),
	TEST_WITH(an_interface_that_is_not_there_is_told, setup, teardown),
};

TEST_MAIN(tests);
