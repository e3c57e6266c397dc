/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attachments with places, for tests: of the three programs in tests/bpf/life_places.bpf.c.
 */
#pragma once

#include "life.h"
#include <stdint.h>

#include "../bpf/life_places.h"

#define PLACED_NAME "places"

/* A place for both families; priority life_priority(n). */
struct unfrag_place placed_at(enum unfrag_hook hook, int n, uint32_t program);

/*
 * The object, loaded; every program of it has this content, and one may drop (-1: none). Maps are
 * those of the attachment, if there is one and it is not broken.
 */
struct bpf_object *placed_load(struct unfrag_attachment *att, uint32_t content, int dropper);

/* Attaches, or replaces with `n` places (0: as they are). 0 or -errno. */
int placed_attach(struct unfrag_attachment **out, const struct life *l,
		  const struct unfrag_place *places, uint32_t n, int dropper);
int placed_replace(struct unfrag_attachment *att, uint32_t content,
		   const struct unfrag_place *places, uint32_t n, int dropper);

/* The same with an object that is loaded. */
int placed_attach_object(struct unfrag_attachment **out, const struct life *l,
			 struct bpf_object *obj, const struct unfrag_place *places, uint32_t n);
int placed_replace_object(struct unfrag_attachment *att, struct bpf_object *obj,
			  const struct unfrag_place *places, uint32_t n);

/* What each program has met, by the maps of what is in force. */
void placed_counts(uint64_t counts[PLACES_PROGRAMS]);

/* Asserts what one more datagram of each family makes of those counts. */
void placed_expect_more(const struct life *l, uint64_t a, uint64_t b, uint64_t c);
