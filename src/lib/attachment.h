/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the two halves of an attachment's code share: making it (attach.c) and all the rest of its
 * life (attachment.c).
 *
 * An attachment in the BPF file system, under unfrag/NAME/:
 *
 *	about                    what was asked for, and whether making it came to its end
 *	slot                     program array; entry 0 is the program in force
 *	counters                 per CPU, per family and hook
 *	link-FAMILY-HOOK         one for each
 *
 * and with places:
 *
 *	slot                     two halves of programs in force and not, one for each link
 *	turn                     which half is in force
 *	link-FAMILY-HOOK-PRIORITY
 *
 * and in any case:
 *
 *	program-ID, maps-ID/...  see program.h
 */
#pragma once

#include "about.h"
#include "store.h"

#include <unfrag/unfrag.h>

#define ATTACHMENT_SLOT     "slot"
#define ATTACHMENT_COUNTERS "counters"
#define ATTACHMENT_TURN     "turn"

struct unfrag_attachment {
	struct store store;
};

/* The programs of one object that are to come into force. */
struct programs {
	struct bpf_object *obj;
	struct bpf_program *progs[UNFRAG_PROGRAMS_MAX];
	uint32_t n;
	const char *source;
};

/* From a caller's arguments; `list` is NULL or of n programs. Logs the error. */
int programs_choose(struct programs *p, struct bpf_object *obj, struct bpf_program *prog,
		    struct bpf_program *const *list, uint32_t n);

/* The one that stands for all: that of the first seat of a half. */
const struct bpf_program *programs_first(const struct programs *p, const struct about *about,
					 unsigned int half);

/*
 * Puts programs into one half of the slot, each where `about` says; seats that only the other half
 * has get a program that accepts. Logs the error.
 */
int programs_put(const struct programs *p, int slot_fd, const struct about *about,
		 unsigned int half);

/* What one half is to have, into the same seats of another. Logs the error. */
int programs_copy(const struct programs *p, int slot_fd, const struct about *about,
		  unsigned int half, unsigned int to);

/* One that accepts, in these seats of a half. Logs the error. */
int programs_put_pass(int slot_fd, unsigned int half, uint32_t seats);

/* The right to change it. Logs the error. */
int attachment_lock(struct unfrag_attachment *att);

/* The slot's descriptor, and the id of the program in force; of several, of the first place's. */
int attachment_open_slot(const struct store *s, uint32_t *id);

/* A handle that owns the store, or NULL: then the store stays the caller's. */
struct unfrag_attachment *attachment_of(struct store *s);
