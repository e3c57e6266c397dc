// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "object.h"
#include "output.h"

struct request {
	struct unfrag_attach_opts opts;
	const char *name;
	const char *program;
	bool all_log;
	bool json;
};

static bool parse_option(struct request *q, int option)
{
	struct unfrag_attach_opts *o = &q->opts;

	switch (option) {
	case 'n':
		q->name = optarg;
		return true;
	case 'P':
		q->program = optarg;
		return true;
	case 'f':
		return cli_parse_families(optarg, &o->families);
	case 'k':
		return cli_parse_hooks(optarg, &o->hooks);
	case 'p':
		o->flags |= UNFRAG_ATTACH_PRIORITY;
		return cli_parse_priority(optarg, &o->priority);
	case OPTION_NETNS:
		o->netns = optarg;
		return true;
	case OPTION_NO_DEFRAG:
		o->flags |= UNFRAG_ATTACH_NO_DEFRAG;
		return true;
	case OPTION_FRAGMENTS:
		return cli_parse_verdict(optarg, "fragments", UNFRAG_ATTACH_ACCEPT_FRAGMENTS,
					 &o->flags);
	case OPTION_UNREADABLE:
		return cli_parse_verdict(optarg, "unreadable", UNFRAG_ATTACH_ACCEPT_UNREADABLE,
					 &o->flags);
	case OPTION_EMPTY:
		return cli_parse_verdict(optarg, "empty", UNFRAG_ATTACH_ACCEPT_EMPTY, &o->flags);
	case OPTION_VERIFIER_LOG:
		q->all_log = true;
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
		{ "program", required_argument, NULL, 'P' },
		{ "family", required_argument, NULL, 'f' },
		{ "hook", required_argument, NULL, 'k' },
		{ "priority", required_argument, NULL, 'p' },
		{ "netns", required_argument, NULL, OPTION_NETNS },
		{ "no-defrag", no_argument, NULL, OPTION_NO_DEFRAG },
		{ "fragments", required_argument, NULL, OPTION_FRAGMENTS },
		{ "unreadable", required_argument, NULL, OPTION_UNREADABLE },
		{ "empty", required_argument, NULL, OPTION_EMPTY },
		{ "verifier-log", no_argument, NULL, OPTION_VERIFIER_LOG },
		{ "json", no_argument, NULL, OPTION_JSON },
		CLI_COMMON_OPTIONS,
	};
	int option;

	while ((option = getopt_long(argc, argv, "n:P:f:k:p:hv", options, NULL)) != -1) {
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
	*code = cli_usage(self,
			  argc == optind ? "an object file is needed" : "one object file only");
	return false;
}

static int report(const struct request *q, struct unfrag_attachment *att)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	char hooks[OUTPUT_WORDS], families[OUTPUT_WORDS];
	int r = unfrag_attachment_info(att, &info);

	/* It is in force all the same. */
	if (r)
		cli_note("'%s' can't be looked at: %s", q->name, strerror(-r));
	if (q->json)
		return json_finish(
			json_pack("{s:s, s:s, s:i, s:o, s:o, s:i}", "name", q->name, "program",
				  info.program, "program_id", (int)info.program_id, "families",
				  json_families(info.families), "hooks", json_hooks(info.hooks),
				  "priority", (int)info.priority));
	printf("attached '%s': program '%s', %s, %s, priority %d\n", q->name, info.program,
	       output_families(info.families, families), output_hooks(info.hooks, hooks),
	       info.priority);
	return CLI_DONE;
}

static int attach(struct request *q, const char *path)
{
	struct unfrag_attachment *att;
	struct object o;
	int code = object_open(&o, path, q->program);

	if (code)
		return code;
	code = cli_exit_of(unfrag_probe_require());
	if (!code)
		code = object_load(&o, q->all_log);
	if (!code)
		code = cli_exit_of(
			unfrag_attachment_attach(&att, q->name, o.obj, o.prog, &q->opts));
	if (!code) {
		code = report(q, att);
		unfrag_attachment_free(att);
	}
	object_close(&o);
	return code;
}

static int run(const struct verb *self, int argc, char **argv)
{
	struct request q = { .opts.sz = sizeof(q.opts) };
	char name[UNFRAG_NAME_MAX + 1];
	char *source;
	int code;

	if (!parse(self, &q, argc, argv, &code))
		return code;
	if (!q.name) {
		object_name_of(argv[optind], name);
		q.name = name;
	}
	source = realpath(argv[optind], NULL);
	q.opts.source = source ? source : argv[optind];
	code = attach(&q, argv[optind]);
	free(source);
	return code;
}

const struct verb verb_attach = {
	.name = "attach",
	.args = "[OPTIONS] OBJECT.o",
	.summary = "attach a BPF netfilter program so that it sees whole packets only",
	.help = "  -n, --name NAME       name of the attachment (default: from the file)\n"
		"  -P, --program NAME    program in the object, if it has several\n"
		"  -f, --family F        ipv4, ipv6 or both (default: both)\n"
		"  -k, --hook H[,H...]   prerouting, input, forward, output, postrouting\n"
		"                        (default: prerouting)\n"
		"  -p, --priority N      lower runs earlier (default: -350)\n"
		"      --netns NS        network namespace: a name, a path or a process id\n"
		"      --no-defrag       don't switch the kernel's defragmentation on\n"
		"      --fragments V     what is still a fragment: drop (default) or accept\n"
		"      --unreadable V    headers that can't be followed: drop (default) or accept\n"
		"      --empty V         no program in the slot: drop (default) or accept\n"
		"      --verifier-log    on refusal show all that the verifier said\n"
		"      --json            print what was attached as JSON\n",
	.run = run,
};
