// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag run: a ruleset in force as long as this runs, with its counters on the screen.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "object.h"
#include "output.h"
#include "policy_loading.h"
#include "policy_verbs.h"
#include "progress.h"
#include "quantity.h"

struct request {
	const char *file;
	const char *name;
	const char *netns;
	uint64_t memory;
};

/* What is in force under the name: what was loaded here, or what a reload put in its place. */
struct shown {
	const char *name;
	const struct instance *loaded;
	struct unfrag_attachment *att;
	struct instance *opened; /* NULL: the one that was loaded */
	uint32_t program;
	bool gone;
};

/* What ends it; none of them ends the process before the ruleset is out of force. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
	sigprocmask(SIG_BLOCK, set, NULL);
}

static void add_head(struct table *t)
{
	table_add(t, COLOUR_NONE, true, "PACKETS");
	table_add(t, COLOUR_NONE, true, "BYTES");
	table_add(t, COLOUR_NONE, false, "RULE");
}

/* The counter of a rule, or NULL. */
static const struct gate_counter *counter_of(const struct rule *rule,
					     const struct gate_counter *counters)
{
	size_t i;

	for (i = 0; i < rule->n; i++)
		if (rule->statements[i].kind == STATEMENT_COUNTER)
			return &counters[rule->statements[i].index];
	return NULL;
}

static void add_rules(struct table *t, const struct ruleset *rs,
		      const struct gate_counter *counters)
{
	const struct gate_counter *c;
	size_t i;

	for (i = 0; i < rs->n_rules; i++) {
		c = counter_of(&rs->rules[i], counters);
		if (!c)
			continue;
		table_add(t, COLOUR_NONE, true, "%llu", (unsigned long long)c->packets);
		table_add(t, COLOUR_NONE, true, "%llu", (unsigned long long)c->bytes);
		table_add(t, COLOUR_NONE, false, "%s: %s", rs->chains[rs->rules[i].chain].name,
			  rs->rules[i].text);
	}
}

static int print_rules(const struct instance *in)
{
	const struct ruleset *rs = instance_ruleset(in);
	struct gate_counter *counters = must(calloc(rs->n_counters + 1, sizeof(*counters)));
	struct complaint c = { "" };
	struct table *t;
	int r = instance_counters(in, counters, rs->n_counters, &c);

	if (r) {
		cli_error("%s", c.text);
	} else {
		t = table_new(3);
		add_head(t);
		add_rules(t, rs, counters);
		table_print(t, stdout);
		table_free(t);
	}
	free(counters);
	return cli_exit_of(r);
}

/* Sums of all places where it stands. */
static int add_up(struct unfrag_attachment *att, struct unfrag_counters *sum)
{
	struct unfrag_counters one = { .sz = sizeof(one) };
	uint32_t family, hook, i;
	int r;

	for (family = UNFRAG_FAMILIES_IPV4; family <= UNFRAG_FAMILIES_IPV6; family <<= 1)
		for (hook = 0; hook < UNFRAG_HOOK_MAX; hook++) {
			r = unfrag_attachment_counters(att, family, (enum unfrag_hook)hook, &one);
			if (r)
				return r;
			for (i = 0; i < UNFRAG_OUTCOME_MAX; i++)
				sum->outcomes[i] += one.outcomes[i];
		}
	return 0;
}

static int print_outcomes(struct unfrag_attachment *att)
{
	struct unfrag_counters sum = { .sz = sizeof(sum) };
	int i, n = 0, r = add_up(att, &sum);

	for (i = 0; i < UNFRAG_OUTCOME_MAX && !r; i++)
		if (sum.outcomes[i] || unfrag_outcome_judged((enum unfrag_outcome)i))
			printf("%s%s %llu", n++ ? ", " : "",
			       unfrag_outcome_name((enum unfrag_outcome)i),
			       (unsigned long long)sum.outcomes[i]);
	if (!r)
		puts("\n");
	return cli_exit_of(r);
}

static int open_next(struct shown *s)
{
	struct complaint c = { "" };
	struct instance *in;

	if (instance_open(&in, s->att, &c)) {
		cli_error("'%s': %s", s->name, c.text);
		return CLI_FAILED;
	}
	instance_free(s->opened);
	s->opened = in;
	return CLI_DONE;
}

