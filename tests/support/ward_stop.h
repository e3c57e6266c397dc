/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command "guard", stopped at each single one of its calls that changes anything, writes to
 * sysctls among them: killed there, or with that call failing; and what must hold after that.
 */
#pragma once

#include "ward.h"

/* What was seen of a word over all its calls. */
struct ward_seen {
	unsigned int points; /* calls at which it was stopped */
	unsigned int absent, broken, ready, failed;
};

/* Stops a word at call n and every second one after it, until it ends by itself. err 0: killed. */
typedef void (*ward_loop)(struct ward *g, int err, struct ward_seen *s, unsigned int n);

void ward_stop_on(struct ward *g, int err, struct ward_seen *s, unsigned int n);
void ward_stop_off(struct ward *g, int err, struct ward_seen *s, unsigned int n);
void ward_stop_tune(struct ward *g, int err, struct ward_seen *s, unsigned int n);

/* Runs a loop over all calls, by two processes with worlds of their own. */
struct ward_seen ward_stop(ward_loop loop, int err);

void ward_report(const char *what, const struct ward_seen *s);
