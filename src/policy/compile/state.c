// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a ruleset remembers from packet to packet, as it is at first: limits, counters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"

/* Tokens as nft_limit_init() has them; what overflows there is refused there. */
static int limit_init(struct gate_limit *out, const struct limit *l)
{
	uint64_t product;

	if (!l->rate)
		return -EINVAL;
	out->flags = (l->bytes ? GATE_LIMIT_BYTES : 0) | (l->over ? GATE_LIMIT_OVER : 0);
	out->rate = l->rate;
	out->second = l->second;
	if (l->bytes) {
		if (__builtin_add_overflow(l->rate, l->burst, &product) ||
		    __builtin_mul_overflow(l->second, product, &product))
			return -EINVAL;
		out->max = product / l->rate;
	} else {
		out->cost = l->second / l->rate;
		if (__builtin_mul_overflow(out->cost, l->burst, &out->max))
			return -EINVAL;
	}
	out->tokens = out->max;
	return 0;
}

static int make_limits(struct draft *d)
{
	struct image *image = d->image;
	size_t i;

	for (i = 0; i < image->n_limits; i++)
		if (limit_init(&image->limits[i], &d->rs->limits[i]))
			return complain(d->complaint, -EINVAL,
					"a limit of %llu in %llu ns with a burst of %llu is out of "
					"bounds",
					(unsigned long long)d->rs->limits[i].rate,
					(unsigned long long)d->rs->limits[i].second,
					(unsigned long long)d->rs->limits[i].burst);
	return 0;
}

int draft_state(struct draft *d)
{
	const struct ruleset *rs = d->rs;
	struct image *image = d->image;
	size_t i;

	image->limits = calloc(rs->n_limits + 1, sizeof(*image->limits));
	image->counters = calloc(rs->n_counters + 1, sizeof(*image->counters));
	image->logs = calloc(rs->n_logs + 1, sizeof(*image->logs));
	if (!image->limits || !image->counters || !image->logs)
		return draft_no_memory(d);
	image->n_limits = rs->n_limits;
	image->n_counters = rs->n_counters;
	image->n_logs = rs->n_logs;
	for (i = 0; i < rs->n_counters; i++) {
		image->counters[i].packets = rs->counters[i].packets;
		image->counters[i].bytes = rs->counters[i].bytes;
	}
	if (rs->n_logs)
		memcpy(image->logs, rs->logs, rs->n_logs * sizeof(*image->logs));
	return make_limits(d);
}
