// SPDX-License-Identifier: GPL-2.0-or-later
#include "detach.h"

#include <stdio.h>

#include "output.h"

/* json NULL: says it in words. */
static int detach(const struct detaching *d, const char *name, json_t *json)
{
	struct unfrag_attachment *att;
	int code = cli_exit_of(unfrag_attachment_open(&att, name));

	if (code)
		return code;
	if (d->check)
		code = d->check(att, name);
	if (!code)
		code = cli_exit_of(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
	if (code)
		return code;
	if (json)
		json_array_append_new(json, json_string(name));
	else
		printf("%s '%s'\n", d->done, name);
	return CLI_DONE;
}

static int detach_all(const struct detaching *d, char **names, bool json)
{
	json_t *done = json ? json_array() : NULL;
	int code, failed = CLI_DONE;

	for (; *names; names++) {
		code = detach(d, *names, done);
		failed = code ? code : failed;
	}
	code = json ? json_finish(done) : CLI_DONE;
	return failed ? failed : code;
}

int detach_run(const struct verb *self, const struct detaching *d, int argc, char **argv)
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
	return code ? code : detach_all(d, argv + optind, json);
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct detaching any = { .done = "detached" };

	return detach_run(self, &any, argc, argv);
}

const struct verb verb_detach = {
	.name = "detach",
	.args = "[--json] NAME...",
	.summary = "take attachments away, whole or broken",
	.help = "      --json            print the names of those detached as JSON\n",
	.run = run,
};
