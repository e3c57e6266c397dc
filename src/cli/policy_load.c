// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy load: a ruleset from a file into force, under a name.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
	bool replaces;
	bool closes;
	bool json;
};

static bool is_same_netns(const struct policy_loading *l, uint64_t inode)
{
	struct stat st;

	if (l->netns >= 0 ? fstat(l->netns, &st) : stat("/proc/self/ns/net", &st))
		return false;
	return st.st_ino == inode;
}

/* Whether what has the name can be replaced. Of what is not whole *leftover. */
static int check_old(const struct policy_loading *l, struct unfrag_attachment *att, bool *leftover)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	const char *name = l->about.name;
	int code = cli_exit_of(unfrag_attachment_info(att, &info));

	if (code)
		return code;
	*leftover = info.state == UNFRAG_STATE_BROKEN || info.state == UNFRAG_STATE_ORPHANED;
	if (*leftover)
		return CLI_DONE;
	if (!policy_loading_is_ruleset(&info, name))
		return CLI_FAILED;
	if (is_same_netns(l, info.netns_inode))
		return CLI_DONE;
	cli_error("'%s' is in force in another network namespace", name);
	return CLI_FAILED;
}

/* What is in force under the name; *old is NULL if that is nothing, in the end. */
static int find_old(const struct request *q, const struct policy_loading *l,
		    struct unfrag_attachment **old)
{
	bool leftover = false;
	int code;

	*old = NULL;
	if (!q->replaces || !policy_loading_is_there(q->name))
		return CLI_DONE;
	code = cli_exit_of(unfrag_attachment_open(old, q->name));
	if (!code)
		code = check_old(l, *old, &leftover);
	if (code || !leftover)
		return code;
	cli_note("what is left of '%s', which is not whole, is taken away first", q->name);
	code = cli_exit_of(unfrag_attachment_detach(*old));
	unfrag_attachment_free(*old);
	*old = NULL;
	return code;
}

static int attach(const struct request *q, struct policy_loading *l)
{
	struct unfrag_attachment *att;
	int code = cli_exit_of(policy_loading_attach(l, q->netns, &att));

	if (!code)
		unfrag_attachment_free(att);
	return code;
}

static int put(const struct request *q, struct policy_loading *l)
{
	int code = policy_loading_file(l, q->file);

	if (!code)
		code = attach(q, l);
	return code ? code : policy_loading_report(l, "loaded", q->json);
}

/* *stays: something is in force under the name already. */
static int load(const struct request *q, bool *stays)
{
	struct unfrag_attachment *old = NULL;
	struct policy_loading l;
	int code = policy_loading_init(&l, q->name, q->netns, q->memory);

	if (!code)
		code = find_old(q, &l, &old);
	*stays = old;
	if (!code && old) {
		code = policy_loading_reload(&l, old, q->file, q->json);
		if (code)
			cli_note("what was in force stays in force");
	} else if (!code) {
		code = put(q, &l);
	}
	unfrag_attachment_free(old);
	policy_loading_release(&l);
	return code;
}

/* 0, or -errno of what could not be done; -EBUSY: another hook stands there. */
static int close_at(const struct request *q, int32_t priority)
{
	struct unfrag_attachment *att = NULL;
	struct policy_loading l;
	int err = -EIO;

	if (!policy_loading_init(&l, q->name, q->netns, q->memory) &&
	    !policy_loading_closed(&l, q->file, priority))
		err = policy_loading_attach(&l, q->netns, &att);
	unfrag_attachment_free(att);
	policy_loading_release(&l);
	return err;
}

#define CLOSE_TRIES 32

/*
 * The caller said that no packet is better than packets that nobody judges. At which priority does
 * not matter, but others may stand at some.
 */
static void close_all(const struct request *q)
{
	int32_t i;
	int err = -EBUSY;

	for (i = 0; i < CLOSE_TRIES && err == -EBUSY; i++)
		err = close_at(q, -i);
	if (err)
		cli_error(
			"and what drops every packet could not be loaded either: NOTHING IS "
			"FILTERED");
	else
		cli_error(
			"EVERY PACKET IS DROPPED at input, forward and output until 'unfrag "
			"policy reload %s' succeeds or 'unfrag policy unload %s' gives up",
			q->name, q->name);
}

static bool parse_on_fail(const char *arg, bool *closes)
{
	*closes = !strcmp(arg, "closed");
	if (*closes || !strcmp(arg, "open"))
		return true;
	cli_error("--on-fail '%s' is not known; use open or closed", arg);
	return false;
}

static bool parse_option(struct request *q, int option)
{
	switch (option) {
	case 'n':
		q->name = optarg;
		return true;
	case OPTION_NETNS:
		q->netns = optarg;
		return true;
	case OPTION_MEMORY:
		if (quantity_size(optarg, &q->memory))
			return true;
		cli_error("--memory '%s' is no size; say 64M or 1G", optarg);
		return false;
	case OPTION_ON_FAIL:
		return parse_on_fail(optarg, &q->closes);
	case OPTION_REPLACE:
		q->replaces = true;
		return true;
	default:
		q->json = true;
		return true;
	}
}

static bool parse(const struct verb *self, struct request *q, int argc, char **argv, int *code)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "netns", required_argument, NULL, OPTION_NETNS },
		{ "memory", required_argument, NULL, OPTION_MEMORY },
		{ "on-fail", required_argument, NULL, OPTION_ON_FAIL },
		{ "replace", no_argument, NULL, OPTION_REPLACE },
		{ "json", no_argument, NULL, OPTION_JSON },
		CLI_COMMON_OPTIONS,
	};
	int option;

	while ((option = getopt_long(argc, argv, "n:hv", options, NULL)) != -1) {
		if (option == 'h' || option == 'v' || option == '?') {
			if (cli_common_option(self, option, code))
				return false;
		} else if (!parse_option(q, option)) {
			*code = CLI_USAGE;
			return false;
		}
	}
	if (argc - optind == 1)
		return true;
	*code = cli_usage(self, "one file with a ruleset is needed");
	return false;
}

static int run(const struct verb *self, int argc, char **argv)
{
	struct request q = { .memory = POLICY_MEMORY };
	char name[UNFRAG_NAME_MAX + 1];
	bool stays;
	int code;

	if (!parse(self, &q, argc, argv, &code))
		return code;
	q.file = argv[optind];
	if (!q.name && !strcmp(q.file, "-"))
		return cli_usage(self, "standard input has no name; give one with --name");
	object_name_of(q.file, name);
	q.name = q.name ? q.name : name;
	code = cli_exit_of(unfrag_probe_require());
	if (!code && !q.replaces)
		code = policy_loading_check_name(q.name);
	if (code)
		return code;
	if (!q.json)
		progress_start();
	code = load(&q, &stays);
	if (code && q.closes && !stays)
		close_all(&q);
	return code;
}

const struct verb verb_policy_load = {
	.name = "policy load",
	.args = "[OPTIONS] FILE",
	.summary = "put a ruleset into force",
	.help = "  -n, --name NAME       name of the attachment (default: from the file)\n"
		"      --netns NS        network namespace: a name, a path or a process id\n"
		"      --memory SIZE     refuse what takes more (default: 512M)\n"
		"      --on-fail V       if that fails: open, change nothing (default), or "
		"closed,\n"
		"                        drop every packet\n"
		"      --replace         put it in place of what is in force under the name\n"
		"      --json            print what was loaded as JSON\n",
	.run = run,
};
