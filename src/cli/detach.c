// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "cli.h"

static int detach(const char *name)
{
	struct unfrag_attachment *att;
	int r = unfrag_attachment_open(&att, name);

	if (r)
		return cli_exit_of(r);
	r = unfrag_attachment_detach(att);
	unfrag_attachment_free(att);
	if (!r)
		printf("detached '%s'\n", name);
	return cli_exit_of(r);
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = { CLI_COMMON_OPTIONS };
	int option, code, failed = CLI_DONE;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1)
		if (cli_common_option(self, option, &code))
			return code;
	if (optind == argc)
		return cli_usage(self, "a name is needed ('unfrag list' shows them)");
	for (; optind < argc; optind++) {
		code = detach(argv[optind]);
		failed = code ? code : failed;
	}
	return failed;
}

const struct verb verb_detach = {
	.name = "detach",
	.args = "NAME...",
	.summary = "take attachments away, whole or broken",
	.help = "",
	.run = run,
};
