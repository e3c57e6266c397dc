/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floods of fragments against the middle of a router, from a namespace of their own:
 *
 *   client ── middle ── server          frames go straight to the device, so every address may be
 *               |                        forged; they are for the client, as answers of the server
 *             evil                       are, so the middle has to forward what it puts together
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net.h"

#define LAB_EVIL_V4 "10.77.3.2"
#define LAB_EVIL_V6 "fd00:77:3::2"
#define LAB_EVIL_IF "evil" /* the middle's end */

#define LAB_EVIL_MAC   "02:00:00:77:03:02"
#define LAB_MIDDLE_MAC "02:00:00:77:03:01"

/* X(NAME, "name", "what it is") */
#define LAB_ATTACKS(X) \
	X(FIRST, "first", "one source, lone first fragments") \
	X(LAST, "last", "one source, lone last fragments, random identifications") \
	X(MANY, "many", "10,000 sources, lone first fragments") \
	X(ANY, "any", "every packet from another source; IPv6: another /64") \
	X(PREFIX, "prefix", "every packet from another address of one /64 or /16") \
	X(SERVER, "server", "lone first fragments with the server's own address") \
	X(BROKEN, "broken", "tiny, overlapping, oversize and duplicate fragments") \
	X(WORK, "work", "whole small datagrams in 16 fragments each") \
	X(REUSE, "reuse", "fragments of the victims' pair with all identifications in turn")

enum lab_attack_kind {
#define X(id, name, text) LAB_ATTACK_##id,
	LAB_ATTACKS(X)
#undef X
		LAB_ATTACK_MAX,
};

const char *lab_attack_name(enum lab_attack_kind kind);
const char *lab_attack_text(enum lab_attack_kind kind);

/* A namespace wired to the middle. It is gone, with its wire, when freed. 0 or -errno. */
int lab_evil_new(struct lab_ns **out, const struct lab_router *router);

struct lab_attack;

/*
 * Sends from a thread until stopped, so many fragments a second; and `head` of them at once at the
 * start, to be where the attack would be after some time. The server's addresses are the lab's.
 */
int lab_attack_start(struct lab_attack **out, const struct lab_ns *evil, enum lab_attack_kind kind,
		     int family, uint32_t rate, uint32_t head);

/* Fragments sent so far. */
uint64_t lab_attack_sent(const struct lab_attack *attack);

/* Ends it and frees it; NULL is allowed. */
void lab_attack_stop(struct lab_attack *attack);
