// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What nftables cannot say: conditions on how a packet was reassembled. They stand in a rule's
 * comment, which nftables keeps and ignores:
 *
 *	comment "unfrag: reassembled, largest > 1400"
 *
 * Comments that begin otherwise are comments.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "expression.h"

#define MARK "unfrag:"

#define HINT \
	"use reassembled, not reassembled, largest or smallest with == != < > <= >= and a " \
	"number, and commas between them"

static const char *skip_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* Takes a word off the front, whatever may come behind it. */
static bool take_word(const char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len) || isalnum((unsigned char)(*p)[len]))
		return false;
	*p = skip_space(*p + len);
	return true;
}

static bool take_operator(const char **p, const char **op)
{
	static const char *const operators[] = { "==", "!=", "<=", ">=", "<", ">" };
	size_t i;

	for (i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (!strncmp(*p, operators[i], strlen(operators[i]))) {
			*op = operators[i];
			*p = skip_space(*p + strlen(*op));
			return true;
		}
	return false;
}

static bool take_number(const char **p, uint32_t *n)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return false;
	*n = (uint32_t)strtoul(*p, &end, 10);
	if (end - *p > 5 || *n > UINT16_MAX)
		return false;
	*p = skip_space(end);
	return true;
}

static struct span span_of(const char *op, uint32_t n)
{
	const struct span none = { 1, 0 };

	if (op[0] == '=' || op[0] == '!')
		return (struct span){ n, n };
	if (!strcmp(op, "<"))
		return n ? (struct span){ 0, n - 1 } : none;
	if (!strcmp(op, "<="))
		return (struct span){ 0, n };
	if (!strcmp(op, ">="))
		return (struct span){ n, UINT16_MAX };
	return n < UINT16_MAX ? (struct span){ n + 1, UINT16_MAX } : none;
}

static bool take_condition(struct rule_reader *rr, const char **p)
{
	bool negated = take_word(p, "not");
	unsigned int field;
	const char *op;
	uint32_t n;

	if (take_word(p, "reassembled"))
		return rule_add_span(rr, GATE_REASSEMBLED, (struct span){ !negated, !negated },
				     false);
	if (negated)
		return false;
	if (take_word(p, "largest"))
		field = GATE_LARGEST;
	else if (take_word(p, "smallest"))
		field = GATE_SMALLEST;
	else
		return false;
	return take_operator(p, &op) && take_number(p, &n) &&
	       rule_add_span(rr, field, span_of(op, n), op[0] == '!');
}

bool rule_add_comment(struct rule_reader *rr, const char *comment)
{
	const char *p = skip_space(comment);

	if (strncmp(p, MARK, strlen(MARK)))
		return true;
	p = skip_space(p + strlen(MARK));
	while (take_condition(rr, &p)) {
		if (!*p)
			return true;
		if (*p != ',')
			break;
		p = skip_space(p + 1);
	}
	if (!rr->r->no_memory)
		rule_refuse(rr, "a comment that begins with 'unfrag:'", HINT);
	return false;
}
