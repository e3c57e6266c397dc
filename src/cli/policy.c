// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy: rulesets in nftables' language. A table of verbs, one file each.
 */
#include <stdio.h>
#include <string.h>

#include "policy_verbs.h"

static const struct verb *const verbs[] = {
	&verb_policy_check, &verb_policy_diff,   &verb_policy_explain,
	&verb_policy_load,  &verb_policy_reload, &verb_policy_set,
	&verb_policy_show,  &verb_policy_unload, &verb_policy_watch,
};

#define VERBS (sizeof(verbs) / sizeof(*verbs))

static const struct verb *find(const char *name)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (!strcmp(name, strchr(verbs[i]->name, ' ') + 1))
			return verbs[i];
	return NULL;
}

static void help(const struct verb *self)
{
	size_t i;

	printf("usage: unfrag %s %s\n\n%s.\n\n", self->name, self->args, self->summary);
	for (i = 0; i < VERBS; i++)
		printf("  %-10s%s\n", strchr(verbs[i]->name, ' ') + 1, verbs[i]->summary);
	puts("\n'unfrag policy WORD --help' has more on each. See unfrag-policy(8).");
}

static int run(const struct verb *self, int argc, char **argv)
{
	const struct verb *verb = argc > 1 ? find(argv[1]) : NULL;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		help(self);
		return CLI_DONE;
	}
	if (!verb)
		return cli_usage(self, argc > 1 ? "unknown word '%s'" : "a word is needed%s",
				 argc > 1 ? argv[1] : "");
	return verb->run(verb, argc - 1, argv + 1);
}

const struct verb verb_policy = {
	.name = "policy",
	.args = "WORD [OPTIONS] [ARGUMENTS]",
	.summary = "rulesets in nftables' language, judged on whole packets",
	.help = "",
	.run = run,
};
