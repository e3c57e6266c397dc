// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Maps of the program in force, and the right to keep them so: for those who keep there what is to
 * outlive them, and change it in more than one step.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "cleanup.h"
#include "log.h"

#define ENTRY_MAX 256
#define TRIES     3

int unfrag_attachment_lock(struct unfrag_attachment *att)
{
	int r = store_hold(&att->store);

	if (r == -EDEADLK)
		return log_error(r, "the attachment is locked by this handle already");
	if (r == -EBUSY)
		return log_error(r, "another process is changing this attachment; try again");
	return r ? log_error(r, "the attachment is gone") : 0;
}

void unfrag_attachment_unlock(struct unfrag_attachment *att)
{
	store_let_go(&att->store);
}

static int open_map(const struct store *s, const char *name)
{
	_cleanup_close_ int slot_fd = -1;
	char entry[ENTRY_MAX];
	uint32_t id;

	slot_fd = attachment_open_slot(s, &id);
	if (slot_fd < 0)
		return slot_fd == -ENOENT ? -EBADF : slot_fd;
	if (snprintf(entry, sizeof(entry), "maps-%u/%s", id, name) >= (int)sizeof(entry))
		return -ENOENT;
	return store_get(s, entry);
}

int unfrag_attachment_map(struct unfrag_attachment *att, const char *name)
{
	int i, fd = -EINVAL;

	if (!name || !*name || strpbrk(name, "./"))
		return log_error(fd, "'%s' is no name of a pinned map", name ? name : "");
	/* Where another process replaces the program, its maps may go in between. */
	for (i = 0; i < TRIES; i++) {
		fd = open_map(&att->store, name);
		if (fd != -ENOENT)
			break;
	}
	if (fd == -EBADF)
		return log_error(fd, "the attachment is broken; detach it");
	return fd;
}
