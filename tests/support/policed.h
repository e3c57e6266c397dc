/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rulesets in force, for tests: files of them, the command that loads them, and what they count.
 */
#pragma once

#include "life.h"
#include <command.h>
#include <stdint.h>

#define POLICED_NAME "policed"

/* A file with this ruleset; the same path each time, gone with policed_down(). */
const char *policed_file(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Setup and teardown, around life_up() and life_down(). */
void policed_up(void **state);
void policed_down(void *state);

/* Runs "policy load" with that file in the namespace of l; asserts that it succeeds. */
void policed_load(const struct life *l, const char *path);

/* What the rule with this text has counted, by what is in force. */
uint64_t policed_packets(const char *text);
