/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files in nftables' language, and what is read out of them. */
#pragma once

#include "policy.h"
#include "test.h"

struct rulefile {
	char path[64]; /* a file that goes with rulefile_remove() */
	struct ruleset rs;
	struct policy_messages messages;
	struct policy_listing listing;
	int result;
};

/* A test's fixture: nothing read yet. */
void rulefile_setup(void **state);
void rulefile_teardown(void *state);

/* Writes a file; `fmt` as of printf. */
__attribute__((format(printf, 2, 3))) void rulefile_write(struct rulefile *f, const char *fmt, ...);

/* Reads the file, with options or (NULL) none; what was read before is gone. */
int rulefile_read(struct rulefile *f, const struct policy_read_opts *opts);

/* Does any message have these words in it? */
bool rulefile_says(const struct rulefile *f, const char *words);

/* The test fails, and shows all messages, unless the file was read, or unless it was not. */
void rulefile_must_read(struct rulefile *f);
void rulefile_must_refuse(struct rulefile *f, const char *words);

/* A rule or set as ruleset_print_...() has it must be so. */
void rulefile_rule_is(const struct rulefile *f, size_t rule, const char *want);
void rulefile_set_is(const struct rulefile *f, size_t set, const char *want);
