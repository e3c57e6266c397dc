// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The guard after it was made: found again from its pins alone, described, and taken away.
 */
#define _GNU_SOURCE
#include "guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "describe.h"
#include "guard_device.h"
#include "guard_sysctl.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "netns.h"
#include "opts.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static const char *const places[] = {
	[UNFRAG_GUARD_NETFILTER] = "netfilter",
	[UNFRAG_GUARD_TC] = "tc",
	[UNFRAG_GUARD_XDP] = "xdp",
};
_Static_assert(sizeof(places) / sizeof(*places) == UNFRAG_GUARD_PLACE_MAX, "a place has no name");

static const char *const modes[] = {
	[UNFRAG_GUARD_AUTO] = "auto",       [UNFRAG_GUARD_NATIVE] = "native",
	[UNFRAG_GUARD_GENERIC] = "generic", [UNFRAG_GUARD_TCX] = "tcx",
	[UNFRAG_GUARD_CLSACT] = "clsact",
};
_Static_assert(sizeof(modes) / sizeof(*modes) == UNFRAG_GUARD_MODE_MAX, "a mode has no name");

const char *unfrag_guard_place_name(enum unfrag_guard_place place)
{
	return (unsigned int)place < UNFRAG_GUARD_PLACE_MAX ? places[place] : NULL;
}

const char *unfrag_guard_mode_name(enum unfrag_guard_mode mode)
{
	return (unsigned int)mode < UNFRAG_GUARD_MODE_MAX ? modes[mode] : NULL;
}

static int read_cookie(void *arg)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(uint64_t);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, arg, &len))
		return -errno;
	return 0;
}

int guard_netns_cookie(int netns_fd, uint64_t *cookie)
{
	uint64_t found = 0;
	int r = netns_call(netns_fd, read_cookie, &found);

	if (!r)
		*cookie = found;
	return r;
}

static int open_netns(const struct netns_id *id)
{
	char path[NETNS_PATH_MAX];
	struct netns_id found = { 0 };
	int fd;

	if (!netns_find(id, path))
		return LINKS_NETNS_UNKNOWN;
	if (!strcmp(path, NETNS_SELF))
		return NETNS_HERE;
	fd = netns_open_path(path);
	if (fd >= 0 && !netns_id(fd, &found) && !memcmp(&found, id, sizeof(found)))
		return fd;
	close_p(&fd);
	return LINKS_NETNS_UNKNOWN;
}

int guard_netns(const struct about *about, const struct guard_place *place, int *netns_fd)
{
	struct netns_id id = { .dev = about->netns_dev, .inode = about->netns_inode };
	_cleanup_close_ int fd = open_netns(&id);
	uint64_t cookie = 0;
	int r = fd == LINKS_NETNS_UNKNOWN ? 0 : guard_netns_cookie(fd, &cookie);

	if (r)
		return log_error(r, "the guard's network namespace can't be entered: %s",
				 strerror(-r));
	*netns_fd = LINKS_NETNS_UNKNOWN;
	if (fd != LINKS_NETNS_UNKNOWN && cookie == place->netns_cookie)
		*netns_fd = TAKE_FD(fd);
	return 0;
}

struct call {
	int (*fn)(void *arg);
	void *arg;
	bool entered;
};

static int call(void *arg)
{
	struct call *c = arg;

	c->entered = true;
	return c->fn(c->arg);
}

int guard_call(int netns_fd, int (*fn)(void *arg), void *arg)
{
	struct call c = { .fn = fn, .arg = arg };
	int r = netns_call(netns_fd, call, &c);

	if (r && !c.entered)
		return log_error(r, "the network namespace can't be entered: %s", strerror(-r));
	return r;
}

struct unfrag_guard *guard_of(struct store *s)
{
	struct unfrag_guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return NULL;
	guard->store = *s;
	*s = (struct store)STORE_INIT;
	return guard;
}

int unfrag_guard_open_id(struct unfrag_guard **out, const char *id)
{
	_cleanup_store_ struct store s = STORE_INIT;
	struct unfrag_guard *guard;
	int r;

	if (!id || !name_valid(id))
		return log_error(-EINVAL, "'%s' is no id of a guard", id ? id : "");
	r = store_open(&s, STORE_GUARDS, id);
	if (r == -ENOENT)
		return log_error(r, "there is no guard '%s'", id);
	if (r)
		return log_error(r, "guard '%s' can't be opened: %s%s", id, strerror(-r),
				 r == -EACCES ? " (run as root)" : "");
	guard = guard_of(&s);
	if (!guard)
		return -ENOMEM;
	*out = guard;
	return 0;
}

