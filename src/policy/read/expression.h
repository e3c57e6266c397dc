/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule that is being read, expression by expression: load.c fills registers, compare.c makes
 * matches of what is compared, statement.c has the rest.
 */
#pragma once

#include "reader.h"

struct rule_reader {
	struct reader *r;
	size_t rule; /* number in the ruleset */
	uint32_t table;
	rbit reg[REGISTER_BITS];
	uint32_t families; /* enum family: what packets can be here */
	int protocol;      /* of the transport header, if it is known; -1 */
	uint32_t pending;  /* fields that were loaded, but are in no match yet */
	char loaded[64];   /* the last load of what is no field, in words */
};

/* "table inet t, chain c, rule 3: STATEMENT: not supported; HINT". */
void rule_refuse(struct rule_reader *rr, const char *statement, const char *hint);

/* The same with all of the reason. */
void rule_refuse_for(struct rule_reader *rr, const char *statement, const char *why);

/* A new statement of the rule; NULL without memory. */
struct statement *rule_add(struct rule_reader *rr, enum statement_kind kind);

/* The same, and before it what was loaded in vain: if it is not there, the rule ends. */
struct statement *rule_add_effect(struct rule_reader *rr, enum statement_kind kind);

/* A match looks at a field, so that it is there is no longer to be asked for. */
void rule_meets(struct rule_reader *rr, unsigned int field);

/*
 * A match on one field, which says what packets can be behind it: on values in any of these spans,
 * which are in order. False without memory.
 */
bool rule_add_spans(struct rule_reader *rr, unsigned int field, const struct span *spans, size_t n,
		    bool negate);

/* The same of one span; with .from > .to it has no value. */
bool rule_add_span(struct rule_reader *rr, unsigned int field, struct span span, bool negate);

/* The register that an attribute names, with room for `len` bytes; NULL: there is none. */
rbit *rule_register(struct rule_reader *rr, const struct attrs *a, unsigned int type, size_t len);

/* Each reads one expression and returns false if that is nonsense. */
bool load_payload(struct rule_reader *rr, const struct attrs *a);
bool load_meta(struct rule_reader *rr, const struct attrs *a);
bool load_ct(struct rule_reader *rr, const struct attrs *a);
bool load_immediate(struct rule_reader *rr, const struct attrs *a);
bool change_bitwise(struct rule_reader *rr, const struct attrs *a);
bool change_byteorder(struct rule_reader *rr, const struct attrs *a);
bool compare_cmp(struct rule_reader *rr, const struct attrs *a);
bool compare_range(struct rule_reader *rr, const struct attrs *a);
bool compare_lookup(struct rule_reader *rr, const struct attrs *a);
bool state_counter(struct rule_reader *rr, const struct attrs *a);
bool state_objref(struct rule_reader *rr, const struct attrs *a);
bool state_limit(struct rule_reader *rr, const struct attrs *a);
bool state_log(struct rule_reader *rr, const struct attrs *a);

/* All that is refused by its name alone; marks registers that it fills. */
void refuse_expression(struct rule_reader *rr, const char *name, const struct attrs *a);

/* Puts what the rule's comment asks for in front of it. False: it was refused, or no memory. */
bool rule_add_comment(struct rule_reader *rr, const char *comment);
