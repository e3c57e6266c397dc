/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Names of families, hooks and objects, as they stand in pins and messages.
 */
#pragma once

#include <stdint.h>

#include <unfrag/unfrag.h>

/* Families are counted 0 and 1 here, as bits of UNFRAG_FAMILIES_... are. */
#define FAMILY_MAX 2

const char *family_name(unsigned int family);

/* NFPROTO_ number of family 0 or 1. */
uint32_t family_pf(unsigned int family);

/* 0 or 1 from a mask with one bit, or -EINVAL. */
int family_index(uint32_t mask);

/* Whether a name may be that of an attachment or holder: see unfrag_attachment_attach(). */
bool name_valid(const char *name);
