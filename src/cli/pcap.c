// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag pcap: a capture with fragments in, the same with whole packets out, and what there is to
 * tell of it. Needs no kernel, no privilege and none of what other verbs have attached.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "output.h"
#include "pcap_report.h"

struct job {
	struct capture_opts capture;
	struct report_opts report;
	struct report *printer;
	bool line; /* a progress line is on stderr */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* Reading ends with EINTR; a second signal ends the command at once. */
static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

static void on_datagram(const struct record *record, void *arg)
{
	struct job *job = arg;

	report_datagram(job->printer, record);
}

static void on_difference(const struct difference *difference, void *arg)
{
	struct job *job = arg;

	report_difference(job->printer, difference);
}

static void on_progress(int percent, const struct capture_stats *stats, void *arg)
{
	struct job *job = arg;
	char part[32] = "";

	if (percent >= 0)
		snprintf(part, sizeof(part), "%d %%, ", percent);
	fprintf(stderr, "\runfrag: %s%llu packets, %llu datagrams whole\033[K", part,
		(unsigned long long)stats->packets, (unsigned long long)stats->whole);
	job->line = true;
}

static void end_progress(struct job *job)
{
	if (job->line)
		fputs("\r\033[K", stderr);
	job->line = false;
}

static bool parse_time(const char *arg, bool *at_first)
{
	*at_first = !strcmp(arg, "first");
	if (*at_first || !strcmp(arg, "last"))
		return true;
	cli_error("--time '%s' is not known; use first or last", arg);
	return false;
}

static bool parse_policy(const char *arg, uint32_t *policy)
{
	int i = unfrag_reasm_policy_by_name(arg);

	if (i < 0) {
		cli_error(
			"overlap policy '%s' is not known; use drop, first, last, bsd, bsd-right, "
			"linux, windows or solaris",
			arg);
		return false;
	}
	*policy = (uint32_t)i;
	return true;
}

static bool parse_buffer(const char *arg, size_t *buffer)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (errno || end == arg || *end || *arg == '-' || n < 1 || n > CAPTURE_BUFFER_MAX >> 20) {
		cli_error("buffer '%s' is not a number of MiB from 1 to %u", arg,
			  CAPTURE_BUFFER_MAX >> 20);
		return false;
	}
	*buffer = (size_t)n << 20;
	return true;
}

static bool parse_count(const char *arg, uint64_t *count)
{
	char *end;

	errno = 0;
	*count = strtoull(arg, &end, 10);
	if (!errno && end != arg && !*end && *arg != '-' && *count)
		return true;
	cli_error("count '%s' is not a number of packets from 1 on", arg);
	return false;
}

/* Options that say what is read. */
static bool parse_input_option(struct job *job, int option)
{
	struct capture_opts *c = &job->capture;

	switch (option) {
	case 'i':
		c->in = optarg;
		c->live = true;
		return true;
	case 'c':
		return parse_count(optarg, &c->count);
	case OPTION_TUNNELS:
		c->tunnels = true;
		return true;
	case OPTION_STRICT:
		c->strict = true;
		return true;
	default: /* OPTION_OVERLAP */
		return parse_policy(optarg, &c->policy);
	}
}

static bool parse_option(struct job *job, int option)
{
	struct capture_opts *c = &job->capture;

	switch (option) {
	case 'w':
		c->out = optarg;
		return true;
	case 'f':
		c->filter = optarg;
		return true;
	case OPTION_TIME:
		return parse_time(optarg, &c->at_first);
	case OPTION_KEEP:
	case OPTION_DROP_INCOMPLETE:
		c->leave_incomplete = option == OPTION_DROP_INCOMPLETE;
		return true;
	case OPTION_BUFFER:
		return parse_buffer(optarg, &c->buffer);
	case OPTION_COMPARE:
		job->report.compare = true;
		return true;
	case OPTION_REPORT:
		job->report.rows = true;
		return true;
	case OPTION_JSON:
		job->report.json = true;
		return true;
	default:
		return parse_input_option(job, option);
	}
}

/* What is to be read is one thing. */
static bool parse_input(const struct verb *self, struct job *job, int n, char **argv, int *code)
{
	if (n == !job->capture.live) {
		if (n)
			job->capture.in = argv[0];
		*code = CLI_DONE;
		return true;
	}
	if (n)
		*code = cli_usage(self, "one capture at a time");
	else
		*code = cli_usage(self, "which capture? '-' is standard input");
	return false;
}

