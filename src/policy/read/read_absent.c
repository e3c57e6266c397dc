// SPDX-License-Identifier: GPL-2.0-or-later
/* In place of read.c where there is no libnftables. */
#include <errno.h>

#include "policy.h"

int policy_read(struct ruleset *out, const char *path, const struct policy_read_opts *opts)
{
	(void)out;
	policy_say(opts->messages, "%s: this unfrag was built without libnftables, which reads it",
		   path);
	return -EOPNOTSUPP;
}