int unfrag_guard_open(struct unfrag_guard **out, const char *netns)
{
	_cleanup_store_ struct store s = STORE_INIT;
	struct unfrag_guard *guard;
	uint64_t inode;
	char id[32];
	int r = unfrag_netns_inode(netns, &inode);

	if (r)
		return r;
	snprintf(id, sizeof(id), "%llu", (unsigned long long)inode);
	r = store_open(&s, STORE_GUARDS, id);
	if (r == -ENOENT)
		return log_error(r,
				 "there is no guard in %s%s ('unfrag guard status --all' shows "
				 "those in others)",
				 netns ? "network namespace " : "this network namespace",
				 netns ? netns : "");
	if (r)
		return log_error(r, "the guard can't be opened: %s%s", strerror(-r),
				 r == -EACCES ? " (run as root)" : "");
	guard = guard_of(&s);
	if (!guard)
		return -ENOMEM;
	*out = guard;
	return 0;
}

void unfrag_guard_free(struct unfrag_guard *guard)
{
	if (!guard)
		return;
	ring_buffer__free(guard->watcher.ring);
	store_release(&guard->store);
	free(guard);
}

int unfrag_guard_each(int (*fn)(const char *id, void *arg), void *arg)
{
	int r = store_each(STORE_GUARDS, fn, arg);

	if (r == -EACCES || r == -EPERM)
		return log_error(r, "guards can't be listed: %s (run as root)", strerror(-r));
	return r;
}

int guard_lock_store(struct unfrag_guard *guard)
{
	int r = store_lock(&guard->store);

	if (r == -EBUSY)
		return log_error(r, "another process is changing this guard; try again");
	if (r)
		return log_error(r, "the guard is gone");
	return 0;
}

/* What is missing or foreign is as if it was never there; other errors are of looking. */
static int read_if_there(const struct store *s, const char *name, void *value, uint32_t size)
{
	int r = about_read(s, name, value, size);

	if (r)
		memset(value, 0, size);
	return r == -ENOENT || r == -EBADF ? 0 : r;
}

static bool is_noted(const struct sysctl_book *book)
{
	int i;

	for (i = 0; i < SYSCTL_MAX; i++)
		if (book->row[i].used)
			return true;
	return false;
}

/* In the namespace: filters that have no pin, and sysctls. */
static int clean_netns(const struct about *about, const struct guard_place *place,
		       const struct sysctl_book *book)
{
	_cleanup_close_ int netns_fd = LINKS_NETNS_UNKNOWN;
	int r = guard_netns(about, place, &netns_fd);

	if (r)
		return r;
	if (netns_fd == LINKS_NETNS_UNKNOWN) {
		if (is_noted(book))
			log_at(UNFRAG_LOG_WARNING,
			       "nothing leads to the guard's network namespace "
			       "any more; its sysctls stay as they are");
		return 0;
	}
	r = device_leave_all(netns_fd, place);
	return r ? r : sysctl_restore(netns_fd, book, false);
}

int guard_take_away(struct store *s)
{
	struct about about;
	struct guard_place place;
	struct sysctl_book book;
	int r = read_if_there(s, ABOUT_NAME, &about, sizeof(about));

	if (!r)
		r = read_if_there(s, GUARD_PLACE, &place, sizeof(place));
	if (!r)
		r = read_if_there(s, GUARD_SYSCTLS, &book, sizeof(book));
	if (!r)
		r = store_detach_links(s);
	if (r)
		return log_error(r, "the guard can't be taken away: %s", strerror(-r));
	r = clean_netns(&about, &place, &book);
	/* Once they are back nobody must put them back again, whatever else stays. */
	if (!r)
		r = store_remove(s, GUARD_SYSCTLS);
	return r ? r : store_destroy(s);
}

int unfrag_guard_off(struct unfrag_guard *guard)
{
	int r = guard_lock_store(guard);

	if (r)
		return r;
	r = guard_take_away(&guard->store);
	store_unlock(&guard->store);
	return r;
}

int guard_open_map(const struct unfrag_guard *guard, enum guard_map map, uint32_t value_size)
{
	_cleanup_close_ int fd = store_get(&guard->store, guard_map_name(map));
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int r = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &len);

	if (r == -ENOENT || r == -EBADF || (!r && info.value_size != value_size))
		return log_error(-EBADF,
				 "the guard is broken or gone; 'unfrag guard off' cleans it");
	return r ? log_error(r, "the guard's %s can't be read: %s", guard_map_name(map),
			     strerror(-r)) :
		   TAKE_FD(fd);
}

