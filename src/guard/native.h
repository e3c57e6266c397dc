/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The guard in plain memory, for tests and measurements: the same decisions as in BPF, by the same
 * text. One at a time, one thread.
 */
#pragma once

#include <stddef.h>

#include "layout.h"

struct guard_native {
	struct guard_config config;
	struct guard_state state;
	struct guard_counters counters[GUARD_FAMILIES];
	struct guard_index *index; /* of both families, one behind the other */
	struct guard_datagram *datagrams;
	struct guard_sources *sources;
	__u64 moment; /* as guard_moment() tells it: the time of the fragment that is looked at */
};

static struct guard_native *guard_here; /* the one that decides */

#define guard_lock(p)   ((void)(p))
#define guard_unlock(p) ((void)(p))
#define guard_moment(s) ((void)(s), guard_here->moment)

static inline struct guard_index *guard_index_at(__u32 i)
{
	return i < 2 * (guard_here->config.datagram_mask + 1) ? &guard_here->index[i] : NULL;
}

static inline struct guard_datagram *guard_datagram_at(__u32 i)
{
	return guard_index_at(i / GUARD_WAYS) ? &guard_here->datagrams[i] : NULL;
}

static inline struct guard_sources *guard_sources_at(__u32 i)
{
	return i <= guard_here->config.source_mask ? &guard_here->sources[i] : NULL;
}

static inline struct guard_state *guard_state_get(void)
{
	return &guard_here->state;
}

static inline struct guard_counters *guard_counters_get(__u32 family)
{
	return &guard_here->counters[family];
}

static inline const struct guard_config *guard_config_get(void)
{
	return &guard_here->config;
}

#define guard_tell(f, facts, reason) ((void)(f), (void)(facts))
#define GUARD_STEP                   static inline
#define GUARD_PART                   static inline

#include "verdict.h"

#define guard_is_silent(s, c) ((void)(s), (void)(c), 1)
#define guard_tick(n, by)     ((n) += (by))
#define glance_u32(p, at)     header_u32(p, at)
#define glance_u16(p, at)     ((__u32)(p)[at] << 8 | (p)[(at) + 1])

#include "glance.h"
