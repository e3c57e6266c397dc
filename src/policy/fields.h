/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of each field (src/gate/field.h): how wide it is, where its words are, its name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rule.h"

/* Narrow enough for a table with a place for each value. */
#define FIELD_DIRECT_BITS 16u

uint32_t fields_bits(uint32_t field);
uint32_t fields_words(uint32_t field);
uint32_t fields_word(uint32_t field); /* enum gate_word: its first */
const char *fields_name(uint32_t field);
bool fields_is_address(uint32_t field);
bool fields_has_flags(uint32_t field); /* "FIELD VALUE" means that any of the bits is set */

/* The greatest value of so many bits. */
value fields_max(uint32_t bits);

bool fields_has(const struct gate_values *v, uint32_t field);
value fields_get(const struct gate_values *v, uint32_t field);
void fields_set(struct gate_values *v, uint32_t field, value to);

/* A value of so many bits as words, the most significant first: 1 word or 4. */
void fields_split(uint32_t *words, value from, uint32_t bits);
