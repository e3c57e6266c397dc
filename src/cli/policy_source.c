// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_source.h"

#include <errno.h>
#include <stdio.h>

#include "cli.h"
#include "output.h"
#include "progress.h"
#include "size.h"

/* nftables points at columns of the line above, so nothing may stand before it. */
static void tell(const struct policy_messages *m, json_t *messages)
{
	size_t i;

	if (m->n)
		progress_hide();
	for (i = 0; i < m->n; i++)
		if (messages)
			json_array_append_new(messages, json_text(m->text[i]));
		else
			fprintf(stderr, "%s\n", m->text[i]);
}

int policy_source_read(struct ruleset *out, struct policy_listing *listing, const char *file,
		       int netns, json_t *messages)
{
	struct policy_messages m = { 0 };
	const struct policy_read_opts opts = { .netns = netns, .messages = &m, .listing = listing };
	int err;

	progress_reading(file);
	err = policy_read(out, file, &opts);
	tell(&m, messages);
	policy_messages_release(&m);
	/* Without the right to make namespaces no ruleset can be read here at all. */
	return err == -EPERM ? CLI_KERNEL : cli_exit_of(err);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void policy_source_sum(const struct ruleset *rs, uint64_t memory)
{
	size_t elements = ruleset_elements(rs);

	printf("%zu rule%s, %zu chain%s, %zu set%s with %zu element%s, %s of memory\n", rs->n_rules,
	       plural(rs->n_rules), rs->n_chains, plural(rs->n_chains), rs->n_sets,
	       plural(rs->n_sets), elements, plural(elements), size_in_words(memory).text);
}
