/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rulesets in force, for tests: files of them, the command that loads them, and what they count.
 */
#pragma once

#include "background.h"
#include "life.h"
#include <command.h>
#include <stdint.h>

#define POLICED_NAME "policed"

/* A file with this ruleset; the same path each time, gone with policed_down(). Its path. */
const char *policed_file(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Setup and teardown, around life_up() and life_down(). */
void policed_up(void **state);
void policed_down(void *state);

/* Sends so many datagrams to LIFE_PORT over loopback; asserts that each arrives. */
void policed_send(const struct life *l, int family, int n);

/* Runs "policy load" with that file in the namespace of l; asserts that it succeeds. */
void policed_load(const struct life *l, const char *path);

/* What the rule with this text has counted, by what is in force; asserts that there is one. */
uint64_t policed_packets(const char *text);

/* Whether what is in force has a rule with this text, and what it has counted. */
bool policed_find(const char *text, uint64_t *packets);
