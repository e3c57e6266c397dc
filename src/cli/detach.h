/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A verb that takes attachments away by their names.
 */
#pragma once

#include "cli.h"

struct detaching {
	const char *done; /* "detached" */
	/* Whether it may: an exit code, after saying why not. NULL: any may. */
	int (*check)(struct unfrag_attachment *att, const char *name);
};

/* The whole verb: options, names, one after the other. An exit code. */
int detach_run(const struct verb *self, const struct detaching *d, int argc, char **argv);
