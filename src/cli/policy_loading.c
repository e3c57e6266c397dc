// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "policy_loading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "output.h"
#include "policy_source.h"
#include "progress.h"

/* A name under /run/netns, a path, or a process id. */
static int open_netns(const char *netns)
{
	char path[INSTANCE_PATH_MAX];
	int fd;

	if (strchr(netns, '/'))
		return open(netns, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 || strspn(netns, "0123456789") != strlen(netns))
		return fd;
	snprintf(path, sizeof(path), "/proc/%s/ns/net", netns);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int policy_loading_init(struct policy_loading *l, const char *name, const char *netns,
			uint64_t memory)
{
	memset(l, 0, sizeof(*l));
	l->netns = -1;
	l->about.memory = memory;
	snprintf(l->about.name, sizeof(l->about.name), "%s", name);
	if (!netns)
		return CLI_DONE;
	l->netns = open_netns(netns);
	if (l->netns >= 0)
		return CLI_DONE;
	cli_error("network namespace '%s' can't be opened: %s", netns, strerror(errno));
	return CLI_FAILED;
}

static int is_name(const char *name, void *arg)
{
	const char *const *wanted = arg;

	return !strcmp(name, *wanted);
}

bool policy_loading_is_there(const char *name)
{
	return unfrag_attachment_each(is_name, &name) > 0;
}

int policy_loading_check_name(const char *name)
{
	int r = unfrag_attachment_each(is_name, &name);

	if (r <= 0)
		return cli_exit_of(r);
	cli_error(
		"there is an attachment '%s' already; 'unfrag policy reload %s' puts another "
		"ruleset in its place",
		name, name);
	return CLI_FAILED;
}

bool policy_loading_is_ruleset(const struct unfrag_attachment_info *info, const char *name)
{
	if (!strncmp(info->program, "gate", 4))
		return true;
	cli_error("'%s' is a program, no ruleset; 'unfrag detach %s' takes it away", name, name);
	return false;
}

void policy_loading_release(struct policy_loading *l)
{
	instance_free(l->instance);
	image_free(l->image);
	ruleset_release(&l->rs);
	policy_listing_release(&l->listing);
	if (l->netns >= 0)
		close(l->netns);
}

/* A rank's program stands at all places where the ruleset has so many priorities. */
static void add_place(struct policy_loading *l, uint32_t family, uint32_t hook, uint32_t rank)
{
	int32_t priority = l->image->priority[family][hook][rank];
	struct unfrag_place *p;

	for (p = l->places; p < l->places + l->n_places; p++)
		if (p->hook == hook && p->priority == priority && p->program == rank) {
			p->families |= 1u << family;
			return;
		}
	if (l->n_places < UNFRAG_PLACES_MAX)
		*p = (struct unfrag_place){ 1u << family, hook, priority, rank };
	l->n_places++;
}

static int find_places(struct policy_loading *l)
{
	uint32_t family, hook, rank;

	for (hook = 0; hook < GATE_HOOKS; hook++)
		for (rank = 0; rank < GATE_RANKS_MAX; rank++)
			for (family = 0; family < GATE_FAMILIES; family++)
				if (l->image->config.place[family][hook][rank].n)
					add_place(l, family, hook, rank);
	if (l->n_places && l->n_places <= UNFRAG_PLACES_MAX)
		return CLI_DONE;
	cli_error("the ruleset has chains at %u places; 1 to %u are possible", l->n_places,
		  UNFRAG_PLACES_MAX);
	return CLI_FAILED;
}

static int load(struct policy_loading *l, const char *path)
{
	const struct image_opts opts = {
		/* What is allowed is for the ruleset that is to come. */
		.memory = l->about.flags & POLICY_CLOSED ? 0 : l->about.memory,
		.listing = l->listing.len,
	};
	const struct instance_opts kept = {
		.about = &l->about,
		.listing = l->listing.len ? &l->listing : NULL,
	};
	struct complaint c = { "" };
	int err, code;

	progress_step("compiling ...");
	err = image_new(&l->image, &l->rs, &opts, &c);
	code = err ? CLI_FAILED : find_places(l);
	if (!code) {
		progress_step("loading ...");
		err = instance_load(&l->instance, l->image, &l->rs, &kept, &c);
	}
	if (err)
		cli_error("%s: %s", path, c.text);
	if (err || code)
		return CLI_FAILED;
	l->n_programs = instance_programs(l->instance, l->programs);
	return CLI_DONE;
}

static void note_path(struct policy_loading *l, const char *path)
{
	char *full = realpath(path, NULL);

	/* Standard input can't be read again. */
	if (strcmp(path, "-"))
		snprintf(l->about.path, sizeof(l->about.path), "%s", full ? full : path);
	free(full);
}

int policy_loading_file(struct policy_loading *l, const char *path)
{
	int code = policy_source_read(&l->rs, &l->listing, path, l->netns, NULL);

	if (code)
		return code;
	note_path(l, path);
	return load(l, path);
}

int policy_loading_closed(struct policy_loading *l, const char *path, int32_t priority)
{
	if (policy_closed(&l->rs, &l->listing, path, priority)) {
		cli_error("no memory for a ruleset that drops everything");
		return CLI_FAILED;
	}
	note_path(l, path);
	l->about.flags |= POLICY_CLOSED;
	return load(l, path);
}

/* Rules that ask for states hold for the wrong packets then, or drop all of them. */
static void warn_of_states(const struct policy_loading *l)
{
	const uint32_t asked = ruleset_asks(&l->rs, GATE_BIT(CT_STATE));
	char path[32];
	uint32_t family;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->netns);
	for (family = FAMILY_IP; family <= FAMILY_IP6; family <<= 1)
		if (asked & family && !unfrag_conntrack_status(l->netns >= 0 ? path : NULL, family))
			cli_note(
				"warning: no connection tracking of %s runs in this network "
				"namespace: until something turns it on, 'ct state' of each of its "
				"packets is invalid",
				family == FAMILY_IP ? "IPv4" : "IPv6");
}

