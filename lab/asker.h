/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A DNS client that asks steadily for one large answer over UDP and counts what comes back whole:
 * questions and answers are told apart by their number, each has its own time to come.
 */
#pragma once

#include <stdint.h>

#include "ns.h"

struct lab_asked {
	uint32_t asked;
	uint32_t answered; /* in time, whole */
};

/*
 * Asks `server`, from `client` (addresses as text), for the TXT record of `name` ("t4000"), so
 * many times a second, for so many questions; an answer has a second to come, and more than `size`
 * bytes.
 * Blocks until all is known. 0 or -errno.
 */
int lab_ask(struct lab_asked *out, const struct lab_ns *ns, int family, const char *client,
	    const char *server, const char *name, uint32_t size, uint32_t rate, uint32_t questions);
