/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, in words for a person. Whoever meets the trouble words it, with the file's name
 * in it; the command prints it. The first trouble is kept: what follows mostly follows from it.
 */
#pragma once

struct trouble {
	char text[512];
};

/* Words trouble, if none is there yet; returns err. */
__attribute__((format(printf, 3, 4))) int trouble(struct trouble *t, int err, const char *fmt, ...);
