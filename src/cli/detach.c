// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "cli.h"
#include "output.h"

/* json NULL: says it in words. */
static int detach(const char *name, json_t *json)
{
	struct unfrag_attachment *att;
	int r = unfrag_attachment_open(&att, name);

	if (r)
		return cli_exit_of(r);
	r = unfrag_attachment_detach(att);
	unfrag_attachment_free(att);
	if (r)
		return cli_exit_of(r);
	if (json)
		json_array_append_new(json, json_string(name));
	else
		printf("detached '%s'\n", name);
	return CLI_DONE;
}

static int detach_all(char **names, bool json)
{
	json_t *done = json ? json_array() : NULL;
	int code, failed = CLI_DONE;

	for (; *names; names++) {
		code = detach(*names, done);
		failed = code ? code : failed;
	}
	code = json ? json_finish(done) : CLI_DONE;
	return failed ? failed : code;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPTION_JSON },
						 CLI_COMMON_OPTIONS };
	bool json = false;
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			json = true;
		else if (cli_common_option(self, option, &code))
			return code;
	}
	if (optind == argc)
		return cli_usage(self, "a name is needed ('unfrag list' shows them)");
	code = cli_exit_of(unfrag_probe_kernel());
	return code ? code : detach_all(argv + optind, json);
}

const struct verb verb_detach = {
	.name = "detach",
	.args = "[--json] NAME...",
	.summary = "take attachments away, whole or broken",
	.help = "      --json            print the names of those detached as JSON\n",
	.run = run,
};
