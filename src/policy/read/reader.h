/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the reader share: reader.c goes through a listing, object.c reads tables,
 * chains and counters, set.c sets and their elements, expression.c rules, one expression after the
 * other.
 */
#pragma once

#include "attr.h"
#include "listing.h"
#include "policy.h"
#include "register.h"

/* An element as the kernel keeps it; keys lie in the listing. */
struct raw_element {
	const uint8_t *key;
	const uint8_t *end; /* of a concatenation of ranges; or NULL */
	uint32_t verdict;
	bool is_end; /* no element: one beyond the last value of an interval */
};

/* A set as the kernel keeps it. What its bytes mean is known when a rule looks something up. */
struct raw_set {
	const char *name;
	uint32_t table;
	uint32_t flags; /* NFT_SET_... */
	uint32_t len;   /* bytes of a key */
	bool refused;
	bool is_used;    /* by a rule, even if that is refused */
	const char *why; /* not told yet; NULL: it is */
	struct raw_element *elements;
	size_t n;
	struct shape shape; /* n == 0: not known yet */
	uint32_t index;     /* in the ruleset; UINT32_MAX: not there */
};

struct reader {
	const char *path;
	struct attr lines; /* struct listing_line */
	struct attr files; /* names */
	struct attr listing;
	struct ruleset *rs;
	struct policy_messages *messages;
	struct listing_texts texts;
	struct raw_set *sets;
	size_t n_sets;
	size_t last_set; /* where the search for a set begins */
	bool refused;
	bool no_memory;
};

/*
 * "FILE: ...", or "FILE:LINE: ..." if it is known where rule number `rule` stands, or what the
 * message begins with.
 */
#define READER_NO_RULE UINT32_MAX
__attribute__((format(printf, 3, 4))) void reader_refuse(struct reader *r, size_t rule,
							 const char *fmt, ...);

/* Index of a table, chain or counter; UINT32_MAX: there is none. */
uint32_t reader_table(const struct reader *r, uint8_t family, const char *name);
uint32_t reader_chain(const struct reader *r, uint32_t table, const char *name);
uint32_t reader_counter(const struct reader *r, uint32_t table, const char *name);
const char *reader_family(const struct reader *r, uint32_t table);

/* A copy; "" without memory, which is kept in mind. */
char *reader_copy(struct reader *r, const char *text);

void reader_on_table(struct reader *r, uint8_t family, const struct attrs *a);
void reader_on_chain(struct reader *r, uint8_t family, const struct attrs *a);
void reader_on_object(struct reader *r, uint8_t family, const struct attrs *a);
void reader_on_flowtable(struct reader *r, uint8_t family, const struct attrs *a);
void reader_on_set(struct reader *r, uint8_t family, const struct attrs *a);
void reader_on_elements(struct reader *r, uint8_t family, const struct attrs *a);
void reader_on_rule(struct reader *r, uint8_t family, const struct attrs *a);

/* Gives chains their order, of which the listing tells. */
void reader_order_chains(struct reader *r, struct attr listing);

/* GATE_VERDICT() of NFTA_VERDICT_... in a table; false: not one that the gate knows. */
bool reader_verdict(const struct reader *r, uint32_t table, struct attr data, uint32_t *verdict);

/* The raw set of a name, or NULL. */
struct raw_set *reader_set(struct reader *r, uint32_t table, const char *name);

/*
 * Says that a rule looks things of this shape up in a set. False: it can't be; *why says so, or is
 * NULL if that was told already.
 */
bool raw_set_use(struct reader *r, struct raw_set *raw, const struct shape *shape,
		 const char **why);

/* Elements of an anonymous set of one field, as a match has them. */
bool raw_set_spans(struct reader *r, struct raw_set *raw, struct span **out, size_t *n,
		   const char **why);

/* A set without a name that has one element of several fields; UINT32_MAX without memory. */
uint32_t reader_add_tuple(struct reader *r, uint32_t table, const struct key *key,
			  const struct span *spans);

/* Sets that no rule uses, at the end. */
void raw_sets_finish(struct reader *r);
