/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Attachments: a program that stands behind the front at every family and hook asked for, under
 * one name. What is made is pinned in a BPF file system, so nothing has to run.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <unfrag/attachment_info.h>
#include <unfrag/base.h>
#include <unfrag/places.h>

struct bpf_object;
struct bpf_program;

#ifdef __cplusplus
extern "C" {
#endif

#define UNFRAG_NAME_MAX 63

#define UNFRAG_ATTACH_PRIORITY          0x1u  /**< `priority` counts; else the default */
#define UNFRAG_ATTACH_NO_DEFRAG         0x2u  /**< don't ask the kernel to reassemble */
#define UNFRAG_ATTACH_ACCEPT_FRAGMENTS  0x4u  /**< what is still a fragment goes on, unjudged */
#define UNFRAG_ATTACH_ACCEPT_UNREADABLE 0x8u  /**< likewise for unreadable headers */
#define UNFRAG_ATTACH_ACCEPT_EMPTY      0x10u /**< likewise when there is no program */

struct unfrag_attach_opts {
	size_t sz;
	/**
	 * Network namespace: a name under /run/netns, a path, or a process id; NULL: the caller's.
	 * The caller's own namespace is never changed.
	 */
	const char *netns;
	uint32_t families;  /**< UNFRAG_FAMILIES_...; 0: both */
	uint32_t hooks;     /**< `1u << UNFRAG_HOOK_...`; 0: prerouting */
	int32_t priority;   /**< with UNFRAG_ATTACH_PRIORITY */
	uint32_t flags;     /**< UNFRAG_ATTACH_... */
	const char *source; /**< where the program is from, to be shown to people; NULL: unknown */
	/**
	 * Places instead of families, hooks and priority, which then are 0: up to 16 different
	 * pairs of hook and priority, none of them twice for one family.
	 */
	const struct unfrag_place *places;
	uint32_t n_places; /**< up to UNFRAG_PLACES_MAX; 0: no places */
	/** With places: up to UNFRAG_PROGRAMS_MAX programs of the object instead of one */
	uint32_t n_programs;
	struct bpf_program *const *programs;
};

/**
 * Attaches a program under a name, at all families and hooks asked for or at none; or several
 * programs of one object, at places of their own, likewise at all or none.
 *
 * Until the last link stands every whole packet passes as before; then one step puts the program in
 * force everywhere. What is made is pinned under `unfrag/NAME/` in the BPF file system (mounted at
 * /sys/fs/bpf if it is not), the maps of @p obj among it, and outlives the caller.
 *
 * @param out  set to a handle on success, to be given to unfrag_attachment_free()
 * @param name 1..63 of letters, digits, `-` and `_`, first a letter or digit
 * @param obj  loaded; may be closed afterwards
 * @param prog one of its programs; NULL: its only netfilter program, or those of @p opts
 * @param opts NULL: defaults
 * @return 0; -EEXIST when the name is in use; -EBUSY when another hook stands at the priority;
 *         -EINVAL, -EPERM, -EOPNOTSUPP (this kernel can't) or what the kernel said. Since: 0.1
 */
int unfrag_attachment_attach(struct unfrag_attachment **out, const char *name,
			     struct bpf_object *obj, struct bpf_program *prog,
			     const struct unfrag_attach_opts *opts);

/** Opens an attachment by name, broken ones too. 0, -EINVAL, -ENOENT, -EPERM. Since: 0.1 */
int unfrag_attachment_open(struct unfrag_attachment **out, const char *name);

/** Gives up a handle; the attachment stays as it is. NULL is allowed. Since: 0.1 */
void unfrag_attachment_free(struct unfrag_attachment *att);

/**
 * Lets maps of an opened, not yet loaded object be those of the program in force, where name, type,
 * key, value and size are the same. Global data, program arrays and maps of maps belong to one
 * program and are never kept. To be called before bpf_object__load() and
 * unfrag_attachment_replace().
 *
 * @return number of maps that will be kept, or -EBUSY, -EIO, -EPERM. Since: 0.1
 */
int unfrag_attachment_reuse_maps(struct unfrag_attachment *att, struct bpf_object *obj);

/**
 * Opens a map of the program in force by its name in the object; the dots of ".bss" and the like
 * are '_' here. Of several programs all maps are found.
 *
 * @return a file descriptor, the caller's; -ENOENT when there is none of that name, and then
 *         nothing is logged; -EBADF when the attachment is broken; -EPERM. Since: 0.1
 */
int unfrag_attachment_map(struct unfrag_attachment *att, const char *name);

/**
 * Takes the right to change the attachment, so that several calls with this handle are one change:
 * other handles, also of this process, find it in use meanwhile. It ends with
 * unfrag_attachment_unlock() or with the handle.
 *
 * @return 0; -EBUSY while another has it; -EDEADLK when this handle has it; -ENOENT when the
 *         attachment is gone. Since: 0.1
 */
int unfrag_attachment_lock(struct unfrag_attachment *att);

/** Gives up the right. Since: 0.1 */
void unfrag_attachment_unlock(struct unfrag_attachment *att);

struct unfrag_replace_opts {
	size_t sz;
	const char *source; /**< as in struct unfrag_attach_opts */
	/**
	 * If it was made with places: as in struct unfrag_attach_opts. Other places than before may
	 * be given; there may be 16 pairs of hook and priority in old and new ones. NULL and 0: the
	 * places, and which program is at which, stay as they are.
	 */
	const struct unfrag_place *places;
	uint32_t n_places;
	uint32_t n_programs;
	struct bpf_program *const *programs;
};

/**
 * Puts another program into force, in one step: every packet is judged by the old one or by the
 * new one. On failure the old one stays. Several programs are replaced all in the same step, and
 * places that come or go do so in it too.
 *
 * @param opts NULL: defaults
 * @return 0; -EBUSY while another process changes it, or when another hook stands at a new place;
 *         -EBADF when it is broken. Since: 0.1
 */
int unfrag_attachment_replace(struct unfrag_attachment *att, struct bpf_object *obj,
			      struct bpf_program *prog, const struct unfrag_replace_opts *opts);

/**
 * Takes the attachment away, whole or broken: links first, then all that was pinned. The handle
 * stays to be freed.
 *
 * @return 0; -EBUSY while another process changes it. Since: 0.1
 */
int unfrag_attachment_detach(struct unfrag_attachment *att);

/**
 * Calls @p fn with every attachment's name, in order, until it returns other than 0.
 *
 * @return 0, what @p fn returned, or a negative errno. Since: 0.1
 */
int unfrag_attachment_each(int (*fn)(const char *name, void *arg), void *arg);

#ifdef __cplusplus
}
#endif
