// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "describe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attachment.h"
#include "cleanup.h"
#include "front.h"
#include "hold_rule.h"
#include "links.h"
#include "netns.h"

void description_problem(struct description *d, const char *fmt, ...)
{
	va_list ap;

	if (d->problem[0])
		return;
	va_start(ap, fmt);
	vsnprintf(d->problem, sizeof(d->problem), fmt, ap);
	va_end(ap);
}

static int describe_turn(struct description *d, const struct store *s)
{
	_cleanup_close_ int fd = -1;
	int r;

	d->turn = 0;
	if (!d->about.is_placed)
		return 0;
	fd = store_get(s, ATTACHMENT_TURN);
	r = fd < 0 ? fd : front_turn(fd, &d->turn);
	if (r != -ENOENT && r != -EBADF)
		return r;
	if (d->about.state == ABOUT_READY)
		description_problem(d, "what tells the programs in force is missing");
	return 0;
}

static int describe_links(struct description *d, const struct store *s, int netns_fd)
{
	struct links_tally tally;
	int r = describe_turn(d, s);

	if (!r)
		r = links_count(s, &d->about, FRONT_HALF(d->turn), netns_fd, &tally);
	if (r)
		return r;
	d->links = tally.found;
	if (d->about.state != ABOUT_READY)
		description_problem(d, "attaching was cut short");
	else if (tally.missing[0])
		description_problem(d, "%s is missing", tally.missing);
	else if (tally.dead[0])
		description_problem(d, "%s was detached by force", tally.dead);
	return 0;
}

static int describe_rule(struct description *d, int netns_fd)
{
	int r = netns_fd == LINKS_NETNS_UNKNOWN ? 1 : rule_exists(netns_fd, d->about.table);

	if (d->about.state != ABOUT_READY)
		description_problem(d, "switching it on was cut short");
	else if (!r)
		description_problem(d, "its nftables table 'inet %s' was deleted", d->about.table);
	return r < 0 ? r : 0;
}

int description_netns(struct description *d)
{
	struct netns_id id = { .dev = d->about.netns_dev, .inode = d->about.netns_inode };
	struct netns_id found = { 0 };
	char path[NETNS_PATH_MAX];
	int fd;

	if (!netns_find(&id, path)) {
		d->state = UNFRAG_STATE_ORPHANED;
		return LINKS_NETNS_UNKNOWN;
	}
	netns_name(path, d->netns, sizeof(d->netns));
	if (!strcmp(path, NETNS_SELF))
		return NETNS_HERE;
	fd = netns_open_path(path);
	/* A process may be gone by now, and its number another's. */
	if (fd >= 0 && (netns_id(fd, &found) || memcmp(&found, &id, sizeof(id)))) {
		close(fd);
		return LINKS_NETNS_UNKNOWN;
	}
	return fd < 0 ? LINKS_NETNS_UNKNOWN : fd;
}

/* What is missing or foreign is a problem of the store's; anything else one of looking at it. */
static int read_about(struct description *d, const struct store *s)
{
	int r = about_read(s, ABOUT_NAME, &d->about, sizeof(d->about));

	d->known = !r;
	d->about.table[sizeof(d->about.table) - 1] = '\0';
	if (!r)
		return 0;
	memset(&d->about, 0, sizeof(d->about));
	if (r != -ENOENT && r != -EBADF)
		return r;
	description_problem(d, r == -ENOENT ? "cut short, not described" :
					      "made by an unknown version");
	return 0;
}

int describe_locked(struct description *d, const struct store *s, int netns_fd)
{
	int r;

	d->problem[0] = '\0';
	r = read_about(d, s);
	if (r || !d->known)
		return r;
	return d->about.table[0] ? describe_rule(d, netns_fd) : describe_links(d, s, netns_fd);
}

int describe(struct description *d, struct store *s, bool try_places)
{
	_cleanup_close_ int netns_fd = LINKS_NETNS_UNKNOWN;
	int r;

	memset(d, 0, sizeof(*d));
	/* Finding the namespace can take long, so not while others have to wait. */
	r = read_about(d, s);
	if (!r && d->known)
		netns_fd = description_netns(d);
	if (!r)
		r = store_look(s);
	if (r && r != -EBUSY)
		return r;
	d->at_rest = !r;
	r = describe_locked(d, s, try_places && d->at_rest ? netns_fd : LINKS_NETNS_UNKNOWN);
	if (r && d->at_rest)
		store_unlock(s);
	return r;
}

void description_finish(struct description *d, struct store *s)
{
	if (d->at_rest)
		store_unlock(s);
	if (d->problem[0])
		d->state = d->at_rest ? UNFRAG_STATE_BROKEN : UNFRAG_STATE_BUSY;
	else if (d->state == UNFRAG_STATE_ORPHANED)
		description_problem(d, "no process and no name leads to its network namespace");
}
