// SPDX-License-Identifier: GPL-2.0-or-later
#include "words.h"

#include <stdio.h>
#include <string.h>

#define RULE_TEXT_MAX 120

const char *words_of_family(uint32_t family)
{
	static const char *const names[] = {
		[FAMILY_IP] = "ip",
		[FAMILY_IP6] = "ip6",
		[FAMILY_INET] = "inet",
	};

	return family && family <= FAMILY_INET ? names[family] : "?";
}

struct words words_of_table(const struct ruleset *rs, uint32_t table)
{
	struct words w;

	if (table < rs->n_tables)
		snprintf(w.text, sizeof(w.text), "%s %s", words_of_family(rs->tables[table].family),
			 rs->tables[table].name);
	else
		snprintf(w.text, sizeof(w.text), "no table");
	return w;
}

struct words words_of_chain(const struct ruleset *rs, uint32_t chain)
{
	struct words w;

	if (chain < rs->n_chains)
		snprintf(w.text, sizeof(w.text), "chain '%.128s %.128s'",
			 words_of_table(rs, rs->chains[chain].table).text, rs->chains[chain].name);
	else
		snprintf(w.text, sizeof(w.text), "chain %u", chain);
	return w;
}

struct words words_of_rule(const struct ruleset *rs, uint32_t rule)
{
	const struct rule *r = &rs->rules[rule];
	const char *text = r->text ? r->text : "";
	struct words w;

	snprintf(w.text, sizeof(w.text), "rule '%.*s%s' of %.180s", RULE_TEXT_MAX, text,
		 strlen(text) > RULE_TEXT_MAX ? "..." : "", words_of_chain(rs, r->chain).text);
	return w;
}

struct words words_of_set(const struct ruleset *rs, const struct set *s)
{
	const char *kind = s->verdicts ? "map" : "set";
	struct words w;

	if (s->name && s->name[0])
		snprintf(w.text, sizeof(w.text), "%s '%.128s %.128s'", kind,
			 words_of_table(rs, s->table).text, s->name);
	else
		snprintf(w.text, sizeof(w.text), "the anonymous %s", kind);
	return w;
}
