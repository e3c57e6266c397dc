// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag pcap as a command: pipes, what it prints and where, how it ends.
 */
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>
#include <tape.h>
#include <test.h>

#include "text.h"

#define UNFRAG TEST_BUILD "/src/cli/unfrag"

/* A capture of two fragments that belong together, and one that lacks the rest. */
static void setup(void **state)
{
	static const unsigned char data[2000];
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct tape t;

	tape_setup(state);
	tape_init(&t, DLT_RAW);
	test_ok(lab_datagram_init(&dg, AF_INET, "10.0.0.1", "10.0.0.2"));
	dg.identification = 1;
	test_ok(lab_datagram_set_udp(&dg, 1000, 53, data, sizeof(data)));
	test_ok(lab_fragment(&dg, 1480, &packets));
	dg.identification = 2;
	test_ok(lab_fragment_at(&dg, 0, 1480, true, &packets));
	tape_add_all(&t, "", 0, &packets);
	tape_write(&t, tape_path("in.pcap"));
	tape_release(&t);
}

/* Both streams, and the exit status at the end. */
static char *run(const char *arguments)
{
	return text_of("cd '%s' && { '%s' pcap %s; echo \"exit $?\"; } 2>&1", tape_path("."),
		       UNFRAG, arguments);
}

static void expect(const char *arguments, const char *words)
{
	text_auto char *said = run(arguments);

	text_expect(said, "%s", words);
}

static void files_and_pipes_give_the_same(void *state)
{
	(void)state;
	expect("in.pcap -w a.pcap",
	       "3 packets read, 2 written; 1 datagrams whole from 2 fragments, "
	       "1 fragments incomplete\nexit 0\n");
	expect("- -w - <in.pcap 2>said >b.pcap", "exit 0\n");
	expect("--help >help; cmp a.pcap b.pcap; cat said", "3 packets read, 2 written");
	expect("in.pcap -w /dev/null", "exit 0\n");
}

static void the_report_tells_datagrams_and_sums(void *state)
{
	text_auto char *report = run("in.pcap"), *both = run("in.pcap -w - --report >c.pcap");

	(void)state;
	text_expect(
		report,
		"10.0.0.1  10.0.0.2     -     -       udp    0x0001          2  548-1500    2028");
	text_expect(report, "flushed\n");
	text_expect(report, "packets     3 in 2.0 ms, 3 of them fragments\n");
	text_expect(report, "whole       1 datagrams from 2 fragments, largest 2028 bytes\n");
	text_expect(report, "incomplete  1 fragments: flushed 1\n");
	text_expect(report, "exit 0\n");
	text_expect(both, "written     2 packets, 0 left out, 0 not in the filter\n");
}

/* python3 is no dependency, so JSON is looked at as text; jansson wrote it. */
static void json_has_rows_differences_and_a_summary(void *state)
{
	text_auto char *all = run("--json --compare in.pcap");
	text_auto char *sums = run("--json in.pcap -w d.pcap");

	(void)state;
	text_expect(all, "{\n\"datagrams\": [\n{\"family\":\"ipv4\",\"source\":\"10.0.0.1\"");
	text_expect(all, "\n],\n\"differences\": [],\n\"summary\": {");
	text_expect(all, "\"packets\":3");
	text_expect(all, "}}\nexit 0\n");
	text_expect(sums, "{\n\"summary\": {");
	text_expect(sums, "\"output\":\"d.pcap\"");
}

static void usage_is_told_from_failure(void *state)
{
	(void)state;
	expect("", "which capture?");
	expect("in.pcap in.pcap", "exit 2\n");
	expect("--time never in.pcap", "--time 'never' is not known");
	expect("--overlap beos in.pcap", "overlap policy 'beos' is not known");
	expect("--overlap beos in.pcap", "exit 2\n");
	expect("--buffer 0 in.pcap", "exit 2\n");
	expect("--buffer 4096 in.pcap", "from 1 to 2048");
	expect("--nonsense in.pcap", "exit 2\n");
	expect("absent.pcap", "'absent.pcap' can't be opened: No such file or directory\nexit 1\n");
	expect("in.pcap -w in.pcap", "'in.pcap' is input and output");
	expect("in.pcap -w in.pcap", "exit 1\n");
	expect("in.pcap -w /dev/full",
	       "'/dev/full' can't be written: No space left on device\n"
	       "exit 1\n");
	expect("- <&-", "exit 1\n");
	expect("-i lo in.pcap", "one capture at a time");
	expect("-c 0 in.pcap", "count '0' is not a number of packets");
	expect("-c 1x in.pcap", "exit 2\n");
	expect("-c 2 in.pcap -w g.pcap", "2 packets read, 1 written");
}

