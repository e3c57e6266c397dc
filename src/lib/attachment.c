// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * An attachment after it was made: found again from its pins alone, by any process.
 */
#include "attachment.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/layout.h"
#include "about.h"
#include "cleanup.h"
#include "describe.h"
#include "front.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "opts.h"
#include "places.h"
#include "program.h"

struct unfrag_attachment *attachment_of(struct store *s)
{
	struct unfrag_attachment *att = calloc(1, sizeof(*att));

	if (!att)
		return NULL;
	att->store = *s;
	*s = (struct store)STORE_INIT;
	return att;
}

int unfrag_attachment_open(struct unfrag_attachment **out, const char *name)
{
	_cleanup_store_ struct store s = STORE_INIT;
	struct unfrag_attachment *att;
	int r;

	if (!name || !name_valid(name))
		return log_error(-EINVAL, "name '%s' is not valid", name ? name : "");
	r = store_open(&s, STORE_ATTACHMENTS, name);
	if (r == -ENOENT)
		return log_error(r, "there is no attachment '%s' ('unfrag list' shows them)", name);
	if (r)
		return log_error(r, "attachment '%s' can't be opened: %s%s", name, strerror(-r),
				 r == -EACCES ? " (run as root)" : "");
	att = attachment_of(&s);
	if (!att)
		return -ENOMEM;
	*out = att;
	return 0;
}

void unfrag_attachment_free(struct unfrag_attachment *att)
{
	if (!att)
		return;
	store_release(&att->store);
	free(att);
}

int attachment_lock(struct unfrag_attachment *att)
{
	int r = store_lock(&att->store);

	if (r == -EBUSY)
		return log_error(r, "another process is changing this attachment; try again");
	if (r)
		return log_error(r, "the attachment is gone");
	return 0;
}

int unfrag_attachment_detach(struct unfrag_attachment *att)
{
	int r = attachment_lock(att);

	if (r)
		return r;
	r = store_destroy(&att->store);
	store_unlock(&att->store);
	return r;
}

/* Entry of the slot whose program stands for all that are in force. */
static int first_key(const struct store *s, uint32_t *key)
{
	_cleanup_close_ int fd = -1;
	struct about about;
	uint64_t turn;
	int r = about_read(s, ABOUT_NAME, &about, sizeof(about));

	*key = 0;
	/* Without a description there are no places to be told from. */
	if (r || !about.is_placed)
		return r == -ENOENT || r == -EBADF ? 0 : r;
	fd = store_get(s, ATTACHMENT_TURN);
	r = fd < 0 ? fd : front_turn(fd, &turn);
	if (r)
		return r;
	r = places_first(&about, FRONT_HALF(turn));
	if (r < 0)
		return -ENOENT;
	*key = FRONT_HALF(turn) * FRONT_SEATS + (uint32_t)r;
	return 0;
}

int attachment_open_slot(const struct store *s, uint32_t *id)
{
	_cleanup_close_ int fd = store_get(s, ATTACHMENT_SLOT);
	uint32_t key;
	int r = fd < 0 ? fd : first_key(s, &key);

	if (!r)
		r = front_get(fd, key, id);
	return r ? r : TAKE_FD(fd);
}

int unfrag_attachment_reuse_maps(struct unfrag_attachment *att, struct bpf_object *obj)
{
	_cleanup_close_ int slot_fd = -1;
	uint32_t id = 0;

	slot_fd = attachment_open_slot(&att->store, &id);
	if (slot_fd < 0)
		return log_error(-EBADF, "the attachment is broken; detach it");
	return program_reuse_maps(&att->store, id, obj);
}

/* What the slot holds, and what is pinned of it. Errors are of looking, not of the attachment. */
static int describe_program(const struct store *s, struct unfrag_attachment_info *info,
			    struct description *d)
{
	struct program_about about;
	_cleanup_close_ int slot_fd = attachment_open_slot(s, &info->program_id);
	int r;

