/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset on its way into the kernel: read from its file, compiled, loaded, and put into force.
 * What load, reload and run have in common. Each step says what went wrong and returns an exit
 * code.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "image.h"
#include "instance.h"
#include "policy.h"

#include <unfrag/unfrag.h>

#define POLICY_MEMORY (512ull << 20) /* unless asked otherwise */

/* Flags of struct instance_about. */
#define POLICY_CLOSED 0x1u /* drops all, as its ruleset could not be loaded */

struct policy_loading {
	struct ruleset rs;
	struct policy_listing listing;
	struct image *image;
	struct instance *instance;
	struct instance_about about;
	struct unfrag_place places[UNFRAG_PLACES_MAX];
	uint32_t n_places;
	struct bpf_program *programs[GATE_RANKS_MAX];
	uint32_t n_programs;
	int netns; /* descriptor, or -1: the current one */
};

/* Whether anything is attached under that name, ruleset or not. */
bool policy_loading_is_there(const char *name);

/* Says if there is already: before a big file is read for nothing. */
int policy_loading_check_name(const char *name);

/* Whether what is attached is a ruleset, whole or not; if not, that is said. */
bool policy_loading_is_ruleset(const struct unfrag_attachment_info *info, const char *name);

/* name: of the attachment; netns as in struct unfrag_attach_opts. */
int policy_loading_init(struct policy_loading *l, const char *name, const char *netns,
			uint64_t memory);
void policy_loading_release(struct policy_loading *l);

/* Reads a file ("-": standard input), compiles it and loads it; nothing is in force yet. */
int policy_loading_file(struct policy_loading *l, const char *path);

/* The same for a ruleset that drops everything at input, forward and output, in place of a file. */
int policy_loading_closed(struct policy_loading *l, const char *path, int32_t priority);

/* Puts it into force under its name. Returns 0 or, logged, -errno. */
int policy_loading_attach(struct policy_loading *l, const char *netns,
			  struct unfrag_attachment **att);

/*
 * Reads a file as policy_loading_file(), puts it in place of what is in force, in one step, and
 * reports it; counters and limits go on.
 */
int policy_loading_reload(struct policy_loading *l, struct unfrag_attachment *att, const char *path,
			  bool json);

/* What was loaded, as JSON or a line for people that starts with `what`. Returns an exit code. */
int policy_loading_report(const struct policy_loading *l, const char *what, bool json);

/* That line, of a ruleset that takes so many bytes. */
void policy_loading_tell(const char *what, const char *name, const struct ruleset *rs,
			 uint64_t memory);