uint64_t guard_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts); /* bpf_ktime_get_ns() */
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int guard_read_config(const struct unfrag_guard *guard, struct guard_config *config)
{
	_cleanup_close_ int fd = guard_open_map(guard, GUARD_MAP_CONFIG, sizeof(*config));
	const uint32_t key = 0;
	int r = fd < 0 ? fd : bpf_map_lookup_elem(fd, &key, config);

	if (fd >= 0 && r)
		return log_error(r, "the guard's limits can't be read: %s", strerror(-r));
	return r;
}

int guard_read_about(const struct unfrag_guard *guard, struct about *about,
		     struct guard_place *place)
{
	int r = about_read(&guard->store, ABOUT_NAME, about, sizeof(*about));

	if (!r)
		r = about_read(&guard->store, GUARD_PLACE, place, sizeof(*place));
	if (r == -ENOENT || r == -EBADF)
		return log_error(-EBADF,
				 "the guard is broken or gone; 'unfrag guard off' cleans it");
	return r ? log_error(r, "the guard can't be read: %s", strerror(-r)) : 0;
}

/* A namespace without pins to hold it may be gone, and its number another's. */
static int describe_place(const struct unfrag_guard *guard, struct description *d,
			  struct guard_place *place)
{
	_cleanup_close_ int netns_fd = LINKS_NETNS_UNKNOWN;
	char problem[sizeof(d->problem)] = "";
	uint32_t i;
	int r = about_read(&guard->store, GUARD_PLACE, place, sizeof(*place));

	if (r == -ENOENT || r == -EBADF) {
		description_problem(d, "its place is not described");
		memset(place, 0, sizeof(*place));
		return 0;
	}
	if (r)
		return r;
	r = guard_netns(&d->about, place, &netns_fd);
	if (r)
		return r;
	if (netns_fd == LINKS_NETNS_UNKNOWN) {
		d->state = UNFRAG_STATE_ORPHANED;
		d->netns[0] = '\0';
		return 0;
	}
	for (i = 0; i < place->devices && i < UNFRAG_GUARD_DEVICES_MAX && !r && !problem[0]; i++)
		r = device_check(netns_fd, &guard->store, &place->device[i], problem,
				 sizeof(problem));
	if (problem[0])
		description_problem(d, "%s", problem);
	return r;
}

static void describe_maps(const struct unfrag_guard *guard, struct description *d)
{
	int i, fd;

	for (i = 0; i < GUARD_MAP_MAX; i++) {
		fd = store_get(&guard->store, guard_map_name((enum guard_map)i));
		if (fd < 0)
			description_problem(d, "%s is missing", guard_map_name((enum guard_map)i));
		close_p(&fd);
	}
}

static void fill_info(struct unfrag_guard_info *i, const struct description *d,
		      const struct guard_place *place)
{
	uint32_t n;

	i->state = d->state;
	memcpy(i->problem, d->problem, sizeof(i->problem));
	i->place = (enum unfrag_guard_place)place->place;
	i->families = d->about.families;
	i->priority = d->about.priority;
	i->flags = place->flags;
	memcpy(i->netns, d->netns, sizeof(i->netns));
	i->since = d->about.since;
	for (n = 0; n < place->devices && n < UNFRAG_GUARD_DEVICES_MAX; n++) {
		memcpy(i->device[n].name, place->device[n].name, sizeof(i->device[n].name) - 1);
		i->device[n].mode = (enum unfrag_guard_mode)place->device[n].mode;
	}
	i->device_count = n;
}

int unfrag_guard_info(struct unfrag_guard *guard, struct unfrag_guard_info *info)
{
	struct unfrag_guard_info i = { .sz = sizeof(i) };
	struct guard_place place = { 0 };
	struct description d;
	int r = describe(&d, &guard->store, true);

	if (r)
		return log_error(r, "the guard can't be looked at: %s",
				 r == -ENOENT ? "it is gone" : strerror(-r));
	if (d.known)
		r = describe_place(guard, &d, &place);
	if (d.known && !r)
		describe_maps(guard, &d);
	description_finish(&d, &guard->store);
	if (r)
		return log_error(r, "the guard's place can't be looked at: %s", strerror(-r));
	fill_info(&i, &d, &place);
	/* The id is the inode's number, and there even where nothing is described. */
	i.netns_inode = strtoull(strrchr(guard->store.path, '/') + 1, NULL, 10);
	return opts_put(info, &i, sizeof(i));
}