/* Looks what is in force. *busy: somebody is changing that, so there is nothing to show now. */
static int follow(struct shown *s, bool *busy)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	int code;

	s->gone = !policy_loading_is_there(s->name);
	if (s->gone) {
		cli_error("'%s' is no longer in force", s->name);
		return CLI_FAILED;
	}
	code = cli_exit_of(unfrag_attachment_info(s->att, &info));
	*busy = info.state == UNFRAG_STATE_BUSY;
	if (code || *busy || info.program_id == s->program)
		return code;
	if (s->program)
		code = open_next(s);
	s->program = info.program_id;
	return code;
}

/* On a terminal in place, else one below the other. */
static int print(struct shown *s)
{
	const struct instance *in;
	bool busy;
	int code = follow(s, &busy);

	if (code || busy)
		return code;
	in = s->opened ? s->opened : s->loaded;
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	policy_loading_tell("running", s->name, instance_ruleset(in), instance_about(in)->takes);
	code = print_outcomes(s->att);
	if (!code)
		code = print_rules(in);
	if (!isatty(STDOUT_FILENO))
		putchar('\n');
	if (!cli_flush())
		code = CLI_FAILED;
	return code;
}

/* Until a signal comes, or there is nobody to read. */
static int watch(struct shown *s, const sigset_t *signals)
{
	const struct timespec second = { .tv_sec = 1 };
	int code, number;

	do {
		code = print(s);
		number = code ? 0 : sigtimedwait(signals, NULL, &second);
	} while (!code && number < 0 && (errno == EAGAIN || errno == EINTR));
	return code;
}

static int show(const struct policy_loading *l, struct unfrag_attachment *att,
		const sigset_t *signals)
{
	struct shown s = { .name = l->about.name, .loaded = l->instance, .att = att };
	int ended, code = watch(&s, signals);

	instance_free(s.opened);
	ended = s.gone ? CLI_DONE : cli_exit_of(unfrag_attachment_detach(att));
	return code ? code : ended;
}

static int work(const struct request *q)
{
	struct unfrag_attachment *att = NULL;
	struct policy_loading l;
	sigset_t signals;
	int code = policy_loading_init(&l, q->name, q->netns, q->memory);

	progress_start();
	if (!code)
		code = policy_loading_file(&l, q->file);
	progress_end();
	block_signals(&signals);
	if (!code)
		code = cli_exit_of(policy_loading_attach(&l, q->netns, &att));
	if (!code)
		code = show(&l, att, &signals);
	unfrag_attachment_free(att);
	policy_loading_release(&l);
	return code;
}

static bool parse_option(struct request *q, int option)
{
	if (option == 'n') {
		q->name = optarg;
	} else if (option == OPTION_NETNS) {
		q->netns = optarg;
	} else if (!quantity_size(optarg, &q->memory)) {
		cli_error("--memory '%s' is no size; say 64M or 1G", optarg);
		return false;
	}
	return true;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "netns", required_argument, NULL, OPTION_NETNS },
		{ "memory", required_argument, NULL, OPTION_MEMORY },
		CLI_COMMON_OPTIONS,
	};
	struct request q = { .memory = POLICY_MEMORY };
	char name[UNFRAG_NAME_MAX + 1];
	int option, code;

	while ((option = getopt_long(argc, argv, "n:hv", options, NULL)) != -1) {
		if (option == 'h' || option == 'v' || option == '?') {
			if (cli_common_option(self, option, &code))
				return code;
		} else if (!parse_option(&q, option)) {
			return CLI_USAGE;
		}
	}
	if (argc - optind != 1)
		return cli_usage(self, "one file with a ruleset is needed");
	q.file = argv[optind];
	object_name_of(q.file, name);
	q.name = q.name ? q.name : strcmp(q.file, "-") ? name : "run";
	code = cli_exit_of(unfrag_probe_require());
	if (!code)
		code = policy_loading_check_name(q.name);
	return code ? code : work(&q);
}

const struct verb verb_run = {
	.name = "run",
	.args = "[OPTIONS] FILE",
	.summary = "try a ruleset: in force, with its counters on the screen, until Ctrl-C",
	.help = "  -n, --name NAME       name of the attachment (default: from the file)\n"
		"      --netns NS        network namespace: a name, a path or a process id\n"
		"      --memory SIZE     refuse what takes more (default: 512M)\n",
	.run = run,
};
