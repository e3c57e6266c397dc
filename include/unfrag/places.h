/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Places in the kernel's path of packets where programs of an attachment stand, where it has
 * several: see struct unfrag_attach_opts.
 */
#pragma once

#include <stdint.h>

#define UNFRAG_PLACES_MAX   32u
#define UNFRAG_PROGRAMS_MAX 8u

/** A place where packets are judged, and by which program. */
struct unfrag_place {
	uint32_t families; /**< UNFRAG_FAMILIES_... */
	uint32_t hook;     /**< enum unfrag_hook */
	int32_t priority;
	uint32_t program; /**< its number among the programs */
};
