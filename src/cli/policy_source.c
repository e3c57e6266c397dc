// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_source.h"

#include <errno.h>
#include <stdio.h>

#include "cli.h"
#include "output.h"

/* nftables points at columns of the line above, so nothing may stand before it. */
static void tell(const struct policy_messages *m, json_t *messages)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (messages)
			json_array_append_new(messages, json_text(m->text[i]));
		else
			fprintf(stderr, "%s\n", m->text[i]);
}

int policy_source_read(struct ruleset *out, struct policy_listing *listing, const char *file,
		       json_t *messages)
{
	struct policy_messages m = { 0 };
	const struct policy_read_opts opts = { .netns = -1, .messages = &m, .listing = listing };
	int err = policy_read(out, file, &opts);

	tell(&m, messages);
	policy_messages_release(&m);
	/* Without the right to make namespaces no ruleset can be read here at all. */
	return err == -EPERM ? CLI_KERNEL : cli_exit_of(err);
}
