// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy check: reads and compiles a ruleset, and says what is wrong with it or in vain.
 * Nothing is loaded.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "output.h"
#include "policy_source.h"
#include "policy_verbs.h"
#include "progress.h"
#include "quantity.h"
#include "size.h"
#include "warn.h"

struct job {
	const char *file;
	uint64_t memory;
	bool json;
	struct ruleset rs;
	struct policy_listing listing;
	struct image *image;
	struct warning *warnings;
	size_t n_warnings;
	json_t *messages; /* with json */
};

static int compile(struct job *job)
{
	const struct image_opts opts = { .memory = job->memory, .listing = job->listing.len };
	struct complaint c = { "" };
	int err;

	progress_step("compiling ...");
	err = image_new(&job->image, &job->rs, &opts, &c);
	if (err && job->json)
		json_array_append_new(job->messages, json_text(c.text));
	else if (err)
		cli_error("%s: %s", job->file, c.text);
	if (!err) {
		progress_step("looking for what is in vain ...");
		err = warnings_find(&job->warnings, &job->n_warnings, &job->rs);
	}
	return cli_exit_of(err);
}

static const struct {
	const char *name;
	size_t at;
} parts[] = {
#define PART(name) \
	{ \
#name, offsetof(struct image_memory, name) \
	}
	PART(vectors), PART(direct), PART(lines),  PART(trees),    PART(tuples), PART(entries),
	PART(checks),  PART(chains), PART(limits), PART(counters), PART(events), PART(listing),
#undef PART
};

#define PARTS (sizeof(parts) / sizeof(*parts))

static uint64_t bytes_of(const struct image_memory *m, size_t part)
{
	uint64_t bytes;

	memcpy(&bytes, (const char *)m + parts[part].at, sizeof(bytes));
	return bytes;
}

static void print_memory(const struct image_memory *m)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		if (bytes_of(m, i))
			printf("  %-10s%s%s\n", parts[i].name, size_in_words(bytes_of(m, i)).text,
			       strcmp(parts[i].name, "counters") ? "" : " for each CPU");
}

static int print(const struct job *job)
{
	const struct ruleset *rs = &job->rs;
	struct complaint c = { "" };
	const char *place;
	size_t i;

	for (i = 0; i < job->n_warnings; i++) {
		c = (struct complaint){ "" };
		place = warning_place(rs, &job->warnings[i]);
		warning_say(&c, rs, &job->warnings[i]);
		cli_note("%s: warning: %s", place ? place : job->file, c.text);
	}
	printf("%s: ", job->file);
	policy_source_sum(rs, job->image->memory.total);
	if (cli_verbose())
		print_memory(&job->image->memory);
	return CLI_DONE;
}

static json_t *json_warnings(const struct job *job)
{
	json_t *list = json_array();
	struct complaint c;
	char text[sizeof(c.text) + PATH_MAX];
	const char *place;
	size_t i;

	for (i = 0; i < job->n_warnings; i++) {
		c = (struct complaint){ "" };
		place = warning_place(&job->rs, &job->warnings[i]);
		warning_say(&c, &job->rs, &job->warnings[i]);
		snprintf(text, sizeof(text), "%s: %s", place ? place : job->file, c.text);
		json_array_append_new(list, json_text(text));
	}
	return list;
}

static json_t *json_memory(const struct image_memory *m)
{
	json_t *memory = json_object();
	size_t i;

	json_object_set_new(memory, "total", json_integer((json_int_t)m->total));
	for (i = 0; i < PARTS; i++)
		json_object_set_new(memory, parts[i].name,
				    json_integer((json_int_t)bytes_of(m, i)));
	return memory;
}

/* Also of a file that is refused: then there are only messages. */
static int print_json(const struct job *job, int code)
{
	const struct ruleset *rs = &job->rs;
	json_t *root = json_pack("{s:o, s:b, s:O}", "file", json_text(job->file), "valid", !code,
				 "messages", job->messages);
	int printed;

	if (root && !code)
		json_object_update_new(root,
				       json_pack("{s:o, s:I, s:I, s:I, s:I, s:o}", "warnings",
						 json_warnings(job), "rules",
						 (json_int_t)rs->n_rules, "chains",
						 (json_int_t)rs->n_chains, "sets",
						 (json_int_t)rs->n_sets, "elements",
						 (json_int_t)ruleset_elements(rs), "memory_bytes",
						 json_memory(&job->image->memory)));
	printed = json_finish(root);
	return code ? code : printed;
}

static int run_job(struct job *job)
{
	int code;

	if (job->json)
		job->messages = must(json_array());
	code = policy_source_read(&job->rs, &job->listing, job->file, -1, job->messages);
	if (!code)
		code = compile(job);
	progress_end();
	if (job->json)
		code = print_json(job, code);
	else if (!code)
		code = print(job);
	json_decref(job->messages);
	return code;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPTION_JSON },
						 { "memory", required_argument, NULL,
						   OPTION_MEMORY },
						 CLI_COMMON_OPTIONS };
	struct job job = { 0 };
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			job.json = true;
		else if (option == OPTION_MEMORY && !quantity_size(optarg, &job.memory))
			return cli_usage(self, "--memory '%s' is no size; say 64M or 1G", optarg);
		else if (option != OPTION_MEMORY && cli_common_option(self, option, &code))
			return code;
	}
	if (argc - optind != 1)
		return cli_usage(self, "one file with a ruleset is needed");
	job.file = argv[optind];
	if (!job.json)
		progress_start();
	code = run_job(&job);
	free(job.warnings);
	image_free(job.image);
	ruleset_release(&job.rs);
	policy_listing_release(&job.listing);
	return code;
}

const struct verb verb_policy_check = {
	.name = "policy check",
	.args = "FILE [--memory SIZE] [--json]",
	.summary = "say what is wrong with a ruleset, what is in vain, and what it takes",
	.help = "      --memory SIZE     refuse what takes more, as load does\n"
		"      --json            as JSON\n",
	.run = run,
};
