/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's object file: opened, its program found, loaded, and every way that can fail put into
 * words.
 */
#pragma once

#include <bpf/libbpf.h>
#include <stdbool.h>

struct object {
	const char *path;
	struct bpf_object *obj;
	struct bpf_program *prog;
	char *log; /* the verifier's */
};

/* Opens the file and finds program `name`, or its only one. Returns an exit code. */
int object_open(struct object *o, const char *path, const char *name);

/* Returns an exit code. all_log: print all that the verifier said, not its last lines. */
int object_load(struct object *o, bool all_log);

void object_close(struct object *o);

/* Takes what libbpf says: kept for our own messages, printed only with -v. */
__attribute__((format(printf, 2, 0))) int object_hear(enum libbpf_print_level level,
						      const char *fmt, va_list ap);

/*
 * A name for what is in a file, of UNFRAG_NAME_MAX + 1 bytes: "dir/only_dns.bpf.o" is "only_dns";
 * what can't stand in a name becomes "_".
 */
void object_name_of(const char *path, char *name);
