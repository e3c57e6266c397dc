/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a ruleset, in words for a person: what, where (chain, rule, set), what to do.
 * Whoever finds it words it, the command prints it. The first complaint is kept.
 */
#pragma once

struct complaint {
	char text[1024];
};

/* Words a complaint, if none is there yet; returns err. */
__attribute__((format(printf, 3, 4))) int complain(struct complaint *c, int err, const char *fmt,
						   ...);
