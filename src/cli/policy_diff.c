// SPDX-License-Identifier: GPL-2.0-or-later
/* unfrag policy diff: what changes from one ruleset to another, rule by rule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instance.h"
#include "outline.h"
#include "output.h"
#include "policy_loading.h"
#include "policy_source.h"
#include "policy_verbs.h"
#include "progress.h"

/* As of diff(1), which scripts know. */
enum {
	DIFF_SAME = 0,
	DIFF_DIFFERENT = 1,
	DIFF_TROUBLE = 2,
};

struct job {
	const char *name[2];
	struct outline outline[2];
	bool json;
	json_t *changes;   /* with json */
	const char *title; /* of the part that was printed last */
};

static void print_line(const char *title, char sign, const char *line, void *arg)
{
	struct job *job = arg;
	const bool add = sign == '+';

	progress_end();
	if (job->title != title)
		printf("%s\n", title);
	job->title = title;
	printf("%s%c %s%s\n", colour_on(add ? COLOUR_GOOD : COLOUR_BAD), sign,
	       *line ? line : "(all of it)", colour_off(add ? COLOUR_GOOD : COLOUR_BAD));
}

static void add_line(const char *title, char sign, const char *line, void *arg)
{
	struct job *job = arg;

	json_array_append_new(job->changes,
			      json_pack("{s:o, s:s, s:o}", "in", json_text(title), "change",
					sign == '+' ? "added" : "removed", "what",
					*line ? json_text(line) : json_null()));
}

static int read_file(struct outline *out, const char *path)
{
	struct ruleset rs;
	int code = policy_source_read(&rs, NULL, path, -1, NULL);

	if (code)
		return code == CLI_KERNEL ? code : DIFF_TROUBLE;
	if (outline_init(out, &rs)) {
		cli_error("no memory");
		code = DIFF_TROUBLE;
	}
	ruleset_release(&rs);
	return code;
}

/* With the elements that sets have now. */
static int outline_now(struct outline *out, const struct instance *in, struct complaint *c)
{
	struct ruleset now = *instance_ruleset(in);
	int r = 0;
	uint32_t i;

	now.sets = must(calloc(now.n_sets + 1, sizeof(*now.sets)));
	for (i = 0; i < now.n_sets; i++) {
		now.sets[i] = instance_ruleset(in)->sets[i];
		now.sets[i].elements = NULL;
	}
	for (i = 0; i < now.n_sets && !r; i++)
		if (now.sets[i].is_named)
			r = instance_elements(in, i, &now.sets[i].elements, &now.sets[i].n_elements,
					      c);
	if (!r)
		r = outline_init(out, &now);
	for (i = 0; i < now.n_sets; i++)
		free(now.sets[i].elements);
	free(now.sets);
	return r;
}

static int read_in_force(struct outline *out, const char *name)
{
	struct unfrag_attachment *att;
	struct instance *in = NULL;
	struct complaint c = { "" };
	int r;

	if (unfrag_attachment_open(&att, name))
		return DIFF_TROUBLE;
	progress_step("reading '%s' ...", name);
	r = instance_open(&in, att, &c);
	unfrag_attachment_free(att);
	if (!r)
		r = outline_now(out, in, &c);
	instance_free(in);
	if (r == -ENOENT)
		cli_error("'%s' is no ruleset; 'unfrag list' says what it is", name);
	else if (r)
		cli_error("'%s': %s", name, c.text[0] ? c.text : "no memory");
	return r ? DIFF_TROUBLE : CLI_DONE;
}

/* Those who may not look have none. */
static bool is_in_force(const char *name)
{
	return !geteuid() && policy_loading_is_there(name);
}

static int read_one(struct job *job, int i)
{
	const char *name = job->name[i];
	bool in_force = strcmp(name, "-") && !strchr(name, '/') && is_in_force(name);

	if (in_force && !access(name, F_OK)) {
		cli_error("'%s' is in force, and a file here; say './%s' if the file is meant",
			  name, name);
		return DIFF_TROUBLE;
	}
	return in_force ? read_in_force(&job->outline[i], name) : read_file(&job->outline[i], name);
}

static int compare(struct job *job)
{
	int r, code;

	if (job->json)
		job->changes = must(json_array());
	progress_step("comparing ...");
	r = outline_compare(&job->outline[0], &job->outline[1], job->json ? add_line : print_line,
			    job);
	code = r < 0 ? DIFF_TROUBLE : r ? DIFF_DIFFERENT : DIFF_SAME;
	if (r < 0)
		cli_error("no memory");
	if (job->json && json_finish(json_pack("{s:b, s:o}", "same", !r, "changes", job->changes)))
		code = DIFF_TROUBLE;
	return code;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPTION_JSON },
						 CLI_COMMON_OPTIONS };
	struct job job = { 0 };
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			job.json = true;
		else if (cli_common_option(self, option, &code))
			return code;
	}
	if (argc - optind != 2)
		return cli_usage(self, "two rulesets are needed, files or names");
	job.name[0] = argv[optind];
	job.name[1] = argv[optind + 1];
	if (!strcmp(job.name[0], "-") && !strcmp(job.name[1], "-"))
		return cli_usage(self, "standard input can be read only once");
	if (!job.json)
		progress_start();
	code = read_one(&job, 0);
	if (!code)
		code = read_one(&job, 1);
	if (!code)
		code = compare(&job);
	outline_release(&job.outline[0]);
	outline_release(&job.outline[1]);
	return code;
}

const struct verb verb_policy_diff = {
	.name = "policy diff",
	.args = "A B [--json]",
	.summary = "show what changes from one ruleset to another",
	.help = "A and B are files, or names of rulesets in force.\n\n"
		"      --json            as JSON\n"
		"\nExit status: 0 the same, 1 different, 2 trouble.\n",
	.run = run,
};
