// SPDX-License-Identifier: GPL-2.0-or-later
#include "reasm.h"

const char *peer_name(const char **why)
{
	*why = "built without DPDK (libdpdk-dev), so there is nothing to compare with";
	return NULL;
}

struct peer *peer_open(const struct load *load, const struct template *t)
{
	(void)load, (void)t;
	return NULL;
}

void peer_round(struct peer *p, int round, double *work, double *all_in)
{
	(void)p, (void)round, (void)work, (void)all_in;
}

void peer_close(struct peer *p)
{
	(void)p;
}

void peer_flood(const struct flood *flood, const struct template *t, struct flood_result *result)
{
	(void)flood, (void)t, (void)result;
}
