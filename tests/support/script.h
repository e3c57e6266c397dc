/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random rulesets in nftables' language, made of all that the gate understands and nothing else,
 * and random packets aimed at the edges of the values in them.
 *
 *   script_make()   a ruleset; its values come from small pools, so that rules match often
 *   script_print()  the file
 *   script_shots()  packets with values from the same pools, one below and one above
 *   script_shrink() leaves out what is not needed to show a difference
 *
 * A ruleset follows from its seed. Limits are such that no clock matters.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "passage.h"

typedef unsigned __int128 script_value;

/* X(NAME, bits, how its values are written) */
#define SCRIPT_KINDS(X) \
	X(IP, 32, TEXT_IP) \
	X(IP6, 128, TEXT_IP6) \
	X(PORT, 16, TEXT_NUMBER) \
	X(LENGTH, 16, TEXT_NUMBER) \
	X(META_LENGTH, 32, TEXT_NUMBER) \
	X(PROTOCOL, 8, TEXT_NUMBER) \
	X(TTL, 8, TEXT_NUMBER) \
	X(DSCP, 6, TEXT_NUMBER) \
	X(DSCP6, 6, TEXT_NUMBER) \
	X(TYPE, 8, TEXT_NUMBER) \
	X(TYPE6, 8, TEXT_NUMBER) \
	X(CODE, 8, TEXT_NUMBER) \
	X(CODE6, 8, TEXT_NUMBER) \
	X(MARK, 32, TEXT_NUMBER) \
	X(FLAGS, 8, TEXT_NUMBER) \
	X(NAME, 0, TEXT_WORD) \
	X(INDEX, 0, TEXT_WORD) \
	X(NFPROTO, 0, TEXT_WORD) \
	X(CT, 0, TEXT_WORD)

enum script_kind {
#define X(name, bits, text) KIND_##name,
	SCRIPT_KINDS(X)
#undef X
		KIND_MAX,
};

#define SCRIPT_POOL  6
#define SCRIPT_PARTS 4 /* of a concatenation, at most */

struct script_rule {
	char *text;
	bool off; /* left out */
};

struct script_chain {
	char name[16];
	char head[96]; /* "type filter hook ..."; "": not a base chain */
	struct script_rule *rules;
	size_t n;
	bool off;
};

/* A set, map or named counter. */
struct script_object {
	char name[16];
	char *text;
	bool off;
	char what; /* 's', 'm' or 'c' */
	unsigned int n_fields;
	unsigned int field[SCRIPT_PARTS];
};

#define SCRIPT_OBJECTS 12
#define SCRIPT_CHAINS  24

struct script_table {
	const char *family; /* "ip", "ip6", "inet" */
	char name[16];
	struct script_object objects[SCRIPT_OBJECTS];
	struct script_chain chains[SCRIPT_CHAINS]; /* a chain jumps to those behind it */
	size_t n_objects, n_chains;
	bool off;
};

#define SCRIPT_TABLES 3

struct script {
	uint64_t seed;
	struct lab_random random;
	bool ct; /* rules look at "ct state" */
	script_value pool[KIND_MAX][SCRIPT_POOL];
	struct script_table tables[SCRIPT_TABLES];
	size_t n_tables;
};

struct script_opts {
	uint64_t seed;
	bool ct;        /* allow "ct state" */
	bool fragments; /* packets come in fragments, some of them */
};

void script_make(struct script *r, const struct script_opts *opts);
void script_release(struct script *r);

void script_print(const struct script *r, FILE *f);

/* `n` packets for the ruleset; a random generator of their own follows from the seed. */
void script_shots(const struct script *r, struct shots *shots, size_t n, bool fragments);

/*
 * Leaves out tables, chains, rules and objects for as long as still_fails(arg) is true without
 * them. It is asked with the ruleset as it is then; one that nftables refuses does not fail.
 */
void script_shrink(struct script *r, bool (*still_fails)(void *arg), void *arg);
