// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Refusals as they happen, through the guard's ring buffer.
 *
 * What was refused and not told is known from the counters: those of the call before, as all that
 * was told until then has come by now.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "guard.h"
#include "log.h"
#include "names.h"

static int hear(void *arg, void *data, size_t size)
{
	struct guard_watcher *w = arg;
	const struct guard_event *e = data;
	struct unfrag_guard_refusal r;
	bool ipv6;

	if (size < sizeof(*e))
		return 0;
	w->told++;
	if (!w->fn)
		return 0;
	ipv6 = e->family == family_pf(1);
	r = (struct unfrag_guard_refusal){
		.time = e->time,
		.family = ipv6 ? UNFRAG_FAMILIES_IPV6 : UNFRAG_FAMILIES_IPV4,
		.reason = (enum unfrag_reason)e->reason,
		.identification = e->id,
		.offset = e->off,
		.length = e->len,
		.protocol = e->proto,
		.more = e->more,
	};
	if (ipv6) {
		memcpy(r.source, &e->address[0], 16);
		memcpy(r.destination, &e->address[2], 16);
	} else {
		uint32_t source = (uint32_t)(e->address[0] >> 32);
		uint32_t destination = (uint32_t)e->address[0];

		memcpy(r.source, &source, 4);
		memcpy(r.destination, &destination, 4);
	}
	w->fn(&r, w->arg);
	return 0;
}

static int count_refused(struct unfrag_guard *guard, uint64_t *sum)
{
	uint32_t family;
	int r = 0;

	*sum = 0;
	for (family = 0; family < 2 && !r; family++)
		r = guard_count_refused(guard, family, sum);
	return r;
}

/* What is told already is passed over, so that nothing counts as missed that came before. */
static int begin(struct unfrag_guard *guard)
{
	struct guard_watcher *w = &guard->watcher;
	_cleanup_close_ int fd = store_get(&guard->store, guard_map_name(GUARD_MAP_EVENTS));
	int r;

	if (fd < 0)
		return log_error(fd == -ENOENT ? -EBADF : fd,
				 "the guard's events can't be opened: %s", strerror(-fd));
	w->ring = ring_buffer__new(fd, hear, w, NULL);
	if (!w->ring)
		return log_error(-errno, "the guard's events can't be read: %s", strerror(errno));
	w->fn = NULL;
	r = ring_buffer__consume(w->ring);
	if (r >= 0)
		r = count_refused(guard, &w->since);
	w->counted = w->since;
	w->told = 0;
	if (r) {
		ring_buffer__free(w->ring);
		w->ring = NULL;
	}
	return r;
}

int unfrag_guard_watch(struct unfrag_guard *guard,
		       void (*fn)(const struct unfrag_guard_refusal *refusal, void *arg), void *arg,
		       int timeout, uint64_t *missed)
{
	struct guard_watcher *w = &guard->watcher;
	uint64_t counted;
	int n, r = w->ring ? 0 : begin(guard);

	if (r)
		return r;
	w->fn = fn;
	w->arg = arg;
	n = ring_buffer__poll(w->ring, timeout);
	if (n < 0)
		return n;
	if (missed)
		*missed = w->counted - w->since > w->told ? w->counted - w->since - w->told : 0;
	r = count_refused(guard, &counted);
	if (!r)
		w->counted = counted;
	return r ? r : n;
}
