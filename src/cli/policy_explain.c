// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy explain: which rule decides about a packet, and why the others don't. Nothing is
 * loaded for that, and no packet is sent.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "judgement.h"
#include "output.h"
#include "policy.h"
#include "policy_pcap.h"
#include "policy_source.h"
#include "policy_verbs.h"
#include "policy_way.h"
#include "progress.h"
#include "spell.h"

struct job {
	const char *file, *packet, *pcap, *with;
	bool json, noted;
	struct ruleset rs;
	struct judgement *judgement;
	json_t *packets; /* with json */
};

/* What is shown of a packet at a hook, once it is judged there. */
typedef void show_fn(const struct job *job, const struct told_packet *p, uint32_t hook, int verdict,
		     void *arg);

static const char *verdict_name(int verdict)
{
	return verdict == GATE_ACCEPT ? "accept" : "drop";
}

static int fail(const struct told_packet *p, uint32_t hook, int err)
{
	if (err == -EUCLEAN)
		cli_error(
			"internal error: the ruleset and what it is compiled to disagree about "
			"'%s' at %s; please report this, with the file",
			told_spell(p).text, spell_hook(hook));
	else
		cli_error("no memory");
	return CLI_FAILED;
}

/* Shows a packet at each hook in turn, until it is dropped. *verdict is the last one. */
static int follow(const struct job *job, const struct told_packet *p, uint64_t time, show_fn *show,
		  void *arg, int *verdict)
{
	int hooks = judgement_hooks(job->judgement, p);
	uint32_t hook;

	*verdict = GATE_ACCEPT;
	if (hooks < 0) {
		cli_error(
			"'%s' may come to several hooks: tell which way it goes by 'iif', 'oif' or "
			"'hook'",
			told_spell(p).text);
		return CLI_USAGE;
	}
	for (hook = 0; hook < GATE_HOOKS && *verdict == GATE_ACCEPT; hook++) {
		if (!(hooks >> hook & 1))
			continue;
		*verdict = judgement_at(job->judgement, p, hook, time);
		if (*verdict < 0)
			return fail(p, hook, *verdict);
		show(job, p, hook, *verdict, arg);
	}
	return CLI_DONE;
}

static void show_way(const struct job *job, const struct told_packet *p, uint32_t hook, int verdict,
		     void *arg)
{
	bool *any = arg;

	(void)verdict;
	*any = true;
	way_print(job->judgement, p, hook);
}

/* All that happens to it. */
static int explain(const struct job *job, const struct told_packet *p, uint64_t time)
{
	bool any = false;
	int verdict, code;

	printf("%s\n", told_spell(p).text);
	code = follow(job, p, time, show_way, &any, &verdict);
	if (code)
		return code;
	if (!any)
		puts("  no chain is at a hook that it comes to");
	printf("%s%s%s\n", colour_on(verdict == GATE_ACCEPT ? COLOUR_GOOD : COLOUR_BAD),
	       verdict_name(verdict),
	       colour_off(verdict == GATE_ACCEPT ? COLOUR_GOOD : COLOUR_BAD));
	return CLI_DONE;
}

static void note_decider(const struct job *job, const struct told_packet *p, uint32_t hook,
			 int verdict, void *arg)
{
	struct words *decider = arg;

	(void)p;
	(void)hook;
	(void)verdict;
	*decider = way_decider(job->judgement);
}

/* A line of a list. */
static int summarize(const struct job *job, const struct told_packet *p, uint64_t number,
		     uint64_t time)
{
	struct words decider = { "no chain" };
	int verdict, code = follow(job, p, time, note_decider, &decider, &verdict);

	if (!code)
		printf("%llu  %s  %s by %s\n", (unsigned long long)number, told_spell(p).text,
		       verdict_name(verdict), decider.text);
	return code;
}

static void add_hook(const struct job *job, const struct told_packet *p, uint32_t hook, int verdict,
		     void *arg)
{
	json_array_append_new(arg, json_pack("{s:s, s:s, s:o}", "hook", spell_hook(hook), "verdict",
					     verdict_name(verdict), "steps",
					     way_json(job->judgement, p, hook)));
}

static int add_json(const struct job *job, const struct told_packet *p, uint64_t number,
		    uint64_t time)
{
	json_t *hooks = json_array();
	int verdict, code = follow(job, p, time, add_hook, hooks, &verdict);

	if (code) {
		json_decref(hooks);
		return code;
	}
	json_array_append_new(job->packets,
			      json_pack("{s:I, s:o, s:s, s:o}", "number", (json_int_t)number,
					"packet", json_text(told_spell(p).text), "verdict",
					verdict_name(verdict), "hooks", hooks));
	return CLI_DONE;
}

