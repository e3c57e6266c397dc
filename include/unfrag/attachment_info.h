/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What an attachment can be asked: its state, what is in force and where, and what became of
 * packets. Part of attachment.h, which has the handle's life.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <unfrag/base.h>
#include <unfrag/places.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A handle, see unfrag_attachment_attach() and unfrag_attachment_open(). */
struct unfrag_attachment;

enum unfrag_state {
	UNFRAG_STATE_READY,    /**< in force */
	UNFRAG_STATE_BUSY,     /**< a process is changing it now */
	UNFRAG_STATE_BROKEN,   /**< cut short or tampered with; detach cleans it */
	UNFRAG_STATE_ORPHANED, /**< its namespace has no process and no name left */
	UNFRAG_STATE_MAX,
};

/** "ready" and so on. Static. Since: 0.1 */
const char *unfrag_state_name(enum unfrag_state state);

struct unfrag_attachment_info {
	size_t sz; /**< set by the caller */
	enum unfrag_state state;
	char problem[128]; /**< why it is not ready, or what is amiss all the same; else empty */
	/** As asked, defaults filled in; so the next three. Of places: all, and the lowest. */
	uint32_t families;
	uint32_t hooks;
	int32_t priority;
	uint32_t flags;
	uint32_t links;       /**< how many of its links are there */
	uint64_t netns_inode; /**< identity of the namespace, as in "net:[INODE]" */
	char netns[256];      /**< its name, a path or "pid:N" now; "current"; "" if it has none */
	int64_t since;        /**< when it was attached, seconds since 1970 */
	uint32_t program_id;  /**< the kernel's id of the program in force; 0: none */
	char program[128];    /**< its name; of several: of the one at the first place */
	char source[256];     /**< where it is from */
	int64_t program_since;
	struct unfrag_place places[UNFRAG_PLACES_MAX]; /**< in any case: one for each hook */
	uint32_t n_places;
	uint32_t is_placed; /**< made with places */
};

/**
 * Describes the attachment as it is now; changes nothing.
 *
 * @return 0; -ENOENT when it was detached; or why it could not be looked at, which says nothing of
 *         the attachment. Since: 0.1
 */
int unfrag_attachment_info(struct unfrag_attachment *att, struct unfrag_attachment_info *info);

/**
 * As unfrag_attachment_info(), and tries whether every link's place is really taken: the kernel
 * tells as much of a link that was detached by force as of a live one. A link of ours stands for a
 * moment at each place that is free. Since: 0.1
 */
int unfrag_attachment_check(struct unfrag_attachment *att, struct unfrag_attachment_info *info);

struct unfrag_counters {
	size_t sz;              /**< set by the caller */
	uint64_t packets;       /**< sum of the outcomes */
	uint64_t frag_max_size; /**< bytes of the largest original fragment, 0: none seen */
	uint64_t outcomes[UNFRAG_OUTCOME_SLOTS]; /**< by enum unfrag_outcome */
};

/**
 * Counters of one family and hook, summed over CPUs, since the attachment was made. A packet is
 * counted once at a hook, at the lowest priority that the attachment has there.
 *
 * @param family UNFRAG_FAMILIES_IPV4 or UNFRAG_FAMILIES_IPV6
 * @return 0; -EINVAL; -EBADF when it has none (broken). Since: 0.1
 */
int unfrag_attachment_counters(struct unfrag_attachment *att, uint32_t family,
			       enum unfrag_hook hook, struct unfrag_counters *counters);

#ifdef __cplusplus
}
#endif
