// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "reasm.h"

const char *peer_name(const char **why)
{
	*why = "built without DPDK (libdpdk-dev), so there is nothing to compare with";
	return NULL;
}

int peer_run(const struct load *load, const struct template *t, int rounds, struct cost *cost)
{
	(void)load, (void)t, (void)rounds, (void)cost;
	return -ENOTSUP;
}

void peer_flood(const struct flood *flood, const struct template *t, struct flood_result *result)
{
	(void)flood, (void)t, (void)result;
}
