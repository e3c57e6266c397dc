/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs of the command that must be refused: the exit status, a word of the message, nothing on
 * stdout, and nothing changed. To see the last, an attachment stands there already.
 */
#pragma once

#include "command.h"
#include "life.h"

#define REFUSED_ARGS  16
#define REFUSED_TAKEN "taken" /* the attachment's name; it is judge A at input */

/* Stand-ins in a row's arguments. */
#define NETNS "@netns"    /* path of the namespace */
#define PRIO  "@priority" /* one that is free */
#define USED  "@used"     /* that of the attachment */
#define TMP   "@file"     /* a file of the test's own, which is not there */

struct row {
	int status;
	const char *word;
	const char *args[REFUSED_ARGS];
};

struct refused {
	struct life *life;
	char file[64];
	char pins[256]; /* of the attachment, as they were */
	char used[16], priority[16];
	struct command command; /* the latest run */
};

void refused_up(void **state);
void refused_down(void *state);

/* Runs a row inside the namespace or (here) in the caller's, as what `before` made of the child. */
void refused_run(struct refused *r, const struct row *row, bool inside,
		 void (*before)(struct command *c));

/* Runs rows from the caller's namespace. */
void refused_rows(struct refused *r, const struct row *rows, size_t n);

#define REFUSED_ROWS(r, rows) refused_rows((r), (rows), sizeof(rows) / sizeof((rows)[0]))

/* Runs the row's arguments and asserts nothing but that it ended: its exit status. */
int refused_try(struct refused *r, const struct row *row, bool inside,
		void (*before)(struct command *c));

/* What stood before stands, and nothing else. */
void refused_expect_unchanged(const struct refused *r);
