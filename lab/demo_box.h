/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The middleboxes of the demo: three ways to keep one policy, "only DNS", at the forward hook of
 * the middle namespace, for both families.
 */
#pragma once

#include "ns.h"

enum demo_box_kind {
	DEMO_BOX_ACCEPT_LATER, /* judges first fragments, accepts later ones */
	DEMO_BOX_DROP_LATER,   /* judges first fragments, drops later ones */
	DEMO_BOX_UNFRAG,       /* judges whole packets */
	DEMO_BOX_MAX,
};

struct demo_paths {
	const char *unfrag;  /* the command */
	const char *objects; /* directory of the programs that judge fragments */
	const char *ruleset; /* the policy for whole packets, in nftables' language */
	const char *program; /* the same as a program; NULL: the ruleset counts */
};

struct demo_box;

const char *demo_box_name(enum demo_box_kind kind);

/* Puts a middlebox in force. What goes wrong is said. 0 or -errno. */
int demo_box_new(struct demo_box **out, enum demo_box_kind kind, const struct lab_ns *ns,
		 const struct demo_paths *paths);

/* Takes it away. What goes wrong is said. 0 or -errno; the handle is gone in any case. */
int demo_box_free(struct demo_box *box);
