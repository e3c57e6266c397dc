/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listing: sections, each with a head. What loaded the file writes it, the reader reads it. It
 * may be kept by others meanwhile, so nothing in it is believed.
 */
#pragma once

#include "attr.h"
#include "rule.h"

enum listing_section {
	LISTING_PATH = 1, /* what the file is called */
	LISTING_NETLINK,  /* messages of nfnetlink, in an order in which each finds what it names */
	LISTING_ORDER,    /* the messages that made chains, in their order */
	LISTING_TEXT,     /* the ruleset as "nft -s -t -a list ruleset" has it */
	LISTING_LINES,    /* struct listing_line: where rules stand, as far as it is certain */
	LISTING_ERROR,    /* what nftables said, line by line */
	LISTING_FAILED,   /* struct listing_failure: nothing else follows */
	LISTING_END,
	LISTING_UNLISTED, /* struct listing_unlisted: if nftables can't list all of it */
	LISTING_FILES,    /* names of the file and of those that it includes */
	LISTING_PLACE,    /* struct listing_place, and what stands there, as messages have it */
};

struct listing_head {
	uint32_t section;
	uint32_t len;
};

/* What failed where the file was loaded. */
struct listing_failure {
	int32_t err;
	char what[124];
};

struct listing_unlisted {
	uint32_t rules; /* how many have no text */
	uint32_t signal;
};

struct listing_place {
	uint32_t line;
	uint32_t file;
};

struct listing_line {
	uint32_t rule; /* as the kernel lists them, from 0 */
	uint32_t line;
	uint32_t file; /* of LISTING_FILES, from 0 */
};

/* Takes one section off the front; false: there is none, or nonsense. */
bool listing_next(struct attr *rest, uint32_t *section, struct attr *out);

/* The first section of a kind; .data NULL: there is none. */
struct attr listing_find(struct attr listing, uint32_t section);

/* A message of nf_tables. */
struct listing_message {
	unsigned int type; /* NFT_MSG_... */
	uint8_t family;    /* NFPROTO_... */
	struct attrs attrs;
};

/* The first one of a section. False: it is shorter than its heads. */
bool listing_message(struct listing_message *out, struct attr section);

/* The lines of rules in the text, in the order of the kernel's rules. */
struct listing_text {
	uint64_t handle;
	const char *text;
	size_t len;
};

struct listing_texts {
	struct listing_text *texts;
	size_t n;
	size_t next;
};

int listing_texts_init(struct listing_texts *t, struct attr text);
void listing_texts_release(struct listing_texts *t);

/*
 * The text of the next rule, if it has this handle and nftables could write the rule; else nothing.
 * It could not if there is a shift: for "ip dscp . ip saddr" it writes "ip dscp >> 2 . ip saddr",
 * which is something else; or if a line ends within quotes, as it writes some names of devices
 * wrong.
 */
struct attr listing_text_next(struct listing_texts *t, uint64_t handle);

/* The comment among what nftables keeps with a rule, or NULL. */
const char *listing_comment(struct attr userdata);