int policy_loading_attach(struct policy_loading *l, const char *netns,
			  struct unfrag_attachment **att)
{
	const struct unfrag_attach_opts opts = {
		.sz = sizeof(opts),
		.netns = netns,
		.source = l->about.path,
		.places = l->places,
		.n_places = l->n_places,
		.programs = l->programs,
		.n_programs = l->n_programs,
	};
	int err;

	progress_step("putting it into force ...");
	err = unfrag_attachment_attach(att, l->about.name, instance_object(l->instance), NULL,
				       &opts);
	if (!err)
		warn_of_states(l);
	return err;
}

static int put(struct policy_loading *l, struct unfrag_attachment *att)
{
	const struct unfrag_replace_opts opts = {
		.sz = sizeof(opts),
		.source = l->about.path,
		.places = l->places,
		.n_places = l->n_places,
		.programs = l->programs,
		.n_programs = l->n_programs,
	};

	return cli_exit_of(
		unfrag_attachment_replace(att, instance_object(l->instance), NULL, &opts));
}

/* With the lock held: nobody changes what is inherited. */
static int replace(struct policy_loading *l, struct unfrag_attachment *att)
{
	struct instance *old = NULL;
	struct complaint c = { "" };
	int code = CLI_DONE;

	/* What can't be read any more is no reason to keep it in force. */
	if (instance_open(&old, att, &c))
		cli_note("counters start anew: %s", c.text);
	else if (instance_inherit(l->instance, old, &c))
		code = CLI_FAILED;
	if (code)
		cli_error("%s", c.text);
	else
		code = put(l, att);
	if (!code && old && instance_settle(l->instance, old, &c))
		cli_note("counters may lack some packets: %s", c.text);
	instance_free(old);
	return code;
}

static int replace_locked(struct policy_loading *l, struct unfrag_attachment *att)
{
	int code = cli_exit_of(unfrag_attachment_lock(att));

	if (code)
		return code;
	progress_step("putting it into force ...");
	code = replace(l, att);
	unfrag_attachment_unlock(att);
	return code;
}

int policy_loading_reload(struct policy_loading *l, struct unfrag_attachment *att, const char *path,
			  bool json)
{
	int code = policy_loading_file(l, path);

	if (!code)
		code = replace_locked(l, att);
	if (!code)
		warn_of_states(l);
	return code ? code : policy_loading_report(l, "reloaded", json);
}

static int report_json(const struct policy_loading *l)
{
	json_t *places = json_array();
	uint32_t i;

	for (i = 0; i < l->n_places; i++)
		json_array_append_new(places,
				      json_pack("{s:o, s:s, s:i}", "families",
						json_families(l->places[i].families), "hook",
						unfrag_hook_name(
							(enum unfrag_hook)l->places[i].hook),
						"priority", (int)l->places[i].priority));
	return json_finish(json_pack("{s:s, s:o, s:i, s:i, s:i, s:I, s:I, s:b, s:o}", "name",
				     l->about.name, "file", json_text(l->about.path), "rules",
				     (int)l->rs.n_rules, "chains", (int)l->rs.n_chains, "sets",
				     (int)l->rs.n_sets, "elements",
				     (json_int_t)ruleset_elements(&l->rs), "memory",
				     (json_int_t)l->image->memory.total, "closed",
				     !!(l->about.flags & POLICY_CLOSED), "places", places));
}

void policy_loading_tell(const char *what, const char *name, const struct ruleset *rs,
			 uint64_t memory)
{
	printf("%s '%s': ", what, name);
	policy_source_sum(rs, memory);
}

int policy_loading_report(const struct policy_loading *l, const char *what, bool json)
{
	progress_end();
	if (json)
		return report_json(l);
	policy_loading_tell(what, l->about.name, &l->rs, l->image->memory.total);
	return CLI_DONE;
}