static bool parse(const struct verb *self, struct job *job, int argc, char **argv, int *code)
{
	static const struct option options[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'c' },
		{ "tunnels", no_argument, NULL, OPTION_TUNNELS },
		{ "write", required_argument, NULL, 'w' },
		{ "filter", required_argument, NULL, 'f' },
		{ "time", required_argument, NULL, OPTION_TIME },
		{ "keep", no_argument, NULL, OPTION_KEEP },
		{ "drop-incomplete", no_argument, NULL, OPTION_DROP_INCOMPLETE },
		{ "strict", no_argument, NULL, OPTION_STRICT },
		{ "overlap", required_argument, NULL, OPTION_OVERLAP },
		{ "compare", no_argument, NULL, OPTION_COMPARE },
		{ "buffer", required_argument, NULL, OPTION_BUFFER },
		{ "report", no_argument, NULL, OPTION_REPORT },
		{ "json", no_argument, NULL, OPTION_JSON },
		CLI_COMMON_OPTIONS,
	};
	int option;

	*code = CLI_USAGE;
	while ((option = getopt_long(argc, argv, "i:c:w:f:hv", options, NULL)) != -1) {
		if (option == 'h' || option == 'v' || option == '?') {
			if (cli_common_option(self, option, code))
				return false;
		} else if (!parse_option(job, option)) {
			return false;
		}
	}
	return parse_input(self, job, argc - optind, argv + optind, code);
}

/* What was asked for, in the form that the rest wants it. Returns an exit code. */
static int settle(const struct verb *self, struct job *job)
{
	struct capture_opts *c = &job->capture;
	bool to_stdout = c->out && !strcmp(c->out, "-");

	if (to_stdout && isatty(STDOUT_FILENO))
		return cli_usage(self, "a capture is nothing for a terminal; write to a file");
	if (!c->live && !strcmp(c->in, "-") && isatty(STDIN_FILENO))
		return cli_usage(self, "a terminal is no capture; read from a file or a pipe");
	job->report.rows |= !c->out;
	c->arg = job;
	c->stop = &interrupted;
	if (job->report.rows)
		c->on_datagram = on_datagram;
	if (job->report.compare)
		c->on_difference = on_difference;
	if (isatty(STDERR_FILENO))
		c->on_progress = on_progress;
	job->report.in = c->in;
	job->report.written = c->out;
	job->report.out = to_stdout ? stderr : stdout;
	return CLI_DONE;
}

static void say_briefly(const struct capture_stats *s)
{
	cli_note(
		"%llu packets read, %llu written; %llu datagrams whole from %llu fragments, "
		"%llu fragments incomplete",
		(unsigned long long)s->packets, (unsigned long long)s->written,
		(unsigned long long)s->whole, (unsigned long long)s->whole_fragments,
		(unsigned long long)s->single);
	if (s->cut)
		cli_note("%llu packets were captured in part (snap length %u) and not judged",
			 (unsigned long long)s->cut, s->snap);
	if (s->lost)
		cli_note("%llu packets came too fast to be read", (unsigned long long)s->lost);
}

static bool was_cut_short(const struct job *job)
{
	return interrupted && !job->capture.live;
}

static int run_job(struct job *job)
{
	const struct report_opts *o = &job->report;
	bool report = o->rows || o->compare || o->json;
	struct capture_stats stats;
	struct trouble trouble;
	int r;

	job->printer = report ? report_new(o) : NULL;
	r = capture_run(&job->capture, &stats, &trouble);
	end_progress(job);
	if (report && (!r || stats.packets))
		report_finish(job->printer, &stats, r ? trouble.text : NULL);
	else if (!r || stats.packets)
		say_briefly(&stats);
	report_free(job->printer);
	if (r)
		cli_error("%s", trouble.text);
	if (was_cut_short(job))
		cli_error("interrupted: what came after the first %llu packets is not read",
			  (unsigned long long)stats.packets);
	return r || was_cut_short(job) ? CLI_FAILED : CLI_DONE;
}

static int run(const struct verb *self, int argc, char **argv)
{
	struct job job = { 0 };
	int code;

	if (!parse(self, &job, argc, argv, &code))
		return code;
	code = settle(self, &job);
	if (code)
		return code;
	catch_signals();
	return run_job(&job);
}

const struct verb verb_pcap = {
	.name = "pcap",
	.args = "[OPTIONS] IN|-i IF [-w OUT]",
	.summary = "write a capture with whole packets in place of fragments; report on it",
	.help = "  -i, --interface IF    capture from a network interface, until Ctrl-C\n"
		"  -c, --count N         end after so many packets\n"
		"      --tunnels         look for fragments inside of IP-in-IP, GRE, VXLAN, GTP-U\n"
		"  -w, --write OUT       write the capture there, as pcap; '-': standard output\n"
		"      --time T          whole packets at the time and place of their 'first' or\n"
		"                        'last' piece (default: last)\n"
		"      --keep            write fragments of no datagram as they are (default)\n"
		"      --drop-incomplete leave them out\n"
		"  -f, --filter EXPR     write what matches only, see pcap-filter(7)\n"
		"      --overlap POLICY  what to read where fragments overlap: drop (default: no\n"
		"                        datagram), first, last, bsd, bsd-right, linux, windows,\n"
		"                        solaris\n"
		"      --compare         list datagrams that these systems read differently\n"
		"      --strict          refuse fragments that hide headers (RFC 1858, 7112)\n"
		"      --report          list the datagrams that came in fragments\n"
		"      --json            print the report as JSON\n"
		"      --buffer MIB      memory for packets that wait (default: 256)\n",
	.run = run,
};
