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
};

static bool parse(const struct verb *self, struct request *q, int argc, char **argv, int *code)
{
	static const struct option options[] = {
		{ "program", required_argument, NULL, 'P' },
		{ "keep-maps", no_argument, NULL, OPTION_KEEP_MAPS },
		{ "verifier-log", no_argument, NULL, OPTION_VERIFIER_LOG },
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
		else if (cli_common_option(self, option, code))
			return false;
	}
	if (argc - optind == 2)
		return true;
	*code = cli_usage(self, "a name and an object file are needed");
	return false;
}

static int load(const struct request *q, struct unfrag_attachment *att, struct object *o)
{
	int kept = 0;

	if (q->keep_maps)
		kept = unfrag_attachment_reuse_maps(att, o->obj);
	if (kept < 0)
		return cli_exit_of(kept);
	if (q->keep_maps)
		cli_note("%d %s kept", kept, kept == 1 ? "map is" : "maps are");
	return object_load(o, q->all_log);
}

static int replace(const struct request *q, const char *name, const char *path)
{
	struct unfrag_attachment *att;
	struct object o;
	char *source;
	int code = object_open(&o, path, q->program);

	if (code)
		return code;
	code = cli_exit_of(unfrag_probe_require());
	if (!code)
		code = cli_exit_of(unfrag_attachment_open(&att, name));
	if (!code) {
		code = load(q, att, &o);
		source = realpath(path, NULL);
		if (!code)
			code = cli_exit_of(unfrag_attachment_replace(att, o.obj, o.prog,
								     source ? source : path));
		free(source);
		unfrag_attachment_free(att);
	}
	if (!code)
		printf("replaced the program of '%s' with '%s'\n", name, bpf_program__name(o.prog));
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
		"      --verifier-log    on refusal show all that the verifier said\n",
	.run = run,
};
