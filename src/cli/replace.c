// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "object.h"
#include "output.h"

struct request {
	const char *program;
	bool keep_maps;
	bool all_log;
	bool json;
	int kept;
};

static bool parse(const struct verb *self, struct request *q, int argc, char **argv, int *code)
{
	static const struct option options[] = {
		{ "program", required_argument, NULL, 'P' },
		{ "keep-maps", no_argument, NULL, OPTION_KEEP_MAPS },
		{ "verifier-log", no_argument, NULL, OPTION_VERIFIER_LOG },
		{ "json", no_argument, NULL, OPTION_JSON },
		CLI_COMMON_OPTIONS,
	};
	int option;

	while ((option = getopt_long(argc, argv, "P:hv", options, NULL)) != -1) {
		if (option == 'P')
			q->program = optarg;
		else if (option == OPTION_KEEP_MAPS)
			q->keep_maps = true;
		else if (option == OPTION_VERIFIER_LOG)
			q->all_log = true;
		else if (option == OPTION_JSON)
			q->json = true;
		else if (cli_common_option(self, option, code))
			return false;
	}
	if (argc - optind == 2)
		return true;
	*code = cli_usage(self, "a name and an object file are needed");
	return false;
}

static int load(struct request *q, struct unfrag_attachment *att, struct object *o)
{
	if (q->keep_maps)
		q->kept = unfrag_attachment_reuse_maps(att, o->obj);
	if (q->kept < 0)
		return cli_exit_of(q->kept);
	return object_load(o, q->all_log);
}

static int put(struct request *q, struct unfrag_attachment *att, struct object *o)
{
	struct unfrag_replace_opts opts = { .sz = sizeof(opts) };
	char *source = realpath(o->path, NULL);
	int code = load(q, att, o);

	opts.source = source ? source : o->path;
	if (!code)
		code = cli_exit_of(unfrag_attachment_replace(att, o->obj, o->prog, &opts));
	free(source);
	return code;
}

static int report(const struct request *q, const char *name, const struct object *o)
{
	if (q->json)
		return json_finish(json_pack("{s:s, s:s, s:i}", "name", name, "program",
					     bpf_program__name(o->prog), "kept_maps", q->kept));
	printf("replaced the program of '%s' with '%s'", name, bpf_program__name(o->prog));
	if (q->keep_maps)
		printf(", %d %s kept", q->kept, q->kept == 1 ? "map" : "maps");
	putchar('\n');
	return CLI_DONE;
}

static int replace(struct request *q, const char *name, const char *path)
{
	struct unfrag_attachment *att;
	struct object o;
	int code = object_open(&o, path, q->program);

	if (code)
		return code;
	code = cli_exit_of(unfrag_probe_require());
	if (!code)
		code = cli_exit_of(unfrag_attachment_open(&att, name));
	if (!code) {
		code = put(q, att, &o);
		unfrag_attachment_free(att);
	}
	if (!code)
		code = report(q, name, &o);
	object_close(&o);
	return code;
}

static int run(const struct verb *self, int argc, char **argv)
{
	struct request q = { 0 };
	int code;

	if (!parse(self, &q, argc, argv, &code))
		return code;
	return replace(&q, argv[optind], argv[optind + 1]);
}

const struct verb verb_replace = {
	.name = "replace",
	.args = "[OPTIONS] NAME OBJECT.o",
	.summary = "put another program into an attachment, in one step",
	.help = "  -P, --program NAME    program in the object, if it has several\n"
		"      --keep-maps       keep the maps that have the same name and layout\n"
		"      --verifier-log    on refusal show all that the verifier said\n"
		"      --json            print what was done as JSON\n",
	.run = run,
};
