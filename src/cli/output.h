/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways to print: aligned text for people, JSON and OpenMetrics for scripts.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <unfrag/unfrag.h>

/* The pointer, or the end of the program where memory is short. */
void *must(void *p);

/* Whether -v was given. */
bool cli_verbose(void);

enum colour {
	COLOUR_NONE,
	COLOUR_GOOD,
	COLOUR_WARN,
	COLOUR_BAD,
};

/* A table that is aligned once all its cells are known. The first row is the head. */
struct table;

struct table *table_new(size_t columns);
void table_free(struct table *t);

/* Next cell, row by row. Right-aligned where `right`. Memory that is short ends the program. */
__attribute__((format(printf, 4, 5))) void table_add(struct table *t, enum colour colour,
						     bool right, const char *fmt, ...);
void table_print(const struct table *t, FILE *out);

/* Text in a colour, if stdout is a terminal and NO_COLOR is not set. */
const char *colour_on(enum colour colour);
const char *colour_off(enum colour colour);

/* A string of any bytes: those that are no UTF-8 become U+FFFD. */
json_t *json_text(const char *text);

/* Prints and frees; returns an exit code. NULL, what jansson gives without memory, is an error. */
int json_finish(json_t *root);

/* "ipv4,ipv6", "prerouting,forward", "2026-01-31 12:00:00"; buf of 64 bytes at least. */
#define OUTPUT_WORDS 64
const char *output_families(uint32_t families, char *buf);
const char *output_hooks(uint32_t hooks, char *buf);
const char *output_time(int64_t seconds, char *buf);

json_t *json_families(uint32_t families);
json_t *json_hooks(uint32_t hooks);

/* "ipv4", "ipv6" by mask with one bit. */
const char *output_family(uint32_t family);
