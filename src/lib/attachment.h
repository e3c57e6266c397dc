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
 *	program-ID, maps-ID/...  see program.h
 */
#pragma once

#include "store.h"

#include <unfrag/unfrag.h>

#define ATTACHMENT_SLOT     "slot"
#define ATTACHMENT_COUNTERS "counters"

struct unfrag_attachment {
	struct store store;
};

/* A handle that owns the store, or NULL: then the store stays the caller's. */
struct unfrag_attachment *attachment_of(struct store *s);
