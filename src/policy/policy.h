/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file in nftables' language to a ruleset.
 *
 * libnftables loads the file into a network namespace that is made for it and ends with it, so what
 * a file means is what nftables says it means. What the kernel then holds is its *listing*: the
 * kernel's own tables, chains, sets and rules, as netlink messages, and the text of the rules for
 * people. A ruleset is read from the listing, which needs no privilege and may be done again.
 */
#pragma once

#include "rule.h"

/* What is to be told to people, in order: lines without an end. */
struct policy_messages {
	char **text;
	size_t n;
};

__attribute__((format(printf, 2, 3))) void policy_say(struct policy_messages *m, const char *fmt,
						      ...);
void policy_messages_release(struct policy_messages *m);

/* Bytes whose meaning is up to policy_parse(); of this machine, not for others. */
struct policy_listing {
	void *data;
	size_t len;
};

void policy_listing_release(struct policy_listing *listing);

#define POLICY_TIMEOUT_MS 300000u /* that reading a file may take, unless asked otherwise */

struct policy_read_opts {
	int netns;       /* a namespace whose devices "iif" and "oif" name; -1: the current one */
	uint64_t memory; /* bytes that loading may take; 0: 4 GiB. The listing: a quarter of it */
	uint32_t timeout_ms; /* 0: POLICY_TIMEOUT_MS */
	struct policy_messages *messages;
	struct policy_listing *listing; /* NULL, or where it goes to; to be released */
};

/*
 * Reads the file `path` ("-": standard input). On success *out holds a ruleset to be released with
 * ruleset_release(); else it is not touched. There may be messages either way.
 *
 * -EINVAL: the file is not what nftables takes, or has what the gate can't do; -EOPNOTSUPP: built
 * without libnftables, or the kernel has no nftables; -EPERM: no namespace can be made; -ETIMEDOUT,
 * -ENOMEM, -EFBIG: beyond the limits; -EMSGSIZE: beyond what a socket takes without privilege;
 * -EINTR: a signal came; -EIO: libnftables ended without a word. Each has its messages.
 */
int policy_read(struct ruleset *out, const char *path, const struct policy_read_opts *opts);

/* The same of a listing. -EINVAL, -ENOMEM. */
int policy_parse(struct ruleset *out, const struct policy_listing *listing,
		 struct policy_messages *messages);

/*
 * The ruleset that drops every packet at input, forward and output, in both families; needs neither
 * libnftables nor a file. path: of the one that it stands in for. -ENOMEM.
 */
int policy_closed(struct ruleset *out, struct policy_listing *listing, const char *path,
		  int32_t priority);
