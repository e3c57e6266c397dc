/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The user's program: chosen from its object, and what is pinned with it.
 *
 * All that belongs to one program carries the kernel's id of it, so what is in force is known from
 * the slot alone and a replace that is cut short leaves nothing ambiguous:
 *
 *	program-ID    its name and where it is from
 *	maps-ID/      its maps
 *	maps          symbolic link to the directory of the one in force, for people
 */
#pragma once

#include <stdint.h>

#include "about.h"
#include "store.h"

struct bpf_object;
struct bpf_program;

/* A loaded program of the object: prog, or its only netfilter program. Logs the error. */
int program_choose(struct bpf_program **out, struct bpf_object *obj, struct bpf_program *prog);

int program_id(const struct bpf_program *prog, uint32_t *id);

/* Pins description and maps. Logs the error; what was pinned is left to program_forget(). */
int program_pin(const struct store *s, uint32_t id, struct bpf_object *obj,
		const struct bpf_program *prog, const char *source);

/* Removes what is pinned of every program but `id`, and points "maps" to its maps. */
int program_keep_only(const struct store *s, uint32_t id);

/* Removes what is pinned of one program. */
int program_forget(const struct store *s, uint32_t id);

/* Whether "maps" leads to the maps of that program. */
bool program_is_pointed(const struct store *s, uint32_t id);

int program_read(const struct store *s, uint32_t id, struct program_about *about);

/* Gives maps of program `id` to an object that is not loaded yet; see the public function. */
int program_reuse_maps(const struct store *s, uint32_t id, struct bpf_object *obj);