/* Once: most rulesets accept what is established first. */
static void note_state(struct job *job, const struct told_packet *p)
{
	if (job->noted || p->has_ct || !ruleset_asks(&job->rs, GATE_BIT(CT_STATE)))
		return;
	job->noted = true;
	cli_note(
		"rules ask for 'ct state', which is not told and so is invalid; tell it by 'ct "
		"new' or 'ct established'%s",
		job->pcap ? " in --with" : "");
}

static int on_packet(const struct told_packet *packet, uint64_t number, uint64_t time, void *arg)
{
	struct job *job = arg;
	struct told_packet p = *packet;
	struct complaint c = { "" };

	if (job->with && told_parse_options(&p, job->with, &c)) {
		cli_error("--with: %s", c.text);
		return CLI_USAGE;
	}
	note_state(job, &p);
	if (job->json)
		return add_json(job, &p, number, time);
	return cli_verbose() ? explain(job, &p, time) : summarize(job, &p, number, time);
}

static int run_pcap(struct job *job)
{
	struct policy_pcap stats;
	struct trouble t = { "" };
	int r = policy_pcap_each(&stats, job->pcap, on_packet, job, &t);

	if (r < 0)
		cli_error("%s", t.text);
	if (r)
		return r < 0 ? CLI_FAILED : r;
	if (stats.fragments)
		cli_note(
			"fragments that are part of no whole packet: %llu; they are dropped before "
			"rules see them",
			(unsigned long long)stats.fragments);
	if (stats.unreadable)
		cli_note("packets that are no IP, or were captured without their headers: %llu",
			 (unsigned long long)stats.unreadable);
	return CLI_DONE;
}

static int run_packet(struct job *job)
{
	struct complaint c = { "" };
	struct told_packet p;

	if (told_parse(&p, job->packet, &c)) {
		cli_error("--packet: %s", c.text);
		return CLI_USAGE;
	}
	if (job->with && told_parse_options(&p, job->with, &c)) {
		cli_error("--with: %s", c.text);
		return CLI_USAGE;
	}
	note_state(job, &p);
	return job->json ? add_json(job, &p, 1, 0) : explain(job, &p, 0);
}

static int run_job(struct job *job)
{
	struct complaint c = { "" };
	int code = policy_source_read(&job->rs, NULL, job->file, -1, NULL);

	if (code)
		return code;
	progress_step("compiling ...");
	if (judgement_new(&job->judgement, &job->rs, &c)) {
		cli_error("%s: %s", job->file, c.text);
		return CLI_FAILED;
	}
	progress_end();
	if (job->json)
		job->packets = json_array();
	code = job->pcap ? run_pcap(job) : run_packet(job);
	if (job->json && !code)
		code = json_finish(json_pack("{s:o}", "packets", job->packets));
	else
		json_decref(job->packets);
	return code;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = { { "packet", required_argument, NULL,
						   OPTION_PACKET },
						 { "pcap", required_argument, NULL, OPTION_PCAP },
						 { "with", required_argument, NULL, OPTION_WITH },
						 { "json", no_argument, NULL, OPTION_JSON },
						 CLI_COMMON_OPTIONS };
	struct job job = { 0 };
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_PACKET)
			job.packet = optarg;
		else if (option == OPTION_PCAP)
			job.pcap = optarg;
		else if (option == OPTION_WITH)
			job.with = optarg;
		else if (option == OPTION_JSON)
			job.json = true;
		else if (cli_common_option(self, option, &code))
			return code;
	}
	if (argc - optind != 1)
		return cli_usage(self, "one file with a ruleset is needed");
	if (!job.packet == !job.pcap)
		return cli_usage(self, "one of --packet and --pcap is needed");
	job.file = argv[optind];
	if (!job.json)
		progress_start();
	code = run_job(&job);
	judgement_free(job.judgement);
	ruleset_release(&job.rs);
	return code;
}

const struct verb verb_policy_explain = {
	.name = "policy explain",
	.args = "FILE --packet PACKET | --pcap CAPTURE [--with WORDS] [--json]",
	.summary = "show which rule decides about a packet, and why the others don't",
	.help = "      --packet PACKET   \"udp 10.0.0.1:5353 > 10.8.0.2:53 len 4000\"; also iif,\n"
		"                        oif, hook, mark, ct, ttl, dscp, flags, type, code,\n"
		"                        reassembled, largest, smallest\n"
		"      --pcap CAPTURE    each packet of a capture, reassembled; -v: all rules\n"
		"      --with WORDS      what a capture can't say: \"iif eth0 hook input\"\n"
		"      --json            as JSON\n",
	.run = run,
};