	if (slot_fd == -ENOENT || slot_fd == -EBADF)
		description_problem(d, "the program slot is missing");
	else if (slot_fd >= 0 && !info->program_id)
		description_problem(d, "there is no program in the slot");
	if (slot_fd < 0 || !info->program_id)
		return slot_fd == -ENOENT || slot_fd == -EBADF || slot_fd >= 0 ? 0 : slot_fd;
	r = program_read(s, info->program_id, &about);
	if (r == -ENOENT || r == -EBADF)
		description_problem(d, "the program in the slot is not described");
	if (r)
		return r == -ENOENT || r == -EBADF ? 0 : r;
	memcpy(info->program, about.name, sizeof(info->program));
	memcpy(info->source, about.source, sizeof(info->source));
	info->program_since = about.since;
	return 0;
}

static void fill_info(struct unfrag_attachment_info *i, const struct description *d)
{
	i->state = d->state;
	memcpy(i->problem, d->problem, sizeof(i->problem));
	i->families = d->about.families;
	i->hooks = d->about.hooks;
	i->priority = d->about.priority;
	i->flags = d->about.flags;
	i->links = d->links;
	i->netns_inode = d->about.netns_inode;
	memcpy(i->netns, d->netns, sizeof(i->netns));
	i->since = d->about.since;
	i->n_places = places_list(&d->about, FRONT_HALF(d->turn), i->places);
	i->is_placed = d->about.is_placed;
}

static int look(struct unfrag_attachment *att, struct unfrag_attachment_info *info, bool try_places)
{
	struct unfrag_attachment_info i = { .sz = sizeof(i) };
	struct description d;
	int r = describe(&d, &att->store, try_places);

	if (r)
		return log_error(r, "the attachment can't be looked at: %s",
				 r == -ENOENT ? "it is gone" : strerror(-r));
	if (d.known)
		r = describe_program(&att->store, &i, &d);
	description_finish(&d, &att->store);
	if (r)
		return log_error(r, "the program slot can't be looked at: %s", strerror(-r));
	fill_info(&i, &d);
	if (i.state == UNFRAG_STATE_READY && !program_is_pointed(&att->store, i.program_id))
		snprintf(i.problem, sizeof(i.problem),
			 "a replace was cut short: 'maps' leads to another program's");
	return opts_put(info, &i, sizeof(i));
}

int unfrag_attachment_info(struct unfrag_attachment *att, struct unfrag_attachment_info *info)
{
	return look(att, info, false);
}

int unfrag_attachment_check(struct unfrag_attachment *att, struct unfrag_attachment_info *info)
{
	return look(att, info, true);
}

int unfrag_attachment_counters(struct unfrag_attachment *att, uint32_t family,
			       enum unfrag_hook hook, struct unfrag_counters *counters)
{
	struct unfrag_counters sum = { .sz = sizeof(sum) };
	_cleanup_close_ int fd = -1;
	int f = family_index(family), r;

	if (f < 0 || (unsigned int)hook >= UNFRAG_HOOK_MAX)
		return -EINVAL;
	fd = store_get(&att->store, ATTACHMENT_COUNTERS);
	r = fd == -ENOENT ? -EBADF : fd;
	if (fd >= 0)
		r = front_count(fd, (uint32_t)f * FRONT_HOOKS + hook, &sum);
	if (r < 0)
		return log_error(r, "the counters can't be read: %s",
				 r == -EBADF ? "the attachment is broken, detach it" :
					       strerror(-r));
	return opts_put(counters, &sum, sizeof(sum));
}

int unfrag_attachment_each(int (*fn)(const char *name, void *arg), void *arg)
{
	int r = store_each(STORE_ATTACHMENTS, fn, arg);

	if (r == -EACCES || r == -EPERM)
		return log_error(r, "attachments can't be listed: %s (run as root)", strerror(-r));
	return r;
}
