// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "describe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
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

static void describe_links(struct description *d, const struct store *s, int netns_fd)
{
	struct links_tally tally;

	links_count(s, &d->about, netns_fd, &tally);
	d->links = tally.found;
	if (d->about.state != ABOUT_READY)
		description_problem(d, "attaching was cut short");
	else if (tally.missing[0])
		description_problem(d, "%s is missing", tally.missing);
	else if (tally.dead[0])
		description_problem(d, "%s was detached by force", tally.dead);
}

/* The namespace as netns_call() takes it, or LINKS_NETNS_UNKNOWN. */
static int describe_netns(struct description *d)
{
	struct netns_id id = { .dev = d->about.netns_dev, .inode = d->about.netns_inode };
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
	return fd < 0 ? LINKS_NETNS_UNKNOWN : fd;
}

void describe(struct description *d, const struct store *s)
{
	_cleanup_close_ int netns_fd = -1;
	int r;

	memset(d, 0, sizeof(*d));
	r = about_read(s, ABOUT_NAME, &d->about, sizeof(d->about));
	if (r) {
		memset(&d->about, 0, sizeof(d->about));
		description_problem(d, r == -ENOENT ? "cut short, not described" :
						      "made by an unknown version");
		return;
	}
	d->known = true;
	netns_fd = describe_netns(d);
	describe_links(d, s, netns_fd);
}

void description_finish(struct description *d, struct store *s)
{
	if (d->problem[0])
		d->state = store_is_locked_elsewhere(s) ? UNFRAG_STATE_BUSY : UNFRAG_STATE_BROKEN;
	else if (d->state == UNFRAG_STATE_ORPHANED)
		description_problem(d, "no process and no name leads to its network namespace");
}
