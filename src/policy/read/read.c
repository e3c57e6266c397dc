// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "scratch.h"

int policy_read(struct ruleset *out, const char *path, const struct policy_read_opts *opts)
{
	struct policy_listing listing = { 0 };
	int err = scratch_list(&listing, path, opts);

	if (!err)
		err = policy_parse(out, &listing, opts->messages);
	if (!err && opts->listing)
		*opts->listing = listing;
	else
		policy_listing_release(&listing);
	return err;
}
