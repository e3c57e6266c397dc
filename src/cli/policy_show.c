// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy show: rulesets in force, as nftables writes them, with their counters.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "policy_loading.h"
#include "policy_show.h"
#include "policy_verbs.h"
#include "progress.h"
#include "show.h"
#include "size.h"

struct job {
	bool terse;
	json_t *list; /* with --json */
	size_t shown;
	int code; /* of what could not be shown */
};

/* A ruleset in force, and what it shows now. */
static int take(struct policy_shown *s, const char *name, struct unfrag_attachment *att)
{
	struct complaint c = { "" };
	size_t n;
	int r;

	s->info.sz = sizeof(s->info);
	r = unfrag_attachment_info(att, &s->info);
	if (r)
		return r;
	/* It is not in force yet, or no more. */
	if (s->info.state == UNFRAG_STATE_BUSY && !s->info.program_id)
		return -EBUSY;
	progress_step("reading '%s' ...", name);
	r = instance_open(&s->instance, att, &c);
	if (!r) {
		n = instance_ruleset(s->instance)->n_counters;
		s->counters = must(calloc(n + 1, sizeof(*s->counters)));
		r = instance_counters(s->instance, s->counters, n, &c);
	}
	if (r && r != -ENOENT)
		cli_error("'%s': %s", name, c.text);
	return r;
}

static void give_back(struct policy_shown *s)
{
	instance_free(s->instance);
	free(s->counters);
}

int policy_shown_elements(void *arg, uint32_t set, struct element **out, size_t *n)
{
	const struct policy_shown *s = arg;
	struct complaint c = { "" };
	int r = instance_elements(s->instance, set, out, n, &c);

	if (r)
		cli_error("%s", c.text);
	return r;
}

/* In a comment, which an end of line would end. */
static void print_plain(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' ? '?' : *text);
}

static const char *netns_words(const char *netns)
{
	if (!netns[0])
		return "a network namespace without a name";
	return strcmp(netns, "current") ? netns : "this network namespace";
}

static void print_head(const struct policy_shown *s, const char *name)
{
	const struct instance_about *about = instance_about(s->instance);
	const struct unfrag_place *p;
	char words[OUTPUT_WORDS];
	uint64_t lost;

	printf("# %s: ", name);
	print_plain(about->path[0] ? about->path : "from no file");
	printf(", since %s, %s of memory\n", output_time(about->since, words),
	       size_in_words(about->takes).text);
	printf("# in ");
	print_plain(netns_words(s->info.netns));
	for (p = s->info.places; p < s->info.places + s->info.n_places; p++)
		printf("%s %s %s %d", p == s->info.places ? ":" : ",",
		       output_families(p->families, words),
		       unfrag_hook_name((enum unfrag_hook)p->hook), p->priority);
	putchar('\n');
	if (!instance_lost(s->instance, &lost) && lost)
		printf("# %llu logged packets were lost: nobody read them in time\n",
		       (unsigned long long)lost);
	if (about->flags & POLICY_CLOSED)
		puts("# EVERY PACKET IS DROPPED: its file could not be loaded");
}

static int print(struct job *job, struct policy_shown *s, const char *name)
{
	const struct show show = {
		.rs = instance_ruleset(s->instance),
		.listing = instance_listing(s->instance),
		.counters = s->counters,
		.terse = job->terse,
		.elements = policy_shown_elements,
		.arg = s,
	};

	if (job->shown++)
		putchar('\n');
	print_head(s, name);
	return show_write(&show, stdout);
}

static int add(struct job *job, struct policy_shown *s, const char *name)
{
	json_t *one = policy_shown_json(s, name, !job->terse);

	if (!one)
		return -ENOMEM;
	json_array_append_new(job->list, one);
	return 0;
}

/* -ENOENT: it is no ruleset, or gone. -EBUSY: another process is loading or unloading it. */
static int show(struct job *job, const char *name)
{
	struct policy_shown s = { 0 };
	struct unfrag_attachment *att;
	int r = unfrag_attachment_open(&att, name);

	if (r)
		return r;
	r = take(&s, name, att);
	progress_hide();
	unfrag_attachment_free(att);
	if (!r)
		r = job->list ? add(job, &s, name) : print(job, &s, name);
	give_back(&s);
	return r;
}

/* What can't be shown is said, and the others are shown all the same. */
static int each(const char *name, void *arg)
{
	struct job *job = arg;
	int r = show(job, name);

	if (r && r != -ENOENT && r != -EBUSY)
		job->code = cli_exit_of(r);
	return 0;
}

static int named(struct job *job, const char *name)
{
	struct unfrag_attachment *att;
	int code = cli_exit_of(unfrag_attachment_open(&att, name)), r;

	if (code)
		return code;
	unfrag_attachment_free(att);
	r = show(job, name);
	if (r == -ENOENT)
		cli_error("'%s' is no ruleset; 'unfrag list' says what it is", name);
	if (r == -EBUSY)
		cli_error("'%s' is being loaded or unloaded by another process", name);
	return cli_exit_of(r);
}

static int show_all(struct job *job)
{
	int code = cli_exit_of(unfrag_attachment_each(each, job));

	code = code ? code : job->code;
	if (!code && !job->list && !job->shown)
		cli_note("no ruleset is in force");
	return code;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "terse", no_argument, NULL, OPTION_TERSE },
		{ "json", no_argument, NULL, OPTION_JSON },
		CLI_COMMON_OPTIONS,
	};
	struct job job = { 0 };
	bool json = false;
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			json = true;
		else if (option == OPTION_TERSE)
			job.terse = true;
		else if (cli_common_option(self, option, &code))
			return code;
	}
	if (argc - optind > 1)
		return cli_usage(self, "one name, or none for all");
	code = cli_exit_of(unfrag_probe_kernel());
	if (code)
		return code;
	if (!json)
		progress_start();
	job.list = json ? must(json_array()) : NULL;
	code = optind < argc ? named(&job, argv[optind]) : show_all(&job);
	if (json && (!code || json_array_size(job.list)))
		option = json_finish(job.list);
	else
		json_decref(job.list);
	return code || !json ? code : option;
}

const struct verb verb_policy_show = {
	.name = "policy show",
	.args = "[--terse] [--json] [NAME]",
	.summary = "print rulesets in force, with their counters",
	.help = "      --terse           no elements of sets\n"
		"      --json            as JSON\n",
	.run = run,
};
