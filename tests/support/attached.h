/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A BPF program of the tests, loaded and at work in a namespace of the lab: by a plain link or as a
 * named attachment, through the library's public calls in both cases.
 *
 * What the library had to say when a call here failed goes to stdout as a comment.
 */
#pragma once

#include <ns.h>

#include <unfrag/unfrag.h>

struct attached {
	struct bpf_object *obj;
	struct bpf_link *link;          /* of a plain link */
	struct unfrag_attachment *att;  /* of an attachment */
	char name[UNFRAG_NAME_MAX + 1]; /* of an attachment: has the process id in it */
};

/* Opens and loads tests/bpf/OBJECT.bpf.o. 0 or -errno. */
int attached_load(struct bpf_object **out, const char *object);

/* unfrag_attach_netfilter() by a thread inside ns. The link, or NULL with errno set. */
struct bpf_link *attached_link_in(const struct lab_ns *ns, const struct bpf_program *prog,
				  const struct unfrag_netfilter_opts *opts);

/*
 * Loads an object and attaches its only program in ns. Of the attachment's options, netns is filled
 * in here. 0 or -errno.
 */
int attached_link(struct attached **out, const struct lab_ns *ns, const char *object,
		  const struct unfrag_netfilter_opts *opts);
int attached_named(struct attached **out, const struct lab_ns *ns, const char *object,
		   const struct unfrag_attach_opts *opts);

/* Takes the program away, and the attachment with all its pins. NULL is allowed. */
void attached_free(struct attached *a);

/* A map of the object: its descriptor, or -ENOENT. */
int attached_map(const struct attached *a, const char *name);

static inline void attached_freep(struct attached **a)
{
	attached_free(*a);
}

#define auto_attached lab_cleanup(attached_freep)
