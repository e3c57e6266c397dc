// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "guard_sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "about.h"
#include "cleanup.h"
#include "guard.h"
#include "log.h"
#include "netns.h"

#define MIB (INT64_C(1) << 20)

static const char *const names[] = {
	[SYSCTL_IPV4_LOW] = "net.ipv4.ipfrag_low_thresh",
	[SYSCTL_IPV4_HIGH] = "net.ipv4.ipfrag_high_thresh",
	[SYSCTL_IPV4_TIME] = "net.ipv4.ipfrag_time",
	[SYSCTL_IPV4_DIST] = "net.ipv4.ipfrag_max_dist",
	[SYSCTL_FRAG6_LOW] = "net.netfilter.nf_conntrack_frag6_low_thresh",
	[SYSCTL_FRAG6_HIGH] = "net.netfilter.nf_conntrack_frag6_high_thresh",
	[SYSCTL_FRAG6_TIME] = "net.netfilter.nf_conntrack_frag6_timeout",
};
_Static_assert(sizeof(names) / sizeof(*names) == SYSCTL_MAX, "a sysctl has no name");
_Static_assert(SYSCTL_MAX <= SYSCTL_ROOM, "room on bpffs");

const char *sysctl_name(enum sysctl_id id)
{
	return names[id];
}

enum sysctl_id sysctl_high(unsigned int family)
{
	return family ? SYSCTL_FRAG6_HIGH : SYSCTL_IPV4_HIGH;
}

enum sysctl_id sysctl_time(unsigned int family)
{
	return family ? SYSCTL_FRAG6_TIME : SYSCTL_IPV4_TIME;
}

/* Dots are slashes there; none of these names has a device in it. */
static int open_sysctl(enum sysctl_id id, int flags)
{
	char path[128], *dot;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", names[id]);
	for (dot = strchr(path, '.'); dot; dot = strchr(dot, '.'))
		*dot = '/';
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int get(enum sysctl_id id, int64_t *value)
{
	_cleanup_close_ int fd = open_sysctl(id, O_RDONLY);
	char text[32] = "", *end;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return n ? -errno : -EIO;
	*value = strtoll(text, &end, 10);
	return end == text ? -EIO : 0;
}

static int put(enum sysctl_id id, int64_t value)
{
	_cleanup_close_ int fd = open_sysctl(id, O_WRONLY);
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);

	if (fd < 0)
		return fd;
	return pwrite(fd, text, (size_t)n, 0) == n ? 0 : -errno;
}

/* On a thread inside the namespace: /proc/sys/net is that of who opens it. */
static int read_all(void *arg)
{
	struct sysctl_values *v = arg;
	int i;

	for (i = 0; i < SYSCTL_MAX; i++)
		if (get((enum sysctl_id)i, &v->at[i]))
			v->at[i] = -1;
	return 0;
}

int sysctl_read(int netns_fd, struct sysctl_values *out)
{
	return netns_call(netns_fd, read_all, out);
}

static void plan_family(struct sysctl_values *plan, const struct sysctl_values *now,
			enum sysctl_id low, const struct unfrag_guard_limits *limits,
			unsigned int family)
{
	enum sysctl_id high = sysctl_high(family), timeout = sysctl_time(family);
	int64_t memory = (int64_t)limits->memory[family];

	/* The account is of what the kernel will hold; the rest is for what it can't see. */
	plan->at[high] = memory / 8 * 9 + MIB;
	plan->at[timeout] = (int64_t)limits->timeout[family] / 1000;
	if (now->at[low] > plan->at[high])
		plan->at[low] = plan->at[high] / 4 * 3;
}

void sysctl_plan(struct sysctl_values *plan, const struct sysctl_values *now, uint32_t families,
		 const struct unfrag_guard_limits *limits)
{
	int i;

	for (i = 0; i < SYSCTL_MAX; i++)
		plan->at[i] = -1;
	if (families & UNFRAG_FAMILIES_IPV4) {
		plan_family(plan, now, SYSCTL_IPV4_LOW, limits, 0);
		plan->at[SYSCTL_IPV4_DIST] = 0;
	}
	if (families & UNFRAG_FAMILIES_IPV6)
		plan_family(plan, now, SYSCTL_FRAG6_LOW, limits, 1);
	for (i = 0; i < SYSCTL_MAX; i++)
		if (plan->at[i] == now->at[i])
			plan->at[i] = -1;
}

struct setting {
	int fd;
	struct sysctl_book *book;
	const struct sysctl_values *plan;
};

