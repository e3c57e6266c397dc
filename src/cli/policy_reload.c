// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy reload and unload: another ruleset in place of the one in force, and none.
 */
#include <stdio.h>
#include <string.h>

#include "detach.h"
#include "output.h"
#include "policy_loading.h"
#include "policy_verbs.h"
#include "progress.h"
#include "quantity.h"

struct request {
	const char *name;
	char file[INSTANCE_PATH_MAX];
	uint64_t memory;
	bool json;
};

/* What is not asked for is as it was loaded. */
static int ask_old(struct request *q, struct unfrag_attachment *att,
		   const struct unfrag_attachment_info *info)
{
	struct instance_about about;
	struct complaint c = { "" };

	if (!instance_ask(&about, att, &c)) {
		if (!q->file[0])
			snprintf(q->file, sizeof(q->file), "%s", about.path);
		if (!q->memory)
			q->memory = about.memory;
	} else if (!info->is_placed || strncmp(info->program, "gate", 4)) {
		cli_error("'%s' is no ruleset: %s", q->name, c.text);
		return CLI_FAILED;
	}
	if (!q->memory)
		q->memory = POLICY_MEMORY;
	if (!q->file[0])
		snprintf(q->file, sizeof(q->file), "%s", info->source);
	if (q->file[0])
		return CLI_DONE;
	cli_error("'%s' was not loaded from a file; name one", q->name);
	return CLI_FAILED;
}

/* Its devices are those that "iif" and "oif" name. */
static const char *netns_of(const struct unfrag_attachment_info *info)
{
	if (!info->netns[0] || !strcmp(info->netns, "current"))
		return NULL;
	return strncmp(info->netns, "pid:", 4) ? info->netns : info->netns + 4;
}

static int load(struct request *q, struct unfrag_attachment *att,
		const struct unfrag_attachment_info *info)
{
	struct policy_loading l;
	int code = policy_loading_init(&l, q->name, netns_of(info), q->memory);

	if (!code)
		code = policy_loading_reload(&l, att, q->file, q->json);
	if (code)
		cli_note("what was in force stays in force");
	policy_loading_release(&l);
	return code;
}

static int reload(struct request *q)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	struct unfrag_attachment *att;
	int code = cli_exit_of(unfrag_attachment_open(&att, q->name));

	if (code)
		return code;
	code = cli_exit_of(unfrag_attachment_info(att, &info));
	if (!code)
		code = ask_old(q, att, &info);
	if (!code)
		code = load(q, att, &info);
	unfrag_attachment_free(att);
	return code;
}

static int run_reload(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "memory", required_argument, NULL, OPTION_MEMORY },
		{ "json", no_argument, NULL, OPTION_JSON },
		CLI_COMMON_OPTIONS,
	};
	struct request q = { 0 };
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			q.json = true;
		else if (option == OPTION_MEMORY && !quantity_size(optarg, &q.memory))
			return cli_usage(self, "--memory '%s' is no size; say 64M or 1G", optarg);
		else if (option != OPTION_MEMORY && cli_common_option(self, option, &code))
			return code;
	}
	if (argc - optind < 1 || argc - optind > 2)
		return cli_usage(self, "a name is needed, and a file if another is to be read");
	q.name = argv[optind];
	if (argc - optind == 2)
		snprintf(q.file, sizeof(q.file), "%s", argv[optind + 1]);
	code = cli_exit_of(unfrag_probe_require());
	if (code)
		return code;
	if (!q.json)
		progress_start();
	return reload(&q);
}

const struct verb verb_policy_reload = {
	.name = "policy reload",
	.args = "[--memory SIZE] [--json] NAME [FILE]",
	.summary = "read a ruleset's file again, and put it in force in one step",
	.help = "      --memory SIZE     refuse what takes more (default: as it was loaded)\n"
		"      --json            print what was loaded as JSON\n",
	.run = run_reload,
};

/* Broken ones too: what is there of them has to go. */
static int check_ruleset(struct unfrag_attachment *att, const char *name)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	int code = cli_exit_of(unfrag_attachment_info(att, &info));

	if (code || info.state == UNFRAG_STATE_BROKEN || policy_loading_is_ruleset(&info, name))
		return code;
	return CLI_FAILED;
}

static int run_unload(const struct verb *self, int argc, char **argv)
{
	static const struct detaching rulesets = { .done = "unloaded", .check = check_ruleset };

	return detach_run(self, &rulesets, argc, argv);
}

const struct verb verb_policy_unload = {
	.name = "policy unload",
	.args = "[--json] NAME...",
	.summary = "take rulesets out of force",
	.help = "      --json            print the names of those unloaded as JSON\n",
	.run = run_unload,
};