/* The writer of the pipe waits until the command has said that it was interrupted. */
static void an_interrupt_leaves_a_whole_file(void *state)
{
	text_auto char *said = text_of(
		"cd '%s' && mkfifo pipe done && { (cat in.pcap; read x <done) >pipe & } && "
		"{ '%s' pcap pipe -w e.pcap & } 2>said; pid=$!; "
		"for i in $(seq 300); do ls e.pcap.* >/dev/null 2>&1 && break; sleep 0.1; done; "
		"kill -INT $pid; kill -TERM $pid; wait $pid; echo \"exit $?\"; echo >done; "
		"cat said; ls",
		tape_path("."), UNFRAG);

	(void)state;
	text_expect(said, "exit 1\n");
	text_expect(said, "interrupted");
	text_expect(said, "\ne.pcap\n");
	assert_null(strstr(said, "e.pcap."));
}

/* A file system of a few pages, full long before the capture is written. */
static void a_full_file_system_is_told_and_keeps_no_half_file(void *state)
{
	text_auto char *said = NULL;

	(void)state;
	test_require_root();
	said =
		text_of("cd '%s' && tail -c +25 in.pcap >body && for i in 1 2 3 4 5 6; do "
			"cat body body >b && mv b body; done; cat in.pcap body >long.pcap; "
			"unshare -m sh -c 'mount -t tmpfs -o size=64k none /mnt && "
			"{ '\\''%s'\\'' pcap long.pcap -w /mnt/out.pcap; echo \"exit $?\"; "
			"ls -A /mnt; echo end; }' 2>&1",
			tape_path("."), UNFRAG);
	text_expect(said, "'/mnt/out.pcap' can't be written: No space left on device");
	text_expect(said, "exit 1\nend\n");
}

/* The capture goes on until progress was seen. */
static void progress_is_shown_on_a_terminal(void *state)
{
	text_auto char *said = text_of(
		"cd '%s' && tail -c +25 in.pcap >body && for i in 1 2 3 4 5 6 7 8 9; do "
		"cat body body >b && mv b body; done; mkfifo pipe; "
		"{ (cat in.pcap; while ! test -e seen; do cat body; done) >pipe & }; "
		"{ script -qefc \"'%s' pcap pipe -w /dev/null\" typed >/dev/null </dev/null; "
		"echo \"exit $?\"; } & "
		"for i in $(seq 300); do grep -q 'packets, .* datagrams whole' typed && break; "
		"sleep 0.1; done; touch seen; wait; cat typed",
		tape_path("."), UNFRAG);

	(void)state;
	text_expect(said, "exit 0\n");
	text_expect(said, "\runfrag: ");
	text_expect(said, "\r\033[K"); /* and goes */
	text_expect(said, " packets read, ");
}

static void without_a_terminal_there_is_no_progress(void *state)
{
	text_auto char *said = run("in.pcap -w f.pcap");

	(void)state;
	assert_null(strchr(said, '\r'));
}

static void the_manual_has_every_finding_reason_and_policy(void)
{
	text_auto char *manual = text_file(TEST_SOURCE "/doc/unfrag.8.scd");
	uint32_t i;

	text_unescape(manual);
	text_flatten(manual);
	for (i = 0; i < FINDING_MAX; i++)
		text_expect(manual, "| *%s* : %s", finding_name(i), finding_text(i));
	for (i = UNFRAG_REASON_NONE + 1; i < UNFRAG_REASON_MAX; i++)
		text_expect(manual, "| *%s* : %s", unfrag_reason_name(i), unfrag_reason_text(i));
	for (i = 0; i < UNFRAG_REASM_POLICY_MAX; i++)
		text_expect(manual, "*%s*", unfrag_reasm_policy_name(i));
	for (i = 0; i < ORDER_MAX; i++)
		text_expect(manual, "*%s*", order_name(i));
}

/* Every key of the report in JSON. */
static void the_manual_has_every_key(void *state)
{
	text_auto char *manual = text_file(TEST_SOURCE "/doc/unfrag.8.scd"), *json = NULL;
	char *colon, *name;

	(void)state;
	text_unescape(manual);
	json = text_of("'%s' pcap --compare --json '%s'", UNFRAG, tape_path("in.pcap"));
	for (colon = strstr(json, "\":"); colon; colon = strstr(colon + 1, "\":")) {
		*colon = '\0';
		name = strrchr(json, '"') + 1;
		text_expect(manual, "*%s*", name);
		*colon = '"';
	}
}

static const struct test tests[] = {
	TEST_WITH(files_and_pipes_give_the_same, setup, tape_teardown),
	TEST_WITH(the_report_tells_datagrams_and_sums, setup, tape_teardown),
	TEST_WITH(json_has_rows_differences_and_a_summary, setup, tape_teardown),
	TEST_WITH(usage_is_told_from_failure, setup, tape_teardown),
	TEST_WITH(an_interrupt_leaves_a_whole_file, setup, tape_teardown),
	TEST_WITH(a_full_file_system_is_told_and_keeps_no_half_file, setup, tape_teardown),
	TEST_WITH(progress_is_shown_on_a_terminal, setup, tape_teardown),
	TEST_WITH(without_a_terminal_there_is_no_progress, setup, tape_teardown),
	TEST(the_manual_has_every_finding_reason_and_policy),
	TEST_WITH(the_manual_has_every_key, setup, tape_teardown),
};

TEST_MAIN(tests);