/* What to set is known before anything is set: then it can be put back. */
static int note(struct setting *s)
{
	struct sysctl_memory *m;
	int i, r;

	for (i = 0; i < SYSCTL_MAX; i++) {
		m = &s->book->row[i];
		if (s->plan->at[i] < 0)
			continue;
		if (!m->used) {
			r = get((enum sysctl_id)i, &m->old);
			if (r)
				return log_error(r, "%s can't be read: %s", names[i], strerror(-r));
			m->set = m->old;
		}
		m->used = 1;
		m->next = s->plan->at[i];
	}
	r = about_write(s->fd, s->book);
	if (r)
		return log_error(r, "sysctls can't be noted: %s", strerror(-r));
	return 0;
}

/* Backwards; those that were not reached have that value still. */
static void unset(struct setting *s)
{
	int i;

	for (i = SYSCTL_MAX - 1; i >= 0; i--) {
		if (s->plan->at[i] < 0 || !s->book->row[i].used)
			continue;
		put((enum sysctl_id)i, s->book->row[i].set);
		s->book->row[i].next = s->book->row[i].set;
	}
	about_write(s->fd, s->book);
}

static int put_planned(const struct setting *s)
{
	int i, r = 0;

	for (i = 0; i < SYSCTL_MAX && !r; i++) {
		if (s->plan->at[i] < 0)
			continue;
		r = put((enum sysctl_id)i, s->plan->at[i]);
		if (r)
			log_at(UNFRAG_LOG_ERROR,
			       "%s can't be set to %" PRId64
			       ": %s (--no-tune leaves sysctls as they "
			       "are)",
			       names[i], s->plan->at[i], strerror(-r));
	}
	return r;
}

static int set_all(void *arg)
{
	struct setting *s = arg;
	struct sysctl_book done;
	int i, r = note(s);

	if (!r)
		r = put_planned(s);
	done = *s->book;
	for (i = 0; i < SYSCTL_MAX; i++)
		done.row[i].set = done.row[i].next;
	if (!r) {
		r = about_write(s->fd, &done);
		if (r)
			log_at(UNFRAG_LOG_ERROR, "sysctls can't be noted: %s", strerror(-r));
	}
	if (r) {
		unset(s);
		return r;
	}
	for (i = 0; i < SYSCTL_MAX; i++)
		if (s->plan->at[i] >= 0)
			log_at(UNFRAG_LOG_WARNING, "%s: %" PRId64 " -> %" PRId64, names[i],
			       (int64_t)s->book->row[i].set, s->plan->at[i]);
	*s->book = done;
	return 0;
}

int sysctl_set(int netns_fd, int fd, struct sysctl_book *book, const struct sysctl_values *plan)
{
	struct setting s = { .fd = fd, .book = book, .plan = plan };

	return guard_call(netns_fd, set_all, &s);
}

struct restoring {
	const struct sysctl_book *book;
	bool quiet;
	int failed;
};

static void restore_one(struct restoring *r, enum sysctl_id id)
{
	const struct sysctl_memory *m = &r->book->row[id];
	int64_t now = -1;
	int err = get(id, &now);

	if (err || now == m->old)
		return;
	if (now != m->set && now != m->next) {
		if (!r->quiet)
			log_at(UNFRAG_LOG_WARNING,
			       "%s was changed to %" PRId64
			       " meanwhile, and is left so (before the "
			       "guard: %" PRId64 ")",
			       names[id], now, (int64_t)m->old);
		return;
	}
	err = put(id, m->old);
	if (err)
		r->failed = log_error(err, "%s can't be set back to %" PRId64 ": %s", names[id],
				      (int64_t)m->old, strerror(-err));
	else if (!r->quiet)
		log_at(UNFRAG_LOG_WARNING, "%s: %" PRId64 " -> %" PRId64, names[id], now,
		       (int64_t)m->old);
}

/* Backwards: thresholds before their lower companions, that those may be raised again. */
static int restore_all(void *arg)
{
	struct restoring *r = arg;
	int i;

	for (i = SYSCTL_MAX - 1; i >= 0; i--)
		if (r->book->row[i].used)
			restore_one(r, (enum sysctl_id)i);
	return r->failed;
}

int sysctl_restore(int netns_fd, const struct sysctl_book *book, bool quiet)
{
	struct restoring r = { .book = book, .quiet = quiet };

	return guard_call(netns_fd, restore_all, &r);
}
